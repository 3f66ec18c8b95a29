"""Static neighbours need their interface; they move along when it changes its table."""

from __future__ import annotations

from vectorplane.backends.items import Neighbour
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def _needs(item: Neighbour) -> tuple[Need, ...]:
    return (keys.interface(item.interface),)


def _in_place(old: Neighbour, new: Neighbour) -> bool:
    return True


NEIGHBOUR = Descriptor(Neighbour, 10, _needs, in_place=_in_place)
