"""Routes of an engine: what the configuration, the API and the command line work with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy.typing as npt

from vectorplane.backends.engine import bulk_routes
from vectorplane.backends.engine.adjacencies import Adjacencies
from vectorplane.backends.engine.fib_control import BULK, FibControl
from vectorplane.backends.engine.fib_entries import (
    API,
    DEFAULT,
    DROP_PATHS,
    SOURCE_NAMES,
    SPECIAL,
    Entry,
)
from vectorplane.backends.engine.route_paths import LOOKUP, NORMAL, OWN_TABLE, Path, number, prefix_of, prefix_text

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

_SPECIALS = (
    (0x00000000, 0, DEFAULT),
    (0x00000000, 32, DEFAULT),
    (0xF0000000, 4, SPECIAL),
    (0xE0000000, 4, SPECIAL),
    (0xFFFFFFFF, 32, DEFAULT),
)
"""What every table drops from the beginning (as VPP's)."""

PrefixLike = str | tuple[int, int]


class RouteInfo(NamedTuple):
    """A route as it is listed."""

    prefix: int
    length: int
    paths: tuple[Path, ...]
    """Of the source that decides."""
    source: str
    stats_index: int
    """Its load-balance: index in ``/net/route/to``."""
    installed: bool

    def __str__(self) -> str:
        return prefix_text(self.prefix, self.length)


class Routes:
    """Routes of all tables. ``table`` is a table id; prefixes are text or (number, length)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.control = FibControl(engine.plane, self._make_adjacencies, self._borrows)
        self._fibs = self.control.fibs
        self._add_specials(0)

    @property
    def adjacencies(self) -> Adjacencies:
        """The engine's adjacencies."""
        return self.control.adjacencies

    def _make_adjacencies(self, load_balances: object) -> Adjacencies:
        engine = self._engine
        return Adjacencies(
            engine,
            load_balances,  # type: ignore[arg-type]
            lambda sw_if_index, address: engine.neighbours.mac_of(sw_if_index, address),
            lambda sw_if_index, address: engine.addresses.source_for(sw_if_index, address),
            lambda adjacency: engine.neighbours.wanted(adjacency.sw_if_index, adjacency.key),
        )

    def _borrows(self, sw_if_index: int, lender: int) -> bool:
        interface = self._engine.interfaces.by_index.get(sw_if_index)
        return interface is not None and interface.unnumbered is not None and interface.unnumbered == lender

    # --- tables

    def add_table(self, table: int, name: str = "") -> int:
        """Make a table; gives its FIB index. Does nothing when it is there."""
        known = table in self._fibs.index_by_id
        fib = self._fibs.add_table(table, name)
        if not known:
            self._add_specials(fib)
        return fib

    def remove_table(self, table: int) -> None:
        """Remove a table and its routes.

        Raises:
            KeyError: no such table.
            ValueError: table 0, or an interface or a route of another table uses it.
        """
        fib = self.control.fib_index(table)
        if table == 0:
            raise ValueError("table 0 cannot be removed")
        for interface in self._engine.interfaces.by_index.values():
            if int(self._engine.interfaces.record(interface.sw_if_index)["ip4_table"]) == fib:
                raise ValueError(f"table {table}: interface {interface.name} is in it")
        for route in list(self.dump(table)):
            entry = self.control.find(fib, route.prefix, route.length)
            for source in [] if entry is None else [s for s in entry.sources if s in (API, SPECIAL, DEFAULT)]:
                self.control.drop_source(entry, source)  # type: ignore[arg-type]
        if any(e.fib == fib for e in self.control.entries.values()):
            self._add_specials(fib)
            raise ValueError(f"table {table}: routes of other tables are resolved in it")
        self._fibs.remove_table(table)

    def set_flow_hash(self, table: int, config: int) -> None:
        """Choose what the flow hash of a table's multipath routes is made of (`HASH_*` bits of forwarding)."""
        fib = self.control.fib_index(table)
        self.control.hash_config[fib] = config
        for path_set in list(self.control.path_sets.by_number.values()):
            if fib in path_set.shared or any(e.fib == fib for e in path_set.entries):
                self.control.rewrite(path_set)

    # --- routes

    def path(self, next_hop: str | int | None = None, interface: str | int | None = None, **options: object) -> Path:
        """A `Path` from an address and an interface by name or index; ``options``: its other fields.

        Raises:
            KeyError: no such interface.
            ValueError: a malformed address or option.
        """
        index = -1 if interface is None else self._engine.interfaces[interface].sw_if_index
        hop = 0 if next_hop is None else number(next_hop)
        return Path(hop, index, **options)  # type: ignore[arg-type]

    def update(self, prefix: PrefixLike, paths: Path | Iterable[Path], table: int = 0, source: int = API) -> int:
        """Give a prefix these paths instead of those that it had; gives the route's statistics index.

        Raises:
            KeyError: no such table or interface.
            ValueError: a malformed prefix, or no paths.
        """
        fib = self.control.fib_index(table)
        address, length = prefix_of(prefix)
        entry = self.control.set_source(fib, address, length, source, self._named(paths, table))
        return entry.lb

    def add(self, prefix: PrefixLike, paths: Path | Iterable[Path], table: int = 0, source: int = API) -> int:
        """Add paths to a prefix; one that goes a way that is there already replaces it. Raises as `update`."""
        entry = self.control.find(self.control.fib_index(table), *prefix_of(prefix))
        new = self._named(paths, table)
        old = entry.sources[source].paths if entry is not None and source in entry.sources else ()
        kept = tuple(p for p in old if not any(p.same_way(n) for n in new))
        return self.update(prefix, kept + new, table, source)

    def remove(
        self,
        prefix: PrefixLike,
        table: int = 0,
        paths: Path | Iterable[Path] | None = None,
        source: int = API,
    ) -> None:
        """Remove a route, or some of its paths. Its packets fall to the route that covers it.

        Raises:
            KeyError: no such table, or the prefix has no such route.
        """
        fib = self.control.fib_index(table)
        address, length = prefix_of(prefix)
        value = self.control.prefixes.get(fib, address, length)
        if value is not None and value & BULK and paths is None and source == API:
            self._remove_bulk(fib, address, length, value & ~BULK)
            return
        entry = self.control.find(fib, address, length)
        if entry is None or source not in entry.sources:
            raise KeyError(f"table {table}: no route {prefix_text(address, length)}")
        gone = () if paths is None else self._named(paths, table)
        kept = tuple(p for p in entry.sources[source].paths if not any(p.same_way(g) for g in gone)) if gone else ()
        if kept:
            self.control.set_source(fib, address, length, source, kept)
        else:
            self.control.drop_source(entry, source)

    def load(
        self,
        prefixes: npt.ArrayLike,
        lengths: npt.ArrayLike,
        paths: Sequence[Path | Iterable[Path]],
        which: npt.ArrayLike | None = None,
        table: int = 0,
    ) -> int:
        """Enter many routes at once; see `vectorplane.backends.engine.bulk_routes.load`."""
        named = [self._named(p, table) for p in paths]
        return bulk_routes.load(self.control, self.control.fib_index(table), prefixes, lengths, named, which)

    def lookup(self, address: str | int, table: int = 0) -> RouteInfo | None:
        """The route that an address takes."""
        fib, ip = self.control.fib_index(table), number(address)
        found = self.control.prefixes.longest(fib, ip)
        while found is not None:
            info = self._info(fib, found.prefix, found.length, found.value)
            if info.installed:
                return info
            found = self.control.prefixes.covering(fib, found.prefix, found.length)
        return None

    def get(self, prefix: PrefixLike, table: int = 0) -> RouteInfo | None:
        """The route of exactly this prefix."""
        fib, (address, length) = self.control.fib_index(table), prefix_of(prefix)
        value = self.control.prefixes.get(fib, address, length)
        return None if value is None else self._info(fib, address, length, value)

    def dump(self, table: int = 0) -> Iterator[RouteInfo]:
        """All routes of a table, by prefix and length."""
        fib = self.control.fib_index(table)
        for row in self.control.prefixes.dump(fib):
            yield self._info(fib, int(row["prefix"]), int(row["length"]), int(row["value"]))

    def count(self, table: int = 0) -> int:
        """Routes in a table, the built-in ones included."""
        return self.control.prefixes.count(self.control.fib_index(table))

    # --- events

    def interface_changed(self, sw_if_index: int) -> None:
        """An interface went up or down, or its MAC, MTU, addresses or output features changed."""
        interfaces = self._engine.interfaces.by_index
        for index in sorted(i for i, x in interfaces.items() if i == sw_if_index or x.sup == sw_if_index):
            self.adjacencies.refresh(index)
            for path_set in self.control.path_sets.of_interface(index):
                self.control.update(path_set)

    def features_changed(self, sw_if_index: int) -> None:
        """Features of the arc ip4-output were switched on or off on the interface."""
        self.adjacencies.refresh(sw_if_index)

    def close(self) -> None:
        """Give the memory back."""
        self.control.close()

    # --- inner works

    def _add_specials(self, fib: int) -> None:
        for prefix, length, source in _SPECIALS:
            self.control.set_source(fib, prefix, length, source, DROP_PATHS)

    def _named(self, paths: Path | Iterable[Path], table: int) -> tuple[Path, ...]:
        """The paths with their tables named, and only where they matter."""
        made = []
        for path in (paths,) if isinstance(paths, Path) else paths:
            if path.sw_if_index >= 0 and path.sw_if_index not in self._engine.interfaces.by_index:
                raise KeyError(f"no interface {path.sw_if_index}")
            if path.kind == NORMAL and path.sw_if_index < 0 and not path.next_hop:
                # VPP: a path that names nothing but a table goes on there; nothing at all is a drop
                path = replace(path, kind="drop" if path.table == OWN_TABLE else LOOKUP)
            if path.is_recursive or path.kind == LOOKUP:
                path = replace(path, table=table) if path.table == OWN_TABLE else path
                self.control.fib_index(path.table)
            elif path.table != OWN_TABLE:
                path = replace(path, table=OWN_TABLE)
            made.append(path)
        if not made:
            raise ValueError("a route needs a path")
        return tuple(made)

    def _remove_bulk(self, fib: int, prefix: int, length: int, set_number: int) -> None:
        control = self.control
        lb, cover = control.covering(fib, prefix, length)
        control.fibs.mtrie.remove(fib, prefix, length, lb, cover)
        control.prefixes.delete(fib, prefix, length)
        control.bulk_gone(control.path_sets.by_number[set_number], fib, 1)
        if length < 32:
            control.cover_changed(fib, prefix, length)

    def _info(self, fib: int, prefix: int, length: int, value: int) -> RouteInfo:
        if value & BULK:
            path_set = self.control.path_sets.by_number[value & ~BULK]
            return RouteInfo(prefix, length, path_set.paths, SOURCE_NAMES[API], path_set.shared[fib], True)
        entry: Entry = self.control.entries[value]
        source = min(entry.sources)
        paths = entry.path_set.paths if entry.path_set is not None else entry.sources[source].paths
        return RouteInfo(prefix, length, paths, SOURCE_NAMES[source], entry.lb, entry.installed)
