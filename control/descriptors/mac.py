"""MAC addresses of interfaces."""

from __future__ import annotations

from vectorplane.backends.items import InterfaceMac
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def _needs(item: InterfaceMac) -> tuple[Need, ...]:
    return (keys.interface(item.interface),)


def _in_place(old: InterfaceMac, new: InterfaceMac) -> bool:
    return True


MAC = Descriptor(InterfaceMac, 2, _needs, in_place=_in_place)
