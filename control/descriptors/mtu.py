"""MTUs of interfaces."""

from __future__ import annotations

from vectorplane.backends.items import InterfaceMtu
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def _needs(item: InterfaceMtu) -> tuple[Need, ...]:
    return (keys.interface(item.interface),)


def _in_place(old: InterfaceMtu, new: InterfaceMtu) -> bool:
    return True


MTU = Descriptor(InterfaceMtu, 3, _needs, in_place=_in_place)
