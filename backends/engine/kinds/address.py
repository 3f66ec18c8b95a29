"""Addresses of interfaces."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv6Interface

from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.items import InterfaceAddress


class Addresses(Kind[InterfaceAddress]):
    """See the module."""

    item = InterfaceAddress

    def create(self, item: InterfaceAddress) -> None:
        """Add it."""
        if isinstance(item.address, IPv6Interface):
            self.engine.addresses6.add(self.index(item.interface), item.address)
        else:
            self.engine.addresses.add(self.index(item.interface), item.address)

    def delete(self, item: InterfaceAddress) -> None:
        """Remove it."""
        if isinstance(item.address, IPv6Interface):
            self.engine.addresses6.remove(self.index(item.interface), item.address)
        else:
            self.engine.addresses.remove(self.index(item.interface), item.address)

    def dump(self) -> Iterable[InterfaceAddress]:
        """Of all interfaces, without link-local ones."""
        for interface in self.each():
            for address in interface.addresses:
                yield InterfaceAddress(interface.name, address)
            for address6 in self.engine.addresses6.own(interface.sw_if_index):
                yield InterfaceAddress(interface.name, address6)
