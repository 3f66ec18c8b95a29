"""The IPv4 FIBs of an engine: table ids, the mtries that lookups read, and the store of prefixes.

A FIB (VRF) has a number of its own, its index; table 0 is FIB 0 and always there. An entry's value is a
load-balance index (`vectorplane.graph_nodes.forwarding`). Routes, their paths and sources are the control
side's business (`vectorplane.backends.engine.routes`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.dataplane.tables.mtrie import Mtrie

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

MAX_FIBS = 1024


class Fibs:
    """Table id to FIB index, and the memory behind the indices."""

    def __init__(self, plane: Dataplane) -> None:
        self.mtrie = Mtrie(plane.epochs, fibs=MAX_FIBS)
        self.roots_address = self.mtrie.roots
        self.plies_address = self.mtrie.plies
        self.index_by_id: dict[int, int] = {0: 0}
        self.names: dict[int, str] = {0: "ipv4-VRF:0"}
        self._free: list[int] = []
        self._top = 1

    def add_table(self, table_id: int, name: str = "") -> int:
        """FIB index of a table; a new one when the id is new.

        Raises:
            OverflowError: all FIBs are in use.
        """
        if table_id in self.index_by_id:
            return self.index_by_id[table_id]
        if self._free:
            index = self._free.pop()
        else:
            index = self._top
            if index >= MAX_FIBS:
                raise OverflowError(f"table {table_id}: all {MAX_FIBS} FIBs are in use")
            self._top += 1
        self.index_by_id[table_id] = index
        self.names[table_id] = name or f"ipv4-VRF:{table_id}"
        return index

    def remove_table(self, table_id: int) -> None:
        """Forget a table that holds no routes any more.

        Raises:
            ValueError: table 0 stays.
            KeyError: no such table.
        """
        if table_id == 0:
            raise ValueError("table 0 cannot be removed")
        index = self.index_by_id.pop(table_id)
        self.names.pop(table_id, None)
        self.mtrie.clear(index)
        self._free.append(index)

    def id_of(self, index: int) -> int:
        """Table id of a FIB index."""
        return next(t for t, i in self.index_by_id.items() if i == index)

    def close(self) -> None:
        """Give the memory back."""
        self.mtrie.close()
