"""IPv4 tables (VRFs) as VPP keeps them: locked by who asked for them, gone when nobody holds them any more.

The API, the command line and the configuration each hold one lock, however often they asked; so do interfaces that are
in the table and routes of other tables that lead to it. A table that its creator gave up stays, with its routes,
until the others let go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vectorplane.backends.engine.fib_control import BULK
from vectorplane.backends.engine.fib_entries import API, CLI, DEFAULT, IMPORT, SPECIAL

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

ALLOCATED_STEP = 0x9E3779B1
"""Ids that the router chooses itself are multiples of this, modulo 2**32."""


class Tables:
    """The unicast tables; the multicast ones are `Engine.mroutes`'s."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._locks: dict[int, set[int]] = {0: {DEFAULT}}
        """By table id: the sources that want it."""
        self._users: dict[tuple[int, int], int] = {}
        """By table id and source: how often it holds the table."""
        self._allocated = 0
        self.unwanted: list[int] = []
        """Tables that stay only as long as somebody uses them."""
        self.on_removal: list[Callable[[int], None]] = []
        """Called with a FIB index before a table goes, and when the API or the command line wants it no longer."""

    def __contains__(self, table: int) -> bool:
        return table in self._engine.routes.control.fibs.index_by_id

    def ids(self) -> list[int]:
        """Table ids, in the order in which VPP lists them: by FIB index."""
        by_id = self._engine.routes.control.fibs.index_by_id
        return sorted(by_id, key=by_id.__getitem__)

    def name(self, table: int) -> str:
        """Its name. Raises `KeyError`."""
        return self._engine.routes.control.fibs.names[table]

    def holders(self, table: int) -> list[int]:
        """The sources that want it (`vectorplane.backends.engine.fib_entries`), by priority."""
        return sorted(self._locks.get(table, ()))

    def create(self, table: int, name: str = "", *, multicast: bool = True, source: int = API) -> None:
        """Make a table, or hold one that is there.

        Raises:
            OverflowError: no room.
        """
        if table == 0:
            return
        self._engine.routes.make_table(table, name)
        self._locks.setdefault(table, set()).add(source)
        self._note_unwanted()
        if multicast:
            self._engine.mroutes.add_table(table, name, source)

    def delete(self, table: int, source: int = API) -> None:
        """The source wants it no longer; it goes when nobody else does. Unknown tables and table 0: nothing happens."""
        if table == 0:
            return
        if table in self:
            if source in (API, CLI):
                self._tell_removal(table)
            self._locks[table].discard(source)
            self._note_unwanted()
            self.collect()
        self._engine.mroutes.remove_table(table, source)

    def _tell_removal(self, table: int) -> None:
        for tell in self.on_removal:
            tell(self._engine.routes.control.fib_index(table))

    def hold(self, table: int, source: int) -> None:
        """One user more of a source that has many; the table is made if need be. Raises `OverflowError`."""
        key = (table, source)
        if key not in self._users:
            self.create(table, multicast=False, source=source)
        self._users[key] = self._users.get(key, 0) + 1

    def release(self, table: int, source: int) -> None:
        """One user less."""
        key = (table, source)
        self._users[key] = self._users.get(key, 0) - 1
        if self._users[key] <= 0:
            del self._users[key]
            self.delete(table, source)

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
        engine, control = self._engine, self._engine.routes.control
        fib = control.fib_index(table)
        for interface in engine.interfaces.by_index.values():
            if int(engine.interfaces.record(interface.sw_if_index)["ip4_table"]) == fib:
                return f"interface {interface.name} is in it"
        for path_set in control.path_sets.by_number.values():
            if not any(p.table == table for p in path_set.paths):
                continue
            if any(e.fib != fib for e in path_set.entries) or any(f != fib for f in path_set.shared):
                return "routes of other tables are resolved in it"
        if engine.underlay.uses(table):
            return "tunnels lead through it"
        return engine.path_mtus.user_of(table)

    def collect(self) -> None:
        """Remove tables that nobody wants or uses; call when an interface or a route has left a table."""
        for table in self.unwanted:
            if not self.users(table):
                self.destroy(table)

    def _note_unwanted(self) -> None:
        self.unwanted = [t for t, sources in self._locks.items() if not sources]

    def destroy(self, table: int) -> None:
        """Remove a table, with its routes. Raises `KeyError`."""
        routes, control = self._engine.routes, self._engine.routes.control
        fib = control.fib_index(table)
        self._tell_removal(table)
        control.stale.pop(fib, None)
        self._engine.mroutes.destroy(table)
        for source in (API, CLI, IMPORT, SPECIAL, DEFAULT):
            routes.flush(table, source)
        for _, _, value in list(control.prefixes.walk(fib)):
            entry = control.entries.get(value)
            for source in [] if entry is None else list(entry.sources):
                control.drop_source(entry, source)  # type: ignore[arg-type]
        control.fibs.remove_table(table)
        control.hash_config.pop(fib, None)
        self._locks.pop(table, None)
        self._note_unwanted()

    # --- replacing all routes of a table

    def mark(self, table: int) -> None:
        """Begin a replacement: routes from the API that are not entered again before `sweep` are stale.

        Raises:
            KeyError: no such table.
        """
        control = self._engine.routes.control
        fib = control.fib_index(table)
        control.stale[fib] = {
            (prefix, length)
            for prefix, length, value in control.prefixes.walk(fib)
            if value & BULK or API in control.entries[value].sources
        }

    def sweep(self, table: int) -> None:
        """End a replacement: remove what is stale. Raises as `mark`."""
        control = self._engine.routes.control
        fib = control.fib_index(table)
        for prefix, length in sorted(control.stale.pop(fib, ())):
            value = control.prefixes.get(fib, prefix, length)
            entry = None if value is None else control.entries.get(value)
            if value is not None and (value & BULK or (entry is not None and API in entry.sources)):
                self._engine.routes.remove((prefix, length), table)
