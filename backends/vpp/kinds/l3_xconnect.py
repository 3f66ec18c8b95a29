"""L3 cross-connects of IPv4: ``l3xc_update``, ``l3xc_del``, ``l3xc_dump``."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.items import L3Xconnect
from vectorplane.backends.vpp.interfaces import NO_INTERFACE
from vectorplane.backends.vpp.kinds.kind import Kind, Steps
from vectorplane.backends.vpp.kinds.paths import item_paths, pack_path

_TABLE = 0
"""Where next hops are looked up that have no table of their own."""


class L3Xconnects(Kind[L3Xconnect]):
    """See the module."""

    item = L3Xconnect
    title = "L3 cross-connects"
    messages = (("l3xc_update",), ("l3xc_del",), ("l3xc_dump",))

    def create(self, item: L3Xconnect) -> Steps:
        """Connect it."""
        paths = [
            pack_path(path, self.index(path.interface) if path.interface else NO_INTERFACE, 4, _TABLE)
            for path in item.paths
        ]
        fields = {"sw_if_index": self.index(item.interface), "is_ip6": False, "n_paths": len(paths), "paths": paths}
        yield "l3xc_update", {"l3xc": fields}

    def update(self, old: L3Xconnect, new: L3Xconnect) -> Steps:
        """Other paths."""
        yield from self.create(new)

    def delete(self, item: L3Xconnect) -> Steps:
        """Route its packets again."""
        yield "l3xc_del", {"sw_if_index": self.index(item.interface), "is_ip6": False}

    def dump(self) -> Iterable[L3Xconnect]:
        """All."""
        self.link.interfaces.refresh()
        for details in self.link.connection.details("l3xc_dump", sw_if_index=NO_INTERFACE):
            x = details.l3xc
            name = self.link.interfaces.name(x.sw_if_index)
            if name is not None and not x.is_ip6:
                yield L3Xconnect(name, item_paths(x.paths, _TABLE, self.link))
