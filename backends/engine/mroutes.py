"""IPv4 multicast routes: tables, entries and their paths, as VPP's mfib has them.

An entry is (source, group) or (any, group/length). Each of its paths is an interface with flags (accept: packets may
come in there; forward: they go out there) or leads to this router itself. Entry flags: see
`vectorplane.graph_nodes.mfib`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vectorplane.backends.engine.adjacencies import Adjacency
from vectorplane.backends.engine.fib_entries import API, DEFAULT
from vectorplane.backends.engine.load_balances import dpo_word
from vectorplane.backends.engine.route_paths import LOCAL, NORMAL, Path
from vectorplane.graph_nodes.forwarding import DPO_ADJACENCY_MULTICAST, DPO_RECEIVE
from vectorplane.graph_nodes.ip4_lookup import RECEIVE
from vectorplane.graph_nodes.ip4_rewrite_mcast import NAME as REWRITE_NODE
from vectorplane.graph_nodes.mfib import ENTRY_ALL_IP4, ENTRY_DROP, ITF_FORWARD, SOURCE_LENGTH, Mfibs

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

ALL_SYSTEMS, ALL_ROUTERS = 0xE0000001, 0xE0000002

Key = tuple[int, int, int]
"""Group, its length (`SOURCE_LENGTH` with a source), source."""


@dataclass
class MRoute:
    """One entry; ``paths``: by what a path is, and its interface flags (`ITF_*`)."""

    table: int
    group: int
    length: int
    source: int
    flags: int
    rpf_id: int
    index: int
    """In the nodes' table and in ``/net/mroute``."""
    special: bool = False
    paths: dict[Path, int] = field(default_factory=dict)
    held: dict[int, Adjacency] = field(default_factory=dict)
    """By interface."""

    @property
    def key(self) -> Key:
        """Its place in its table."""
        return self.group, self.length, self.source


