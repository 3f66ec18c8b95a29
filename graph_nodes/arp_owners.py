"""Which interface owns or connects an IPv4 address: what arp-reply asks the FIB.

VPP's ARP looks at the flags of FIB entries (local, attached, connected, from a neighbour), which load-balances do
not carry. The few entries that have such flags are kept here, by FIB, length and prefix, with what ARP needs to
know of them. The longest of them that holds an address is found by trying the lengths that are in use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.region import Region
from vectorplane.dataplane.tables.hash_map import HashMap, search_8
from vectorplane.dataplane.tables.mtrie import first_slot, lookup, root_of
from vectorplane.dataplane.tables.mtrie_update import ROOT_SLOTS
from vectorplane.graph_nodes.fib import MAX_FIBS, Fibs
from vectorplane.graph_nodes.forwarding import (
    ADJ_SIZE,
    ADJACENCY,
    DPO,
    DPO_ADJACENCY,
    DPO_ADJACENCY_INCOMPLETE,
    DPO_GLEAN,
    DPO_LOAD_BALANCE,
    DPO_RECEIVE,
    DPO_SIZE,
    LB_SIZE,
    LOAD_BALANCE,
    Forwarding,
)
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ctz, ld8, ld32s, ld64, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

CAPACITY = 1 << 17
"""Most entries: connected prefixes, own addresses and neighbours of all interfaces."""

# what is known of an entry
IS_ATTACHED, SOURCE_IS_LOCAL, IS_NEIGHBOUR, IS_CONNECTED, TARGET_IS_LOCAL = 1, 2, 4, 8, 16
ANY_INTERFACE, INTERFACE_OF, LENGTH_OF = 8, 24, 40
"""Where in an entry's word: the interface that any of its sources resolves to, that of its best source, its length."""
NO_INTERFACE = 0xFFFF
_MAX_DEPTH = 16
"""Routes resolved through routes: how far they are followed."""

OWNERS = np.dtype(
    [
        ("map", "i8"),
        ("lengths", "i8"),  # int64 a FIB: bit 32 - L set when prefixes of length L are there
        ("roots", "i8"),
        ("root_lengths", "i8"),
        ("plies", "i8"),
        ("ply_lengths", "i8"),
        ("lbs", "i8"),
        ("buckets", "i8"),
        ("adjacencies", "i8"),
        ("pad", "i8", (7,)),
    ]
)


@helper
def owner_of(owners: int, fib: int, address: int) -> int:
    """The longest entry that holds the address (a number); -1 when none does."""
    o = rec(owners, OWNERS)
    left = ld64(o.lengths + 8 * fib)
    while left != 0:
        short = ctz(left)
        left &= left - 1
        found = search_8(o.map, (((fib << 6) | (32 - short)) << 32) | ((address >> short) << short))
        if found != -1:
            return int(found)
    return -1


@helper
def route_length(owners: int, fib: int, address: int) -> int:
    """The length of the route that the address takes in the FIB; 0 when it has none."""
    o = rec(owners, OWNERS)
    at = first_slot(root_of(o.roots, fib), address)
    leaf = ld32s(at)
    if leaf >= 0:
        return int(ld8(o.root_lengths + fib * ROOT_SLOTS + ((address >> 16) & 0xFFFF)))
    slot = (~leaf << 8) + ((address >> 8) & 255)
    leaf = ld32s(o.plies + 4 * slot)
    if leaf < 0:
        slot = (~leaf << 8) + (address & 255)
    return int(ld8(o.ply_lengths + slot))


@helper
def route_interface(owners: int, fib: int, address: int) -> int:
    """The interface that the route of an address leads to (its first path); `NO_INTERFACE` when to none."""
    o = rec(owners, OWNERS)
    index = lookup(root_of(o.roots, fib), o.plies, address)
    for _ in range(_MAX_DEPTH):
        lb = rec(o.lbs + index * LB_SIZE, LOAD_BALANCE)
        at = o.lbs + index * LB_SIZE + 8
        if lb.n_minus_1 != 0:
            at = o.buckets + lb.buckets * DPO_SIZE
        dpo = rec(at, DPO)
        index = dpo.index
        if dpo.type == DPO_RECEIVE:
            return int(index & NO_INTERFACE)
        if dpo.type == DPO_ADJACENCY or dpo.type == DPO_ADJACENCY_INCOMPLETE or dpo.type == DPO_GLEAN:
            return int(rec(o.adjacencies + index * ADJ_SIZE, ADJACENCY).sw_if_index)
        if dpo.type != DPO_LOAD_BALANCE:
            break
    return NO_INTERFACE


class ArpOwners:
    """The entries of all FIBs that ARP cares for, from the control side."""

    def __init__(self, plane: Dataplane) -> None:
        self._map = HashMap(CAPACITY, 1, "arp owners")
        self._region = Region(OWNERS.itemsize + 8 * MAX_FIBS, name="arp owners")
        self.address = self._region.address
        mtrie = plane.shared(Fibs).mtrie
        record = self._region.view(OWNERS, 0, 1)[0]
        record["map"], record["lengths"] = self._map.address, self.address + OWNERS.itemsize
        record["roots"], record["plies"] = mtrie.roots, mtrie.plies
        forwarding = plane.shared(Forwarding)
        record["lbs"], record["buckets"] = forwarding.lb_address, forwarding.bucket_address
        record["adjacencies"] = forwarding.adj_address
        record["root_lengths"], record["ply_lengths"] = mtrie.root_lengths, mtrie.ply_lengths
        self._lengths = self._region.view("i8", OWNERS.itemsize, MAX_FIBS)
        self._counts: dict[tuple[int, int], int] = {}
        self._known: set[int] = set()

    def set(self, fib: int, prefix: int, length: int, flags: int, any_interface: int, interface: int) -> None:
        """Enter or change an entry; without flags it is taken out. Interfaces: sw_if_index, or -1.

        Raises:
            HashMapFull: too many entries.
        """
        key = ((fib << 6) | length) << 32 | prefix
        if not flags:
            if key in self._known:
                self._known.discard(key)
                self._map.delete((key,))
                self._count(fib, length, -1)
            return
        word = flags | length << LENGTH_OF
        word |= (any_interface & NO_INTERFACE) << ANY_INTERFACE | (interface & NO_INTERFACE) << INTERFACE_OF
        self._map.set((key,), word)
        if key not in self._known:
            self._known.add(key)
            self._count(fib, length, 1)

    def _count(self, fib: int, length: int, change: int) -> None:
        count = self._counts[fib, length] = self._counts.get((fib, length), 0) + change
        bit = 1 << (32 - length)
        if count:
            self._lengths[fib] |= bit
        else:
            self._lengths[fib] &= ~bit

    def close(self) -> None:
        """Give the memory back."""
        self._map.close()
        self._region.close()
