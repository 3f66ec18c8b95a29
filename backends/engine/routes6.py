"""IPv6 routes and tables of an engine: what the API, the command line and the configuration work with.

The same calls as for IPv4 (`routes`, `tables`). Packets are not forwarded by them yet: nodes use them to know which
addresses are ours, which are on a link, and where there is no route.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from vectorplane.backends.engine.fib_control6 import FibControl6
from vectorplane.backends.engine.fib_entries import API, CLI, DEFAULT, SOURCE_NAMES, SPECIAL
from vectorplane.backends.engine.fib_entries6 import LINK_LOCAL_PREFIX, Entry6
from vectorplane.backends.engine.route_paths import (
    ATTACHED_HOST,
    DROP,
    INTERFACE_RX,
    LOOKUP,
    NORMAL,
    OWN_TABLE,
    SOURCE_LOOKUP,
    Path,
)
from vectorplane.backends.engine.route_paths6 import Path6, number6, prefix_of6, prefix_text6

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

DROP_PATHS6 = (Path6(kind=DROP),)
Prefix6Like = str | tuple[int, int]


class RouteInfo6(NamedTuple):
    """A route as it is listed; the fields of `vectorplane.backends.engine.routes.RouteInfo`."""

    prefix: int
    length: int
    paths: tuple[Path, ...]
    source: str
    stats_index: int
    installed: bool

    def __str__(self) -> str:
        return prefix_text6(self.prefix, self.length)


class Routes6:
    """Routes of all tables. ``table`` is a table id; prefixes are text or (number, length)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.control: FibControl6 = FibControl6(
            engine.plane, engine.routes.control.load_balances, self._is_up, self._borrows
        )
        self.add_specials(0)

    def _is_up(self, sw_if_index: int) -> bool:
        return self._engine.routes.adjacencies.is_up(sw_if_index)

    def _borrows(self, sw_if_index: int, lender: int) -> bool:
        interface = self._engine.interfaces.by_index.get(sw_if_index)
        return interface is not None and interface.unnumbered is not None and interface.unnumbered == lender

    def add_specials(self, fib: int) -> None:
        """What every table has from the beginning (as VPP's): the default drop, and the way to link-local tables."""
        self.control.set_source(fib, 0, 0, DEFAULT, DROP_PATHS6)
        self.control.set_source(fib, *LINK_LOCAL_PREFIX, SPECIAL, DROP_PATHS6)

    def add_table(self, table: int, name: str = "") -> int:
        """Make a table for the configuration; gives its FIB index. Does nothing when it is there."""
        self._engine.tables6.create(table, name, source=CLI)
        return self.control.fib_index(table)

    def remove_table(self, table: int) -> None:
        """Remove a table and its routes, whoever made it.

        Raises:
            KeyError: no such table.
            ValueError: table 0, or an interface is in it.
        """
        self.control.fib_index(table)
        if table == 0:
            raise ValueError("IPv6 table 0 cannot be removed")
        users = self._engine.tables6.users(table)
        if users:
            raise ValueError(f"IPv6 table {table}: {users}")
        self._engine.tables6.destroy(table)

    def path(self, next_hop: str | int | None = None, interface: str | int | None = None, **options: object) -> Path6:
        """A `Path6` from an address and an interface by name or index; ``options``: its other fields.

        Raises:
            KeyError: no such interface.
            ValueError: a malformed address or option.
        """
        index = -1 if interface is None else self._engine.interfaces[interface].sw_if_index
        return Path6(0 if next_hop is None else number6(next_hop), index, **options)  # type: ignore[arg-type]

    def update(self, prefix: Prefix6Like, paths: Path | Iterable[Path], table: int = 0, source: int = API) -> int:
        """Give a prefix these paths instead of those that it had; gives the route's statistics index.

        Raises:
            KeyError: no such table or interface.
            ValueError: a malformed prefix, or no paths.
            MemoryError: no room for another route.
        """
        fib, (address, length) = self.control.fib_index(table), prefix_of6(prefix)
        return self.control.set_source(fib, address, length, source, self._named(paths, table, address, length)).lb

    def add(self, prefix: Prefix6Like, paths: Path | Iterable[Path], table: int = 0, source: int = API) -> int:
        """Add paths to a prefix; one that goes a way that is there already changes nothing. As `update` otherwise."""
        fib, (address, length) = self.control.fib_index(table), prefix_of6(prefix)
        new = self._named(paths, table, address, length)
        entry = self.control.find(fib, address, length)
        if entry is not None and source in entry.sources:
            old = entry.sources[source]
            new = tuple(sorted(old + tuple(p for p in new if not any(p.same_way(o) for o in old)), key=Path.order))
        return self.control.set_source(fib, address, length, source, new).lb

    def remove(
        self,
        prefix: Prefix6Like,
        table: int = 0,
        paths: Path | Iterable[Path] | None = None,
        source: int = API,
    ) -> None:
        """Remove a route, or some of its paths.

        Raises:
            KeyError: no such table, or the prefix has no such route.
        """
        fib, (address, length) = self.control.fib_index(table), prefix_of6(prefix)
        entry = self.control.find(fib, address, length)
        if entry is None or source not in entry.sources:
            raise KeyError(f"IPv6 table {table}: no route {prefix_text6(address, length)}")
        kept = list(entry.sources[source])
        for gone in kept[:] if paths is None else self._named(paths, table, address, length):
            found = next((p for p in kept if p.same_way(gone)), None)
            if found is not None:
                kept.remove(found)
        if kept:
            self.control.set_source(fib, address, length, source, tuple(kept))
        else:
            self.control.drop_source(entry, source)

    def flush(self, table: int, source: int = API) -> None:
        """Remove all routes of a table that come from this source. Raises `KeyError`: no such table."""
        for entry in list(self.control.entries[self.control.fib_index(table)].values()):
            if source in entry.sources:
                self.control.drop_source(entry, source)

    def lookup(self, address: str | int, table: int = 0) -> RouteInfo6 | None:
        """The route that an address takes."""
        entry = self.control.longest(self.control.fib_index(table), number6(address))
        return None if entry is None else _info(entry)

    def get(self, prefix: Prefix6Like, table: int = 0) -> RouteInfo6 | None:
        """The route of exactly this prefix."""
        entry = self.control.find(self.control.fib_index(table), *prefix_of6(prefix))
        return None if entry is None else _info(entry)

    def dump(self, table: int = 0) -> Iterator[RouteInfo6]:
        """All routes of a table, by prefix and length: those that were there at the first step, as they are now."""
        entries = self.control.entries[self.control.fib_index(table)]
        for key in sorted(entries):
            entry = entries.get(key)
            if entry is not None:
                yield _info(entry)

    def count(self, table: int = 0) -> int:
        """Routes in a table, the built-in ones included."""
        return len(self.control.entries[self.control.fib_index(table)])

    def interface_removed(self, sw_if_index: int) -> None:
        """The interface goes: paths over it lead nowhere any more, nor when its number is another's."""
        for entry, source, paths in self.control.over(sw_if_index):
            gone = (Path6(kind=DROP, weight=p.weight) if p.sw_if_index == sw_if_index else p for p in paths)
            self.control.set_source(entry.fib, entry.prefix, entry.length, source, tuple(gone))

    def _named(self, paths: Path | Iterable[Path], table: int, prefix: int, length: int) -> tuple[Path, ...]:
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
        return tuple(sorted(made, key=Path.order))


def _info(entry: Entry6) -> RouteInfo6:
    name = SOURCE_NAMES[min(entry.sources)]
    return RouteInfo6(entry.prefix, entry.length, entry.paths, name, entry.lb, entry.installed)


def _fixed(path: Path, prefix: int, length: int) -> Path:
    """A normal path as its route makes it."""
    if path.sw_if_index < 0:
        if not path.next_hop:
            return replace(path, kind=DROP if path.table == OWN_TABLE else LOOKUP)
        if path.next_hop == prefix:
            return Path6(kind=DROP, weight=path.weight, preference=path.preference)
    elif length == 128 and not path.next_hop:
        return replace(path, next_hop=prefix, flags=path.flags | ATTACHED_HOST)
    return path
