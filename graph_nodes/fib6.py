"""The IPv6 FIBs as nodes see them: the longest prefix that holds an address, and what is to become of it there.

As VPP's: one hash map of (FIB, length, prefix) for all FIBs, and for each FIB the lengths that are in use, longest
first. An entry says where its packets go (`DROP6` ...) and by which interface. Link-local addresses are looked up
in a FIB of the interface's own, `LINK_LOCAL_FIBS` + sw_if_index, which holds host routes only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.interface import MAX_INTERFACES
from vectorplane.dataplane.region import Region
from vectorplane.dataplane.tables.hash_map import HashMap, search_24
from vectorplane.graph_nodes.fib import MAX_FIBS
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ctz, ld64, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

CAPACITY = 1 << 18
"""Most routes of all FIBs."""
LINK_LOCAL_FIBS = 1 << 20

DROP6, ADJACENT6, RECEIVE6, LINK_LOCAL6, OTHER6 = range(5)
"""Dropped; out by the interface (to a neighbour, or to any of an attached prefix); ours; look in the interface's
link-local FIB; by a way that needs more than this (through another route, say)."""
KIND = 15
OURS = 16
"""Flag: an address that one of our interfaces has."""
INTERFACE_SHIFT = 8
"""Where in an entry's word the interface begins: sw_if_index + 1, 0 for none."""
MISS = -1

INTERFACE6 = np.dtype([("table", "i4"), ("enabled", "i4")])
INTERFACE6_SIZE = INTERFACE6.itemsize
FIB6 = np.dtype([("map", "i8"), ("lengths", "i8"), ("interfaces", "i8"), ("pad", "i8", (5,))])


@helper
def interface6(fib6: int, sw_if: int) -> int:
    """Address of an interface's `INTERFACE6` record."""
    return int(rec(fib6, FIB6).interfaces) + sw_if * INTERFACE6_SIZE


@helper
def exact(fib6: int, fib: int, high: int, low: int) -> int:
    """The entry of the host route of an address; `MISS` when there is none."""
    return int(search_24(rec(fib6, FIB6).map, (fib << 8) | 128, high, low))


@helper
def longest(fib6: int, fib: int, high: int, low: int) -> int:
    """The entry of the longest prefix that holds an address; `MISS` when none does."""
    f = rec(fib6, FIB6)
    for k in range(3):
        left = ld64(f.lengths + 24 * fib + 8 * k)
        while left != 0:
            short = 64 * k + ctz(left)
            left &= left - 1
            a = high
            b = low
            if short < 64:
                b = (low >> short) << short
            else:
                b = 0
                a = 0 if short == 128 else (high >> (short - 64)) << (short - 64)
            found = search_24(f.map, (fib << 8) | (128 - short), a, b)
            if found != -1:
                return int(found)
    return MISS


def halves(address: int) -> tuple[int, int]:
    """An address (0 .. 2**128 - 1) as the two signed numbers that kernels work with."""
    raw = address.to_bytes(16, "big")
    return int.from_bytes(raw[:8], "big", signed=True), int.from_bytes(raw[8:], "big", signed=True)


def whole(high: int, low: int) -> int:
    """The address whose signed halves these are."""
    return (high & 0xFFFFFFFFFFFFFFFF) << 64 | (low & 0xFFFFFFFFFFFFFFFF)


class Fib6:
    """The entries of all FIBs, and what each interface has to do with IPv6, from the control side."""

    def __init__(self, plane: Dataplane) -> None:
        self._map = HashMap(CAPACITY, 3, "ip6 fib")
        tables = FIB6.itemsize + 24 * MAX_FIBS
        self._region = Region(tables + MAX_INTERFACES * INTERFACE6_SIZE, name="ip6 fib lengths")
        self.address = self._region.address
        record = self._region.view(FIB6, 0, 1)[0]
        record["map"], record["lengths"] = self._map.address, self.address + FIB6.itemsize
        record["interfaces"] = self.address + tables
        self._lengths = self._region.view("u8", FIB6.itemsize, 3 * MAX_FIBS)
        self.interfaces: npt.NDArray[Any] = self._region.view(INTERFACE6, tables, MAX_INTERFACES)
        self._counts: dict[tuple[int, int], int] = {}
        self._known: set[tuple[int, int, int]] = set()

    def set(self, fib: int, prefix: int, length: int, kind: int, sw_if_index: int = -1, *, ours: bool = False) -> None:
        """Enter or change an entry.

        Raises:
            HashMapFull: too many entries.
        """
        word = kind | (OURS if ours else 0) | sw_if_index + 1 << INTERFACE_SHIFT
        key = (fib << 8 | length, *halves(prefix))
        self._map.set(key, word)
        if key not in self._known:
            self._known.add(key)
            self._count(fib, length, 1)

    def remove(self, fib: int, prefix: int, length: int) -> None:
        """Take an entry out; does nothing when it is not there."""
        key = (fib << 8 | length, *halves(prefix))
        if key in self._known:
            self._known.discard(key)
            self._map.delete(key)
            self._count(fib, length, -1)

    def _count(self, fib: int, length: int, change: int) -> None:
        if fib >= LINK_LOCAL_FIBS:
            return
        count = self._counts[fib, length] = self._counts.get((fib, length), 0) + change
        short = 128 - length
        at, bit = 3 * fib + short // 64, np.uint64(1 << short % 64)
        self._lengths[at] = self._lengths[at] | bit if count else self._lengths[at] & ~bit

    def close(self) -> None:
        """Give the memory back."""
        self._map.close()
        self._region.close()
