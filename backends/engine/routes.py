"""Routes of an engine: what the configuration, the API and the command line work with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from vectorplane.backends.engine import bulk_routes
from vectorplane.backends.engine.adjacencies import Adjacencies
from vectorplane.backends.engine.attached_imports import AttachedImports
from vectorplane.backends.engine.fib_control import BULK, FibControl
from vectorplane.backends.engine.fib_entries import (
    API,
    CLI,
    DEFAULT,
    DROP_PATHS,
    SOURCE_NAMES,
    SPECIAL,
    Entry,
)
from vectorplane.backends.engine.route_paths import (
    ATTACHED_HOST,
    DROP,
    INTERFACE_RX,
    LOOKUP,
    NORMAL,
    OWN_TABLE,
    SOURCE_LOOKUP,
    Path,
    number,
    prefix_of,
    prefix_text,
)
from vectorplane.graph_nodes.forwarding import Forwarding

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
        self.imports = AttachedImports(self.control, lambda i: int(engine.interfaces.record(i)["ip4_table"]))
        self.control.observers.append(self.imports.entry_changed)
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
        """Make a table for the configuration; gives its FIB index. Does nothing when it is there."""
        self._engine.tables.create(table, name, source=CLI)
        return self.control.fib_index(table)

    def make_table(self, table: int, name: str = "") -> None:
        """Make a table that nobody holds yet (see `Tables`). Does nothing when it is there."""
        if table not in self._fibs.index_by_id:
            self._add_specials(self._fibs.add_table(table, name))

    def remove_table(self, table: int) -> None:
        """Remove a table and its routes, whoever made it.

        Raises:
            KeyError: no such table.
            ValueError: table 0, or an interface or a route of another table uses it.
        """
        self.control.fib_index(table)
        if table == 0:
            raise ValueError("table 0 cannot be removed")
        users = self._engine.tables.users(table)
        if users:
            raise ValueError(f"table {table}: {users}")
        self._engine.tables.destroy(table)

    def set_flow_hash(self, table: int, config: int) -> None:
        """Choose what the flow hash of a table's multipath routes is made of (`HASH_*` bits of forwarding)."""
        fib = self.control.fib_index(table)
        self.control.hash_config[fib] = config
        for path_set in list(self.control.path_sets.by_number.values()):
            if fib in path_set.shared or any(e.fib == fib for e in path_set.entries):
                self.control.rewrite(path_set)

    def set_router_id(self, router_id: int) -> None:
        """Set the number that goes into all flow hashes (0 .. 2**32 - 1)."""
        self._engine.plane.shared(Forwarding).router_id[0] = router_id

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
        named = self._named(paths, table, address, length)
        return self.control.set_source(fib, address, length, source, named).lb

    def add(self, prefix: PrefixLike, paths: Path | Iterable[Path], table: int = 0, source: int = API) -> int:
        """Add paths to a prefix; gives the route's statistics index. Raises as `update`.

        As in VPP one that goes a way that is there already changes nothing, its weight and preference included.
        """
        fib, (address, length) = self.control.fib_index(table), prefix_of(prefix)
        new = self._named(paths, table, address, length)
        entry = self.control.find(fib, address, length)
        if entry is not None and source in entry.sources:
            old = entry.sources[source].paths
            new = old + tuple(p for p in new if not any(p.same_way(o) for o in old))
            new = tuple(sorted(new, key=Path.order))
        return self.control.set_source(fib, address, length, source, new).lb

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
        kept = list(entry.sources[source].paths)
        for gone in kept[:] if paths is None else self._named(paths, table, address, length):
            found = next((p for p in kept if p.same_way(gone)), None)
            if found is not None:
                kept.remove(found)
        if kept:
            self.control.set_source(fib, address, length, source, tuple(kept))
        else:
            self.control.drop_source(entry, source)
        if self._engine.tables.unwanted:
            self._engine.tables.collect()

    def flush(self, table: int, source: int = API) -> None:
        """Remove all routes of a table that come from this source. Raises `KeyError`: no such table."""
        fib = self.control.fib_index(table)
        for prefix, length, value in list(self.control.prefixes.walk(fib)):
            if value & BULK:
                if source == API:
                    self._remove_bulk(fib, prefix, length, value & ~BULK)
                continue
            entry = self.control.entries.get(value)
            if entry is not None and source in entry.sources:
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
        if self.control.stale:
            fib = self.control.fib_index(table)
            size = np.asarray(lengths, np.int64).ravel()
            first = np.asarray(prefixes, np.int64).ravel() & (-1 << (32 - size))
            self.control.stale.get(fib, set()).difference_update(zip(first.tolist(), size.tolist(), strict=True))
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
        """All routes of a table, by prefix and length: those that were there at the first step, as they are now."""
        fib = self.control.fib_index(table)
        entries = self.control.entries
        for prefix, length, value in self.control.prefixes.walk(fib):
            if value & BULK:
                now = self.control.prefixes.get(fib, prefix, length)
                if now is None or (now & BULK == 0 and now not in entries):
                    continue
                value = now
            elif value not in entries:
                continue
            yield self._info(fib, prefix, length, value)

    def count(self, table: int = 0) -> int:
        """Routes in a table, the built-in ones included."""
        return self.control.prefixes.count(self.control.fib_index(table))

    def named(self, paths: Iterable[Path], table: int = 0) -> tuple[Path, ...]:
        """Paths as routes of a table keep them. Raises as `update`."""
        return self._named(paths, table)

    # --- events

    def interface_changed(self, sw_if_index: int) -> None:
        """An interface went up or down, or its MAC, MTU, addresses or output features changed."""
        interfaces = self._engine.interfaces.by_index
        for index in sorted(i for i, x in interfaces.items() if i == sw_if_index or x.sup == sw_if_index):
            self.adjacencies.refresh(index)
            for path_set in self.control.path_sets.of_interface(index):
                self.control.update(path_set)
            self._engine.mroutes.interface_changed(index)
        self._engine.path_mtus.interface_changed()

    def interface_removed(self, sw_if_index: int) -> None:
        """The interface goes: no path over it is usable any more, nor will one be when its number is another's."""
        for path_set in self.control.path_sets.interface_removed(sw_if_index):
            self.control.update(path_set)
        self.adjacencies.interface_removed(sw_if_index)

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

    def _named(self, paths: Path | Iterable[Path], table: int, prefix: int = -1, length: int = -1) -> tuple[Path, ...]:
        """The paths of a route as VPP takes them: tables named, and only where they matter; in VPP's order."""
        made = []
        for path in (paths,) if isinstance(paths, Path) else paths:
            if path.sw_if_index >= 0 and path.sw_if_index not in self._engine.interfaces.by_index:
                raise KeyError(f"no interface {path.sw_if_index}")
            if path.kind == NORMAL:
                path = _fixed(path, prefix, length)
            elif path.kind == INTERFACE_RX and path.sw_if_index < 0:
                raise ValueError("a path of kind interface-rx needs an interface")
            if path.is_recursive or path.kind in (LOOKUP, SOURCE_LOOKUP):
                path = replace(path, table=table) if path.table == OWN_TABLE else path
                self.control.fib_index(path.table)
            elif path.table != OWN_TABLE:
                path = replace(path, table=OWN_TABLE)
            made.append(path)
        if not made:
            raise ValueError("a route needs a path")
        if len(made) > 1:
            made.sort(key=Path.order)
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


def _fixed(path: Path, prefix: int, length: int) -> Path:
    """A normal path as its route (-1: it may be any) makes it."""
    if path.sw_if_index < 0:
        if not path.next_hop:
            # a path that names nothing but a table goes on there; nothing at all is a drop
            return replace(path, kind=DROP if path.table == OWN_TABLE else LOOKUP)
        if path.next_hop == prefix:
            # the route would be resolved through itself
            return Path(kind=DROP, weight=path.weight, preference=path.preference)
    elif length == 32 and not path.next_hop:
        return replace(path, next_hop=prefix, flags=path.flags | ATTACHED_HOST)
    return path
