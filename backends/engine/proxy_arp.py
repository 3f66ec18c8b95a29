"""Proxy ARP: ranges of addresses that are answered for, on the interfaces where it is switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.engine.route_paths import number
from vectorplane.graph_nodes.arp_proxy import ProxyRanges

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


class ProxyArp:
    """The proxy ARP of an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._table = engine.plane.shared(ProxyRanges)
        self.ranges: list[tuple[int, int, int]] = []
        """(FIB index, lowest, highest address)."""
        self.interfaces: set[int] = set()

    def add(self, low: str | int, high: str | int, table: int = 0) -> None:
        """Answer for a range of addresses, ends included. Raises `KeyError` (no such table), `ValueError`."""
        made = (self._engine.routes.control.fib_index(table), number(low), number(high))
        if made not in self.ranges:
            self._table.write([*self.ranges, made])
            self.ranges.append(made)

    def remove(self, low: str | int, high: str | int, table: int = 0) -> None:
        """No longer answer for a range. Raises `KeyError` when there is no such range."""
        gone = (self._engine.routes.control.fib_index(table), number(low), number(high))
        if gone not in self.ranges:
            raise KeyError(f"no proxy ARP range {low} - {high} in table {table}")
        self.ranges.remove(gone)
        self._table.write(self.ranges)

    def enable(self, sw_if_index: int, on: bool = True) -> None:
        """Switch it on or off on an interface."""
        if on != (sw_if_index in self.interfaces):
            self._engine.plane.arcs["arp"].enable(sw_if_index, "arp-proxy", on)
            (self.interfaces.add if on else self.interfaces.discard)(sw_if_index)
