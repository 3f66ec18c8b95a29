"""Routes that the configuration, the API or the command line made."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.engine.route_paths import OWN_TABLE
from vectorplane.backends.engine.route_paths import Path as EnginePath
from vectorplane.backends.engine.route_paths6 import Path6
from vectorplane.backends.engine.routes import RouteInfo
from vectorplane.backends.engine.routes6 import RouteInfo6
from vectorplane.backends.items import Path, Route

_KINDS = {
    "": "normal",
    "blackhole": "drop",
    "unreachable": "unreachable",
    "prohibit": "prohibit",
    "local": "local",
    "punt": "punt",
}
_ACTIONS = {kind: action for action, kind in _KINDS.items()} | {"lookup": ""}
_SOURCES = ("API", "CLI")


class Routes(Kind[Route]):
    """See the module."""

    item = Route

    def create(self, item: Route) -> None:
        """Add it; what another program gave this prefix is replaced."""
        prefix = (int(item.prefix.network_address), item.prefix.prefixlen)
        paths = [self._path(path, item) for path in item.paths]
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

    def _path(self, path: Path, item: Route) -> EnginePath:
        if path.action not in _KINDS:
            raise BackendError(f"the engine knows no paths of kind {path.action}")
        kind = _KINDS[path.action]
        if not path.action and not path.via and not path.interface:
            kind = "lookup"
        ip6 = item.prefix.version == 6
        if path.via and (":" in path.via) != ip6:
            raise BackendError("the engine has no next hops of the other IP version")
        via = int((IPv6Address if ip6 else IPv4Address)(path.via)) if path.via else 0
        return (Path6 if ip6 else EnginePath)(
            via,
            self.index(path.interface) if path.interface else -1,
            path.weight,
            path.preference,
            kind,
            path.table if path.table >= 0 else OWN_TABLE,
        )

    def dump(self) -> Iterable[Route]:
        """Those that were made over the API or by hand."""
        for table in self.engine.tables.ids():
            for info in self.engine.routes.dump(table):
                if info.source in _SOURCES:
                    network = IPv4Network((info.prefix, info.length))
                    yield Route(network, self._paths(info, table, False), table)
        for table in self.engine.tables6.ids():
            for info6 in self.engine.routes6.dump(table):
                if info6.source in _SOURCES:
                    network6 = IPv6Network((info6.prefix, info6.length))
                    yield Route(network6, self._paths(info6, table, True), table)

    def _paths(self, info: RouteInfo | RouteInfo6, table: int, ip6: bool) -> tuple[Path, ...]:
        return tuple(sorted(self._item_path(path, table, ip6) for path in info.paths))

    def _item_path(self, path: EnginePath, table: int, ip6: bool) -> Path:
        action = _ACTIONS.get(path.kind, path.kind)
        other = -1 if path.table == OWN_TABLE or (path.next_hop and path.table == table) else path.table
        via = str((IPv6Address if ip6 else IPv4Address)(path.next_hop)) if path.next_hop and not action else ""
        interface = self.name(path.sw_if_index) if path.sw_if_index >= 0 else ""
        return Path(via, interface, -1 if action else other, action, path.weight, path.preference)
