"""Software interfaces as the nodes see them: one record each, and the table that never moves.

A sub-interface has a record of its own and names its super-interface. Protocols keep one word each here
(`ip4_table`) so that the input nodes need one cache line an interface.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.region import Region
from vectorplane.jit.ops import offsets

INTERFACE = np.dtype(
    [
        ("flags", "i4"),
        ("sup", "i4"),  # sw_if_index of the super-interface (itself, when it is one)
        ("mac", "i8"),  # the six bytes as a little-endian number
        ("ip4_table", "i4"),  # FIB index; see graph_nodes/fib.py
        ("mtu", "i4"),  # largest L3 packet
        ("output_node", "i4"),
        ("device", "i4"),  # index in its device's own table
        ("vlans", "i8"),  # address of int32 [4096], sub-interface by outer VLAN id; 0: none
        ("tag_count", "i4"),  # tags that this sub-interface's packets carry
        ("tags", "i4"),  # outer id | inner id << 16
        ("outer_type", "i4"),  # 0x8100 or 0x88a8
        ("untagged", "i4"),  # sub-interface for untagged frames; -1
        ("default", "i4"),  # sub-interface for what no other takes; -1
        ("ip4_enabled", "i4"),
    ],
    align=True,
)
assert INTERFACE.itemsize == 64

ADMIN_UP, LINK_UP, PROMISCUOUS, L2_MODE, SUB_INTERFACE = 1, 2, 4, 8, 16
EXACT_MATCH = 32
MAX_INTERFACES = 65536
INTERFACE_SIZE = INTERFACE.itemsize
(I_FLAGS, I_MAC, I_IP4_TABLE, I_VLANS) = offsets(INTERFACE, "flags", "mac", "ip4_table", "vlans")


class InterfaceTable:
    """All interfaces of an engine: kernel records, names, and which indices are free."""

    def __init__(self) -> None:
        self._region = Region(MAX_INTERFACES * INTERFACE_SIZE, name="interfaces")
        self.records: npt.NDArray[Any] = self._region.view(INTERFACE, 0, MAX_INTERFACES)
        self.address = self._region.address
        self.names: dict[int, str] = {}
        self.by_name: dict[str, int] = {}

    def add(self, name: str, index: int | None = None) -> int:
        """Take the lowest free sw_if_index for an interface.

        Raises:
            ValueError: the name is taken, or the table is full.
        """
        if name in self.by_name:
            raise ValueError(f"interface {name} exists")
        if index is None:
            index = next(i for i in range(len(self.names) + 1) if i not in self.names)
        if index >= MAX_INTERFACES:
            raise ValueError(f"more than {MAX_INTERFACES} interfaces")
        self.records[index] = np.zeros((), INTERFACE)
        record = self.records[index]
        record["sup"] = index
        record["untagged"] = record["default"] = record["output_node"] = record["device"] = -1
        self.names[index] = name
        self.by_name[name] = index
        return index

    def remove(self, index: int) -> None:
        """Free a sw_if_index."""
        self.records[index] = np.zeros((), INTERFACE)
        del self.by_name[self.names.pop(index)]

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
