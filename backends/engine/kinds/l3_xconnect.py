"""L3 cross-connects."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.engine.kinds.paths import engine_path, item_paths
from vectorplane.backends.items import L3Xconnect

_TABLE = 0
"""Where next hops are looked up that have no table of their own."""


class L3Xconnects(Kind[L3Xconnect]):
    """See the module."""

    item = L3Xconnect

    def create(self, item: L3Xconnect) -> None:
        """Connect it."""
        paths = tuple(engine_path(path, self.index) for path in item.paths)
        self.engine.l3xc.update(self.index(item.interface), paths)

    def update(self, old: L3Xconnect, new: L3Xconnect) -> None:
        """Other paths."""
        self.create(new)

    def delete(self, item: L3Xconnect) -> None:
        """Route its packets again."""
        self.engine.l3xc.remove(self.index(item.interface))

    def dump(self) -> Iterable[L3Xconnect]:
        """All."""
        for index, paths in self.engine.l3xc.dump():
            yield L3Xconnect(self.name(index), item_paths(paths, _TABLE, self.name))
