"""Routes between VRFs for dynamic sessions: in which other tables the destinations of a table's packets may lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine.nat44.errors import NoSuchEntry, ValueExists
from vectorplane.backends.engine.nat44.order import PoolList

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.nat44.nat44 import Nat44


class VrfTables:
    """See the module's docstring. As in VPP they may come and go while NAT is off."""

    def __init__(self, engine: Engine, nat: Nat44) -> None:
        self._engine, self._nat = engine, nat
        self._order: PoolList[int] = PoolList()
        self._routes: dict[int, PoolList[int]] = {}

    @property
    def tables(self) -> dict[int, list[int]]:
        """By table id: the ids of the tables that it leads to, in VPP's order."""
        return {vrf: list(self._routes[vrf]) for vrf in self._order}

    def add_table(self, vrf: int) -> None:
        """Raises `ValueExists`."""
        if vrf in self._routes:
            raise ValueExists(f"VRF table {vrf} is there already")
        self._nat.hold_table(vrf)
        self._order.enter(vrf)
        self._routes[vrf] = PoolList()
        self._write()

    def delete_table(self, vrf: int) -> None:
        """Raises `NoSuchEntry`."""
        routes = self._of(vrf)
        self._order.leave(vrf)
        del self._routes[vrf]
        self._write()
        for held in (*routes, vrf):
            self._nat.release_table(held)

    def add_route(self, vrf: int, to_vrf: int) -> None:
        """Raises `NoSuchEntry`, `ValueExists`; `OverflowError`: there is no room."""
        routes = self._of(vrf)
        if to_vrf in routes:
            raise ValueExists(f"VRF table {vrf} leads to {to_vrf} already")
        self._nat.hold_table(to_vrf)
        routes.enter(to_vrf)
        try:
            self._write()
        except OverflowError:
            routes.leave(to_vrf)
            self._write()
            self._nat.release_table(to_vrf)
            raise

    def delete_route(self, vrf: int, to_vrf: int) -> None:
        """Raises `NoSuchEntry`."""
        routes = self._of(vrf)
        if to_vrf not in routes:
            raise NoSuchEntry(f"VRF table {vrf} does not lead to {to_vrf}")
        routes.leave(to_vrf)
        self._write()
        self._nat.release_table(to_vrf)

    def clear(self) -> None:
        """All go."""
        for vrf in list(self._order):
            self.delete_table(vrf)
        self._order = PoolList()

    def _of(self, vrf: int) -> PoolList[int]:
        try:
            return self._routes[vrf]
        except KeyError:
            raise NoSuchEntry(f"there is no VRF table {vrf}") from None

    def _write(self) -> None:
        index = self._engine.routes.control.fib_index
        tables = [(index(vrf), [index(other) for other in self._routes[vrf]]) for vrf in self._order]
        self._nat.tables.set_vrf_tables(tables)
