"""MAC addresses that were told; an interface that is told none any more gets the one back that it would have had."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.engine.interfaces import mac_bytes, mac_text
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.items import InterfaceMac


class Macs(Kind[InterfaceMac]):
    """See the module."""

    item = InterfaceMac

    def create(self, item: InterfaceMac) -> None:
        """Set it."""
        self.engine.interfaces.set_mac(self.index(item.interface), mac_bytes(item.mac))
        self.told.keys.add(item.key)

    def update(self, old: InterfaceMac, new: InterfaceMac) -> None:
        """Set the new one."""
        self.create(new)

    def delete(self, item: InterfaceMac) -> None:
        """Back to the usual one."""
        interface = self.engine.interfaces[self.index(item.interface)]
        usual = interface.device.default_mac(interface.sw_if_index, interface.name)
        self.engine.interfaces.set_mac(interface.sw_if_index, usual)
        self.told.keys.discard(item.key)

    def dump(self) -> Iterable[InterfaceMac]:
        """Those that were told."""
        for interface in self.each():
            item = InterfaceMac(interface.name, mac_text(interface.mac))
            if not interface.is_sub and item.key in self.told.keys:
                yield item
