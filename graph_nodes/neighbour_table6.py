"""IPv6 neighbours as the nodes see them: interface and address to MAC and the time it was heard of last.

As for IPv4 (`neighbour_table`): what is known costs a time stamp, news goes to the control side as an event
(`NEIGHBOUR6_LEARNT`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from vectorplane.dataplane.event import post
from vectorplane.dataplane.region import Region
from vectorplane.dataplane.tables.hash_map import HashMap, search_24
from vectorplane.graph_nodes.event_kinds import NEIGHBOUR6_LEARNT
from vectorplane.graph_nodes.fib6 import halves
from vectorplane.graph_nodes.neighbour_table import MAX_NEIGHBOURS, NEIGHBOUR, NEIGHBOUR_SIZE, TABLE
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import rec

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane


@helper
def learn6(worker: int, table: int, sw_if: int, high: int, low: int, mac: int, time: int) -> int:
    """The address on this interface has ``mac`` (its bytes as a little-endian number); 1 when that is news."""
    t = rec(table, TABLE)
    number = search_24(t.map, sw_if, high, low)
    if number == -1:
        if t.full != 0:
            return 0
    else:
        n = rec(t.records + number * NEIGHBOUR_SIZE, NEIGHBOUR)
        if n.mac == mac:
            if time > n.heard:
                n.heard = time
            return 0
        if n.fixed != 0:
            return 0
    return int(post(worker, NEIGHBOUR6_LEARNT, sw_if, time, high, low, mac))


class NeighbourTable6:
    """The table from the control side, by neighbour number; as `neighbour_table.NeighbourTable`."""

    def __init__(self, plane: Dataplane) -> None:
        self._map = HashMap(MAX_NEIGHBOURS, 3, "ip6 neighbours")
        self._region = Region(TABLE.itemsize + MAX_NEIGHBOURS * NEIGHBOUR_SIZE, name="ip6 neighbours")
        self.address = self._region.address
        self._state: Any = self._region.view(TABLE, 0, 1)[0]
        self.records: npt.NDArray[Any] = self._region.view(NEIGHBOUR, TABLE.itemsize, MAX_NEIGHBOURS)
        self._state["map"], self._state["records"] = self._map.address, self.address + TABLE.itemsize
        self._free: list[int] = []
        self._top = 0

    def add(self, sw_if_index: int, ip: int, mac: int, heard: int, fixed: bool) -> int:
        """A new neighbour; gives its number.

        Raises:
            MemoryError: the table is full.
        """
        if not self._free and self._top >= MAX_NEIGHBOURS:
            raise MemoryError(f"more than {MAX_NEIGHBOURS} IPv6 neighbours")
        number = self._free.pop() if self._free else self._top
        self._top = max(self._top, number + 1)
        self.records[number] = (mac, heard, fixed, 0)
        self._map.set((sw_if_index, *halves(ip)), number)
        return number

    def remove(self, sw_if_index: int, ip: int) -> None:
        """Forget a neighbour."""
        number = self._map.delete((sw_if_index, *halves(ip)))
        if number is not None:
            self._free.append(number)

    def set_full(self, full: bool) -> None:
        """While full, nodes do not report neighbours that are not known."""
        self._state["full"] = full

    def close(self) -> None:
        """Give the memory back."""
        self._map.close()
        self._region.close()
