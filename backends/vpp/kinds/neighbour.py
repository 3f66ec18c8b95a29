"""Static neighbours: ``ip_neighbor_add_del``, ``ip_neighbor_dump``."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.items import Neighbour
from vectorplane.backends.vpp.interfaces import NO_INTERFACE
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps
from vectorplane.backends.vpp.values import address_of, mac_text, pack_address, pack_mac

STATIC = 1


class Neighbours(Kind[Neighbour]):
    """See the module."""

    item = Neighbour
    title = "neighbours"
    messages = (("ip_neighbor_add_del",), ("ip_neighbor_dump",))

    def create(self, item: Neighbour) -> Steps:
        """Add it, or take over one that was learnt."""
        yield self._message(True, item)

    def update(self, old: Neighbour, new: Neighbour) -> Steps:
        """Another MAC."""
        yield self._message(True, new)

    def delete(self, item: Neighbour) -> Steps:
        """Remove it."""
        yield self._message(False, item)

    def _message(self, is_add: bool, item: Neighbour) -> Message:
        neighbour = {
            "sw_if_index": self.index(item.interface),
            "flags": STATIC,
            "mac_address": pack_mac(item.mac),
            "ip_address": pack_address(item.address),
        }
        return "ip_neighbor_add_del", {"is_add": is_add, "neighbor": neighbour}

    def dump(self) -> Iterable[Neighbour]:
        """The static ones."""
        self.link.interfaces.refresh()
        for af in (0, 1):
            for details in self.link.connection.details("ip_neighbor_dump", sw_if_index=NO_INTERFACE, af=af):
                n = details.neighbor
                name = self.link.interfaces.name(n.sw_if_index)
                if name is not None and int(n.flags) & STATIC:
                    yield Neighbour(name, address_of(n.ip_address), mac_text(n.mac_address))
