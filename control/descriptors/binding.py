"""Tables of interfaces need both. Addresses are brought after them, and taken away before they change."""

from __future__ import annotations

from vectorplane.backends.items import InterfaceTable
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def _needs(item: InterfaceTable) -> tuple[Need, ...]:
    return (keys.interface(item.interface), *keys.table(item.table, item.ip6))


def _in_place(old: InterfaceTable, new: InterfaceTable) -> bool:
    return True


BINDING = Descriptor(InterfaceTable, 4, _needs, in_place=_in_place)
