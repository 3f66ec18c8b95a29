"""Routes between VRFs for dynamic sessions: in which other tables the destinations of a table's packets may lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine.nat44.errors import NoSuchEntry, ValueExists

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.nat44.nat44 import Nat44


class VrfTables:
    """By table id: the ids of the tables that it leads to, in the order in which they came."""

    def __init__(self, engine: Engine, nat: Nat44) -> None:
        self._engine, self._nat = engine, nat
        self.tables: dict[int, list[int]] = {}

    def add_table(self, vrf: int) -> None:
        """Raises `ValueExists`."""
        if vrf in self.tables:
            raise ValueExists(f"VRF table {vrf} is there already")
        self._nat.hold_table(vrf)
        self.tables[vrf] = []
        self._write()

    def delete_table(self, vrf: int) -> None:
        """Raises `NoSuchEntry`."""
        for other in self._of(vrf):
            self._nat.release_table(other)
        del self.tables[vrf]
        self._nat.release_table(vrf)
        self._write()

    def add_route(self, vrf: int, to_vrf: int) -> None:
        """Raises `NoSuchEntry`, `ValueExists`."""
        routes = self._of(vrf)
        if to_vrf in routes:
            raise ValueExists(f"VRF table {vrf} leads to {to_vrf} already")
        self._nat.hold_table(to_vrf)
        routes.append(to_vrf)
        self._write()

    def delete_route(self, vrf: int, to_vrf: int) -> None:
        """Raises `NoSuchEntry`."""
        routes = self._of(vrf)
        if to_vrf not in routes:
            raise NoSuchEntry(f"VRF table {vrf} does not lead to {to_vrf}")
        routes.remove(to_vrf)
        self._nat.release_table(to_vrf)
        self._write()

    def clear(self) -> None:
        """All go."""
        for vrf in list(self.tables):
            self.delete_table(vrf)

    def _of(self, vrf: int) -> list[int]:
        try:
            return self.tables[vrf]
        except KeyError:
            raise NoSuchEntry(f"there is no VRF table {vrf}") from None

    def _write(self) -> None:
        index = self._engine.routes.control.fib_index
        self._nat.tables.set_vrf_tables([(index(vrf), [index(o) for o in to]) for vrf, to in self.tables.items()])