class MRoutes:
    """The multicast tables. ``table`` is a table id; a table goes with the unicast one of the same id."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._mfibs = engine.plane.shared(Mfibs)
        self._tables: dict[int, dict[Key, MRoute]] = {}
        self._locks: dict[int, set[int]] = {}
        self._fibs: dict[int, int] = {}
        self._stale: dict[int, set[Key]] = {}
        self.names: dict[int, str] = {}
        self.add_table(0, source=DEFAULT)

    # --- tables

    def __contains__(self, table: int) -> bool:
        return table in self._tables

    def tables(self) -> list[int]:
        """Ids of the tables, oldest first."""
        return list(self._tables)

    def add_table(self, table: int, name: str = "", source: int = API) -> None:
        """Make the multicast table that goes with a unicast one, which exists, or hold it."""
        self._locks.setdefault(table, set()).add(source)
        if table in self._tables:
            return
        self._tables[table] = {}
        self._fibs[table] = self._engine.routes.control.fib_index(table)
        self.names[table] = name or f"ipv4-VRF:{table}"
        self._new(table, (0, 0, 0), ENTRY_DROP).special = True
        for group in (ALL_SYSTEMS, ALL_ROUTERS):
            route = self._new(table, (group, 32, 0), ENTRY_ALL_IP4)
            route.special = True
            route.paths[Path(kind=LOCAL)] = ITF_FORWARD
            self._write(route)

    def remove_table(self, table: int, source: int = API) -> None:
        """The source wants the table no longer; it goes with the last one, unless an interface is in it."""
        if table not in self._tables:
            return
        self._locks[table].discard(source)
        self.collect()

    def collect(self) -> None:
        """Remove the tables that nobody wants and no interface is in."""
        for table in [t for t, sources in self._locks.items() if not sources]:
            interfaces = self._engine.interfaces
            fib = self._fibs[table]
            if any(int(interfaces.record(i)["ip4_table"]) == fib for i in interfaces.by_index):
                continue
            self.destroy(table)

    def destroy(self, table: int) -> None:
        """Remove a table with all its entries, if it is there."""
        for route in list(self._tables.pop(table, {}).values()):
            self._delete(route)
        for by_table in (self._fibs, self._locks, self.names, self._stale):
            by_table.pop(table, None)  # type: ignore[attr-defined]

    # --- entries

    def get(self, table: int, group: int, length: int, source: int = 0) -> MRoute | None:
        """The entry of exactly this group (and source). Raises `KeyError`: no such table."""
        return self._tables[table].get(_key(group, length, source))

    def dump(self, table: int) -> list[MRoute]:
        """All entries of a table, by group, length and source. Raises `KeyError`: no such table."""
        return sorted(self._tables[table].values(), key=lambda r: r.key)

    def update(self, table: int, group: int, length: int, source: int, flags: int, rpf_id: int) -> MRoute | None:
        """Give an entry flags and an RPF id; made when it is missing, and gone when that leaves nothing of it.

        Raises:
            KeyError: no such table.
            ValueError: a length that is none.
        """
        key = _key(group, length, source)
        route = self._tables[table].get(key)
        if route is None:
            if not flags and not rpf_id:
                return None
            route = self._new(table, key, flags)
        self._touch(route)
        route.flags, route.rpf_id = flags, rpf_id
        return self._settle(route)

    def add(
        self, table: int, group: int, length: int, source: int, paths: Iterable[tuple[Path, int]], flags: int = 0
    ) -> MRoute:
        """Add paths, with their interface flags, or change the flags of those that are there.

        ``flags``: the entry's, when it is new. Raises as `update`, and `KeyError` for an interface.
        """
        key = _key(group, length, source)
        made = [(_named(p), itf) for p, itf in paths]
        for path, _ in made:
            if path.sw_if_index >= 0:
                self._engine.interfaces[path.sw_if_index]
        route = self._tables[table].get(key)
        if route is None:
            route = self._new(table, key, flags)
        self._touch(route)
        route.paths.update(made)
        self._write(route)
        return route

    def remove(self, table: int, group: int, length: int, source: int, paths: Iterable[tuple[Path, int]]) -> None:
        """Remove paths; an entry without paths and flags goes. What is not there is passed over. Raises as `update`."""
        route = self._tables[table].get(_key(group, length, source))
        if route is not None:
            for path, _ in paths:
                route.paths.pop(_named(path), None)
            self._settle(route)

    def flush(self, table: int) -> None:
        """Remove all entries but those that each table has from the beginning. Raises `KeyError`."""
        for route in list(self._tables[table].values()):
            if not route.special:
                self._delete(route)

    def mark(self, table: int) -> None:
        """Begin a replacement of all entries of a table. Raises `KeyError`."""
        self._stale[table] = {k for k, r in self._tables[table].items() if not r.special}

    def sweep(self, table: int) -> None:
        """End it: remove the entries that nobody has touched since. Raises `KeyError`."""
        for key in sorted(self._stale.pop(table, ())):
            route = self._tables[table].get(key)
            if route is not None:
                self._delete(route)

    def interface_changed(self, sw_if_index: int) -> None:
        """An interface went up or down."""
        for routes in self._tables.values():
            for route in routes.values():
                if sw_if_index in route.held:
                    self._write(route)

    def interface_removed(self, sw_if_index: int) -> None:
        """The interface is about to go: paths over it are gone."""
        for routes in list(self._tables.values()):
            for route in list(routes.values()):
                gone = [p for p in route.paths if p.sw_if_index == sw_if_index]
                for path in gone:
                    del route.paths[path]
                if gone:
                    self._settle(route)

    # --- inner works

    def _new(self, table: int, key: Key, flags: int) -> MRoute:
        group, length, source = key
        index = self._mfibs.add(self._fibs[table], length, group, source)
        route = self._tables[table][key] = MRoute(table, group, length, source, flags, 0, index)
        self._mfibs.entries[index]["flags"] = flags
        return route

    def _touch(self, route: MRoute) -> None:
        if route.table in self._stale:
            self._stale[route.table].discard(route.key)

    def _settle(self, route: MRoute) -> MRoute | None:
        if not route.paths and not route.flags and not route.rpf_id and not route.special:
            self._delete(route)
            return None
        self._write(route)
        return route

    def _delete(self, route: MRoute) -> None:
        self._tables.get(route.table, {}).pop(route.key, None)
        self._mfibs.remove(route.index, self._fibs[route.table], route.length, route.group, route.source)
        for adjacency in route.held.values():
            self._engine.routes.adjacencies.release(adjacency)

    def _write(self, route: MRoute) -> None:
        adjacencies, old = self._engine.routes.adjacencies, route.held
        route.held = {}
        flags: dict[int, int] = {}
        replicas = []
        for path, itf in route.paths.items():
            if path.sw_if_index >= 0:
                flags[path.sw_if_index] = flags.get(path.sw_if_index, 0) | itf
            if not itf & ITF_FORWARD:
                continue
            if path.kind == LOCAL:
                replicas.append(dpo_word(RECEIVE, DPO_RECEIVE, path.sw_if_index))
            elif path.sw_if_index not in route.held:
                adjacency = route.held[path.sw_if_index] = adjacencies.multicast(path.sw_if_index)
                if adjacencies.is_up(path.sw_if_index):
                    replicas.append(dpo_word(self._slot(), DPO_ADJACENCY_MULTICAST, adjacency.index))
        record = self._mfibs.entries[route.index]
        record["flags"], record["rpf_id"] = route.flags, route.rpf_id
        self._mfibs.set(route.index, "interfaces", [itf << 32 | i for i, itf in flags.items()])
        self._mfibs.set(route.index, "replicas", replicas)
        for adjacency in old.values():
            adjacencies.release(adjacency)

    def _slot(self) -> int:
        graph = self._engine.plane.graph
        slot = graph.add_next(graph.add("ip4-lookup"), REWRITE_NODE)
        frag = graph.add("ip4-frag")
        frag.data["multicast"] = graph.add_next(frag, REWRITE_NODE)
        return slot


def _key(group: int, length: int, source: int) -> Key:
    if source:
        return group, SOURCE_LENGTH, source
    if length == SOURCE_LENGTH:
        length = 32
    if not 0 <= length <= 32:
        raise ValueError(f"a multicast group has a length of 0 to 32, not {length}")
    return group & (-1 << (32 - length)) & 0xFFFFFFFF, length, 0


def _named(path: Path) -> Path:
    """What tells one path of an entry from another."""
    if path.kind not in (NORMAL, LOCAL) or (path.kind == NORMAL and path.sw_if_index < 0):
        raise ValueError("a path of a multicast route leads to an interface or to this router")
    return Path(path.next_hop, path.sw_if_index, kind=path.kind)
