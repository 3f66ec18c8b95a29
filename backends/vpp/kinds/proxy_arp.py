"""Proxy ARP: ``proxy_arp_add_del``, ``proxy_arp_intfc_enable_disable`` and their dumps."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address

from vectorplane.backends.items import ProxyArpInterface, ProxyArpRange
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps


class ProxyRanges(Kind[ProxyArpRange]):
    """The ranges."""

    item = ProxyArpRange
    title = "proxy ARP ranges"
    messages = (("proxy_arp_add_del",), ("proxy_arp_dump",))

    def create(self, item: ProxyArpRange) -> Steps:
        """Add it."""
        yield self._message(True, item)

    def delete(self, item: ProxyArpRange) -> Steps:
        """Remove it."""
        yield self._message(False, item)

    def _message(self, is_add: bool, item: ProxyArpRange) -> Message:
        proxy = {"table_id": item.table, "low": item.low.packed, "hi": item.high.packed}
        return "proxy_arp_add_del", {"is_add": is_add, "proxy": proxy}

    def dump(self) -> Iterable[ProxyArpRange]:
        """All."""
        for details in self.link.connection.details("proxy_arp_dump"):
            p = details.proxy
            yield ProxyArpRange(IPv4Address(bytes(p.low)), IPv4Address(bytes(p.hi)), p.table_id)


class ProxyInterfaces(Kind[ProxyArpInterface]):
    """The interfaces that answer."""

    item = ProxyArpInterface
    title = "proxy ARP on interfaces"
    messages = (("proxy_arp_intfc_enable_disable",), ("proxy_arp_intfc_dump",))

    def create(self, item: ProxyArpInterface) -> Steps:
        """On."""
        yield self._message(True, item)

    def delete(self, item: ProxyArpInterface) -> Steps:
        """Off."""
        yield self._message(False, item)

    def _message(self, on: bool, item: ProxyArpInterface) -> Message:
        return "proxy_arp_intfc_enable_disable", {"sw_if_index": self.index(item.interface), "enable": on}

    def dump(self) -> Iterable[ProxyArpInterface]:
        """All."""
        self.link.interfaces.refresh()
        for details in self.link.connection.details("proxy_arp_intfc_dump"):
            name = self.link.interfaces.name(details.sw_if_index)
            if name is not None:
                yield ProxyArpInterface(name)
