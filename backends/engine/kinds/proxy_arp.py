"""Proxy ARP: the ranges, and the interfaces that answer for them."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address

from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.items import ProxyArpInterface, ProxyArpRange


class ProxyRanges(Kind[ProxyArpRange]):
    """The ranges."""

    item = ProxyArpRange

    def create(self, item: ProxyArpRange) -> None:
        """Add it."""
        self.engine.proxy_arp.add(int(item.low), int(item.high), item.table)

    def delete(self, item: ProxyArpRange) -> None:
        """Remove it."""
        self.engine.proxy_arp.remove(int(item.low), int(item.high), item.table)

    def dump(self) -> Iterable[ProxyArpRange]:
        """All."""
        fibs = self.engine.routes.control.fibs
        for fib, low, high in self.engine.proxy_arp.ranges:
            yield ProxyArpRange(IPv4Address(low), IPv4Address(high), fibs.id_of(fib))


class ProxyInterfaces(Kind[ProxyArpInterface]):
    """The interfaces that answer."""

    item = ProxyArpInterface

    def create(self, item: ProxyArpInterface) -> None:
        """On."""
        self.engine.proxy_arp.enable(self.index(item.interface))

    def delete(self, item: ProxyArpInterface) -> None:
        """Off."""
        self.engine.proxy_arp.enable(self.index(item.interface), False)

    def dump(self) -> Iterable[ProxyArpInterface]:
        """All."""
        for interface in self.each():
            if interface.sw_if_index in self.engine.proxy_arp.interfaces:
                yield ProxyArpInterface(interface.name)
