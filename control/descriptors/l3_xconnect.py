"""L3 cross-connects need their interface, and the interfaces and tables of their paths."""

from __future__ import annotations

from vectorplane.backends.items import L3Xconnect
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def _needs(item: L3Xconnect) -> tuple[Need, ...]:
    return tuple(dict.fromkeys((keys.interface(item.interface), *keys.paths(item.paths, False))))


def _in_place(old: L3Xconnect, new: L3Xconnect) -> bool:
    return True


L3_XCONNECT = Descriptor(L3Xconnect, 11, _needs, in_place=_in_place)
