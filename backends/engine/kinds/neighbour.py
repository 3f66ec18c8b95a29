"""Static neighbours."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address

from vectorplane.backends.engine.interfaces import mac_bytes, mac_text
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.engine.neighbour_store import NeighbourStore
from vectorplane.backends.items import Neighbour


class Neighbours(Kind[Neighbour]):
    """See the module."""

    item = Neighbour

    def create(self, item: Neighbour) -> None:
        """Add it, or take over one that was learnt."""
        self._store(item).add(self.index(item.interface), int(item.address), mac_bytes(item.mac), static=True)

    def update(self, old: Neighbour, new: Neighbour) -> None:
        """Another MAC."""
        self.create(new)

    def delete(self, item: Neighbour) -> None:
        """Remove it."""
        self._store(item).remove(self.index(item.interface), int(item.address))

    def _store(self, item: Neighbour) -> NeighbourStore:
        return self.engine.neighbours6 if item.address.version == 6 else self.engine.neighbours

    def dump(self) -> Iterable[Neighbour]:
        """The static ones."""
        for store, kind in ((self.engine.neighbours, IPv4Address), (self.engine.neighbours6, IPv6Address)):
            for n in store.dump():
                if n.static:
                    yield Neighbour(self.name(n.sw_if_index), kind(n.address), mac_text(n.mac))
