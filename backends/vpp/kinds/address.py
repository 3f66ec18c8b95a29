"""Addresses of interfaces: ``sw_interface_add_del_address``, ``ip_address_dump``."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.items import InterfaceAddress
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps
from vectorplane.backends.vpp.values import interface_address_of, pack_prefix


class Addresses(Kind[InterfaceAddress]):
    """See the module."""

    item = InterfaceAddress
    title = "addresses"
    messages = (("sw_interface_add_del_address",), ("ip_address_dump",))

    def create(self, item: InterfaceAddress) -> Steps:
        """Add it."""
        yield self._message(True, item)

    def delete(self, item: InterfaceAddress) -> Steps:
        """Remove it."""
        yield self._message(False, item)

    def _message(self, is_add: bool, item: InterfaceAddress) -> Message:
        prefix = pack_prefix(item.address.ip, item.address.network.prefixlen)
        fields = {"sw_if_index": self.index(item.interface), "is_add": is_add, "del_all": False, "prefix": prefix}
        return "sw_interface_add_del_address", fields

    def dump(self) -> Iterable[InterfaceAddress]:
        """Of all interfaces, of both families."""
        self.link.interfaces.refresh()
        send = self.link.connection.send
        asked = [
            (known.name, send("ip_address_dump", sw_if_index=known.index, is_ipv6=ip6))
            for known in self.link.interfaces
            for ip6 in (False, True)
        ]
        self.link.connection.drain()
        for name, request in asked:
            for details in request.details:
                yield InterfaceAddress(name, interface_address_of(details.prefix))
