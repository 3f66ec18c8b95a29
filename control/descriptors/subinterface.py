"""Sub-interfaces need their parent, and start with the MTU and the MAC address that it has by then."""

from __future__ import annotations

from vectorplane.backends.items import SubInterface
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import AFTER, Need


def _needs(item: SubInterface) -> tuple[Need, ...]:
    parent = keys.interface(item.parent)
    return (parent, Need(f"{parent.key}/mac", AFTER), Need(f"{parent.key}/mtu", AFTER))


# the rank of interfaces: they are numbered in the order in which they are written
SUBINTERFACE = Descriptor(SubInterface, 1, _needs)
