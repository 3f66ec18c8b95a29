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
LOOPED = 64
"""Its packets neither come from outside nor leave: it receives what it transmits, or (a tunnel) others carry both."""
CHECKSUM_OFFLOAD = 128
"""The device fills in checksums (buffers with OFFLOAD flags may be handed to it)."""
CUTS_TCP = 256
"""The device takes TCP that is still to be cut into segments (buffers that are `GSO`)."""
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
        self.mtus: dict[int, list[int]] = {}
        """L3, IPv4, IPv6 and MPLS MTU by sw_if_index, where they were told (0: none of its own)."""
        self.changes = 0
        """How often an interface was added, removed or renamed."""
        self._free: list[int] = []
        self._top = 0

    def _next_index(self) -> int:
        """The index that became free last (as VPP's pools do it), or the lowest that was never used."""
        while self._free:
            index = self._free.pop()
            if index not in self.names:
                return index
        while self._top in self.names:
            self._top += 1
        return self._top

    def add(self, name: str, index: int | None = None) -> int:
        """Take a free sw_if_index for an interface: the one that became free last.

        Raises:
            ValueError: the name is taken, or the table is full.
        """
        if name in self.by_name:
            raise ValueError(f"interface {name} exists")
        if index is None:
            index = self._next_index()
        if index >= MAX_INTERFACES:
            raise ValueError(f"more than {MAX_INTERFACES} interfaces")
        self.records[index] = np.zeros((), INTERFACE)
        record = self.records[index]
        record["sup"] = index
        record["untagged"] = record["default"] = record["output_node"] = record["device"] = -1
        self.names[index] = name
        self.by_name[name] = index
        self.changes += 1
        return index

    def remove(self, index: int) -> None:
        """Free a sw_if_index."""
        self.records[index] = np.zeros((), INTERFACE)
        self.records[index]["sup"] = index
        self.mtus.pop(index, None)
        del self.by_name[self.names.pop(index)]
        self._free.append(index)
        self.changes += 1

    def rename(self, index: int, name: str) -> None:
        """Give an interface another name.

        Raises:
            ValueError: the name is taken.
        """
        if self.by_name.get(name, index) != index:
            raise ValueError(f"interface {name} exists")
        del self.by_name[self.names[index]]
        self.names[index] = name
        self.by_name[name] = index
        self.changes += 1

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
