"""Addresses of interfaces as nodes see them, to choose the source of packets of our own (VPP's ``ip4_sas``).

Of the interface's addresses (an unnumbered one lends another's) the one that shares the longest prefix with the
destination; of several such the one that was added first. Who asks for a neighbour does so from the first address in
whose prefix it lies; else from the first that has a prefix; else from the one chosen as above (VPP's ``fib_sas4``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.interface import MAX_INTERFACES
from vectorplane.dataplane.region import Region
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ld64

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

_WORDS = 1 << 22
NO_ADDRESS = -1
ADDRESS, BITS_SHIFT = 0xFFFFFFFF, 32
"""An address's word: the address, and above it how many bits its prefix leaves to neighbours (0: it has none)."""


@helper
def select_source(table: int, sw_if: int, destination: int) -> int:
    """The address (a number, 0 .. 2**32 - 1) to send from to ``destination``; `NO_ADDRESS` when there is none."""
    run = ld64(table + 8 * sw_if)
    if run == 0:
        return NO_ADDRESS
    best = ld64(table + 8 * run + 8) & ADDRESS
    for k in range(1, ld64(table + 8 * run)):
        address = ld64(table + 8 * (run + 1 + k)) & ADDRESS
        if more_in_common(address ^ destination, best ^ destination):
            best = address
    return int(best)


@helper
def asking_source(table: int, sw_if: int, neighbour: int) -> int:
    """The address to ask for a neighbour from (a number, 0 .. 2**32 - 1); `NO_ADDRESS` when there is none."""
    run = ld64(table + 8 * sw_if)
    if run == 0:
        return NO_ADDRESS
    first = NO_ADDRESS
    for k in range(ld64(table + 8 * run)):
        word = ld64(table + 8 * (run + 1 + k))
        short = word >> BITS_SHIFT
        if short != 0:
            if (((word & ADDRESS) ^ neighbour) >> short) == 0:
                return int(word & ADDRESS)
            if first == NO_ADDRESS:
                first = word & ADDRESS
    return select_source(table, sw_if, neighbour) if first == NO_ADDRESS else first


@helper
def more_in_common(a: int, b: int) -> bool:
    """Has the difference ``a`` more leading zeros than ``b``?"""
    return a < b and (a ^ b) > a


class InterfaceAddresses:
    """The table, by sw_if_index. The control side sets an interface's whole list whenever it changes.

    Each list is a run in a memory of int64 words (count, addresses); a new list is a new run, published by one
    store, and the old run is used again when all workers have passed.
    """

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        self._region = Region(8 * (MAX_INTERFACES + _WORDS), name="interface addresses")
        self.address = self._region.address
        self._words = self._region.view(np.dtype("i8"), 0, MAX_INTERFACES + _WORDS)
        self._top = MAX_INTERFACES
        self._free: dict[int, list[int]] = {}

    def set(self, sw_if_index: int, addresses: Sequence[int], bits: Sequence[int] = ()) -> None:
        """Make these (numbers, 0 .. 2**32 - 1, oldest first) the addresses that ``sw_if_index`` sends from.

        ``bits``: how many bits of each are its neighbours' (0 or missing: none, or the prefix is not in use).

        An unnumbered interface is given the addresses of the one it borrows from.

        Raises:
            OverflowError: the table is full.
        """
        old = int(self._words[sw_if_index])
        words = [a | (bits[k] if k < len(bits) else 0) << BITS_SHIFT for k, a in enumerate(addresses)]
        self._words[sw_if_index] = self._place(words) if words else 0
        if old:
            count = int(self._words[old])
            self._plane.epochs.retire(lambda: self._free.setdefault(count, []).append(old))

    def get(self, sw_if_index: int) -> list[int]:
        """The addresses of an interface."""
        run = int(self._words[sw_if_index])
        return [int(a) & ADDRESS for a in self._words[run + 1 : run + 1 + int(self._words[run])]] if run else []

    def _place(self, words: Sequence[int]) -> int:
        n = len(words)
        free = self._free.get(n)
        if free:
            at = free.pop()
        else:
            at = self._top
            if at + 1 + n > len(self._words):
                raise OverflowError("no room for another list of interface addresses")
            self._top += 1 + n
        self._words[at] = n
        self._words[at + 1 : at + 1 + n] = words
        return at

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
