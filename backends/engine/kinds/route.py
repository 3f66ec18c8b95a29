"""Routes that the configuration, the API or the command line made."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network

from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.engine.kinds.paths import engine_path, item_paths
from vectorplane.backends.items import Route

_SOURCES = ("API", "CLI")


class Routes(Kind[Route]):
    """See the module."""

    item = Route

    def create(self, item: Route) -> None:
        """Add it; what another program gave this prefix is replaced."""
        prefix = (int(item.prefix.network_address), item.prefix.prefixlen)
        paths = [engine_path(path, self.index, item.prefix.version == 6) for path in item.paths]
        if item.prefix.version == 6:
            self.engine.routes6.update(prefix, paths, item.table)
        else:
            self.engine.routes.update(prefix, paths, item.table)

    def update(self, old: Route, new: Route) -> None:
        """Other paths."""
        self.create(new)

    def delete(self, item: Route) -> None:
        """Remove all paths that were given over the API."""
        prefix = (int(item.prefix.network_address), item.prefix.prefixlen)
        if item.prefix.version == 6:
            self.engine.routes6.remove(prefix, item.table)
        else:
            self.engine.routes.remove(prefix, item.table)

    def dump(self) -> Iterable[Route]:
        """Those that were made over the API or by hand."""
        for table in self.engine.tables.ids():
            for info in self.engine.routes.dump(table):
                if info.source in _SOURCES:
                    network = IPv4Network((info.prefix, info.length))
                    yield Route(network, item_paths(info.paths, table, self.name), table)
        for table in self.engine.tables6.ids():
            for info6 in self.engine.routes6.dump(table):
                if info6.source in _SOURCES:
                    network6 = IPv6Network((info6.prefix, info6.length))
                    yield Route(network6, item_paths(info6.paths, table, self.name, ip6=True), table)
