"""Largest L3 packets, as they were told: an interface has 9000 without, a sub-interface that of its parent."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.engine.interfaces import Interface as EngineInterface
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.items import InterfaceMtu


def usual(interface: EngineInterface) -> int:
    """What an interface has when nobody told."""
    return 0 if interface.is_sub else interface.device.default_mtu


class Mtus(Kind[InterfaceMtu]):
    """See the module."""

    item = InterfaceMtu

    def create(self, item: InterfaceMtu) -> None:
        """Set it."""
        self.engine.interfaces.set_mtu(self.index(item.interface), item.mtu)
        self.told.keys.add(item.key)

    def update(self, old: InterfaceMtu, new: InterfaceMtu) -> None:
        """Set the new one."""
        self.create(new)

    def delete(self, item: InterfaceMtu) -> None:
        """Back to the usual one."""
        interface = self.engine.interfaces[self.index(item.interface)]
        self.engine.interfaces.set_mtu(interface.sw_if_index, usual(interface))
        self.told.keys.discard(item.key)

    def dump(self) -> Iterable[InterfaceMtu]:
        """Those that were told, or are not the usual ones."""
        for interface in self.each():
            mtu = self.engine.interfaces.mtus(interface.sw_if_index)[0]
            item = InterfaceMtu(interface.name, mtu)
            if mtu and (mtu != usual(interface) or item.key in self.told.keys):
                yield item
