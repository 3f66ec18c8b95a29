"""Proxy ARP: ranges need their table, interfaces themselves."""

from __future__ import annotations

from vectorplane.backends.items import ProxyArpInterface, ProxyArpRange
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def _range_needs(item: ProxyArpRange) -> tuple[Need, ...]:
    return keys.table(item.table, False)


def _interface_needs(item: ProxyArpInterface) -> tuple[Need, ...]:
    return (keys.interface(item.interface),)


PROXY_ARP_RANGE = Descriptor(ProxyArpRange, 8, _range_needs)
PROXY_ARP_INTERFACE = Descriptor(ProxyArpInterface, 9, _interface_needs)
