"""IPv6 tables (VRFs) as VPP keeps them: held by who asked for them, gone when nobody holds them any more.

The same calls as for IPv4 (`tables`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine.fib_control6 import FibControl6
from vectorplane.backends.engine.fib_entries import API, DEFAULT
from vectorplane.backends.engine.route_paths import LOOKUP, SOURCE_LOOKUP
from vectorplane.backends.engine.tables import ALLOCATED_STEP

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


class Tables6:
    """The tables; routes are `Routes6`'s."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._control: FibControl6 = engine.routes6.control
        self._locks: dict[int, set[int]] = {0: {DEFAULT}}
        """By table id: the sources that want it."""
        self._allocated = 0

    def __contains__(self, table: int) -> bool:
        return table in self._control.index_by_id

    def ids(self) -> list[int]:
        """Table ids, in the order in which VPP lists them: by FIB index."""
        by_id = self._control.index_by_id
        return sorted(by_id, key=by_id.__getitem__)

    def name(self, table: int) -> str:
        """Its name. Raises `KeyError`."""
        return self._control.names[table]

    def create(self, table: int, name: str = "", *, multicast: bool = True, source: int = API) -> None:
        """Make a table, or hold one that is there. (``multicast`` is for IPv4: there are no IPv6 multicast routes yet.)

        Raises:
            OverflowError: no room.
        """
        if table == 0:
            return
        if table not in self:
            self._engine.routes6.add_specials(self._control.make_fib(table, name))
        self._locks.setdefault(table, set()).add(source)

    def delete(self, table: int, source: int = API) -> None:
        """The source wants it no longer; it goes when nobody else does. Unknown tables and table 0: nothing happens."""
        if table in self and table != 0:
            self._locks[table].discard(source)
            self.collect()

    def unused_id(self) -> int:
        """An id that no table has.

        Raises:
            OverflowError: there is none.
        """
        for _ in range(1 << 20):
            self._allocated = (self._allocated + ALLOCATED_STEP) & 0xFFFFFFFF
            if self._allocated not in (0, 0xFFFFFFFF) and self._allocated not in self:
                return self._allocated
        raise OverflowError("no table id is free")

    def users(self, table: int) -> str:
        """Who but its creators holds the table: "" or what a message can say. Raises `KeyError`."""
        fib = self._control.fib_index(table)
        for interface in self._engine.interfaces.by_index.values():
            if self._engine.addresses6.fib_of(interface.sw_if_index) == fib:
                return f"interface {interface.name} is in it"
        for other, entries in self._control.entries.items():
            if other == fib:
                continue
            for entry in entries.values():
                for paths in entry.sources.values():
                    if any(p.table == table and (p.is_recursive or p.kind in (LOOKUP, SOURCE_LOOKUP)) for p in paths):
                        return "routes of other tables lead to it"
        return ""

    def collect(self) -> None:
        """Remove tables that nobody wants or uses."""
        for table in [t for t, sources in self._locks.items() if not sources]:
            if not self.users(table):
                self.destroy(table)

    def destroy(self, table: int) -> None:
        """Remove a table, with its routes. Raises `KeyError`."""
        self._control.drop_fib(table)
        self._locks.pop(table, None)

    def mark(self, table: int) -> None:
        """Begin a replacement: routes from the API that are not entered again before `sweep` are stale.

        Raises:
            KeyError: no such table.
        """
        fib = self._control.fib_index(table)
        self._control.stale[fib] = {k for k, e in self._control.entries[fib].items() if API in e.sources}

    def sweep(self, table: int) -> None:
        """End a replacement: remove what is stale. Raises as `mark`."""
        fib = self._control.fib_index(table)
        for key in sorted(self._control.stale.pop(fib, ())):
            entry = self._control.find(fib, *key)
            if entry is not None and API in entry.sources:
                self._control.drop_source(entry, API)
