"""L2 cross-connects."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.items import L2Xconnect


class L2Xconnects(Kind[L2Xconnect]):
    """See the module."""

    item = L2Xconnect

    def create(self, item: L2Xconnect) -> None:
        """Connect it."""
        self.engine.bridges.xconnect(self.index(item.interface), self.index(item.to))

    def update(self, old: L2Xconnect, new: L2Xconnect) -> None:
        """To another interface."""
        self.create(new)

    def delete(self, item: L2Xconnect) -> None:
        """Back to L3."""
        self.engine.bridges.detach(self.index(item.interface))

    def dump(self) -> Iterable[L2Xconnect]:
        """All."""
        for index, port in sorted(self.engine.bridges.ports.items()):
            if port.xconnect >= 0:
                yield L2Xconnect(self.name(index), self.name(port.xconnect))
