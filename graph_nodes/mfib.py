"""The IPv4 multicast FIBs of an engine as nodes see them: groups to entries, entries to interfaces and replicas.

A key is (FIB index, group's length, group, source); an (S,G) entry has length `SOURCE_LENGTH`, as in VPP. Entry 0 of
the records is none. An entry names two runs of 64-bit words: its interfaces (sw_if_index and `ITF_*` bits), and the
data-path objects that get a copy each. A changed run is written anew and published by one store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.region import Region
from vectorplane.dataplane.tables.hash_map import HashMap, search_16
from vectorplane.graph_nodes.fib import MAX_FIBS
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ld64
from vectorplane.jit.words import signed

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

MFIB_ENTRY = np.dtype(
    [
        ("flags", "i4"),  # ENTRY_*
        ("rpf_id", "i4"),  # 0: none
        ("interfaces", "i8"),  # first word << 16 | number of words
        ("replicas", "i8"),  # likewise
        ("pad", "i8"),
    ]
)
ENTRY_SIZE = MFIB_ENTRY.itemsize
MAX_ENTRIES = 1 << 16
SOURCE_LENGTH = 64

ENTRY_SIGNAL, ENTRY_DROP, ENTRY_CONNECTED, ENTRY_ACCEPT_ALL = 1, 2, 4, 8
ENTRY_ALL_IP4 = 256
"""Accepts on all interfaces that take IPv4: groups that all routers listen to."""
ITF_NEGATE_SIGNAL, ITF_ACCEPT, ITF_FORWARD, ITF_SIGNAL_PRESENT, ITF_DONT_PRESERVE = 1, 2, 4, 8, 16
"""Numbers as in VPP's API."""

_WORDS = 1 << 22


@helper
def mfib_lookup(table: int, lengths: int, fib: int, source: int, group: int) -> int:
    """The entry of a packet: (S,G) before the longest (*,G); 0: there is none."""
    there = ld64(lengths + 8 * fib)
    if (there >> 33) & 1:
        found = search_16(table, (fib << 8 | SOURCE_LENGTH) << 32 | group, source)
        if found > 0:
            return int(found)
    for i in range(33):
        length = 32 - i
        if (there >> length) & 1:
            found = search_16(table, (fib << 8 | length) << 32 | (group >> i << i), 0)
            if found > 0:
                return int(found)
    return 0


class Mfibs:
    """The memory behind the multicast tables; the control side is `vectorplane.backends.engine.mroutes`."""

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        self.map = HashMap(MAX_ENTRIES, 2, "ip4 multicast routes")
        self._region = Region(8 * MAX_FIBS + ENTRY_SIZE * MAX_ENTRIES + 8 * _WORDS, name="ip4 mfib")
        self.lengths_address = self._region.address
        self.entries_address = self._region.address + 8 * MAX_FIBS
        self.words_address = self.entries_address + ENTRY_SIZE * MAX_ENTRIES
        self._lengths = self._region.view(np.dtype("i8"), 0, MAX_FIBS)
        self.entries: npt.NDArray[Any] = self._region.view(MFIB_ENTRY, 8 * MAX_FIBS, MAX_ENTRIES)
        self._words = self._region.view(np.dtype("i8"), 8 * MAX_FIBS + ENTRY_SIZE * MAX_ENTRIES, _WORDS)
        self._counts: dict[tuple[int, int], int] = {}
        self._free: list[int] = []
        self._top = 1
        self._runs: dict[int, list[int]] = {}
        self._run_top = 0
        self.counters = plane.stats.combined("/net/mroute", MAX_ENTRIES)

    def add(self, fib: int, length: int, group: int, source: int) -> int:
        """A new entry, which drops; gives its index.

        Raises:
            OverflowError: no room.
        """
        if not self._free and self._top >= MAX_ENTRIES:
            raise OverflowError(f"no room for another multicast route: all {MAX_ENTRIES} are in use")
        if self._free:
            index = self._free.pop()
        else:
            index = self._top
            self._top += 1
        self.entries[index] = np.zeros((), MFIB_ENTRY)
        self.counters.extend(-(-(index + 1) // 256) * 256)
        self.counters.clear(index)
        self.map.set(_key(fib, length, group, source), index)
        self._count(fib, length, 1)
        return index

    def remove(self, index: int, fib: int, length: int, group: int, source: int) -> None:
        """Take an entry out; its index is used again when all workers have passed."""
        self.map.delete(_key(fib, length, group, source))
        self._count(fib, length, -1)
        for name in ("interfaces", "replicas"):
            self._retire(int(self.entries[index][name]))
        self._plane.epochs.retire(lambda: self._free.append(index))

    def set(self, index: int, name: str, words: list[int]) -> None:
        """Change an entry's ``interfaces`` or ``replicas``."""
        old = int(self.entries[index][name])
        self.entries[index][name] = self._place(words)
        self._retire(old)

    def get(self, index: int, name: str) -> list[int]:
        """The words of an entry."""
        run = int(self.entries[index][name])
        return [int(w) for w in self._words[run >> 16 : (run >> 16) + (run & 0xFFFF)]]

    def _count(self, fib: int, length: int, change: int) -> None:
        bit = 33 if length == SOURCE_LENGTH else length
        n = self._counts[fib, bit] = self._counts.get((fib, bit), 0) + change
        there = int(self._lengths[fib])
        self._lengths[fib] = there | 1 << bit if n else there & ~(1 << bit)

    def _place(self, words: list[int]) -> int:
        n = len(words)
        if not n:
            return 0
        free = self._runs.get(n)
        if free:
            at = free.pop()
        else:
            at = self._run_top
            if at + n > _WORDS:
                raise OverflowError("no room for the interfaces of another multicast route")
            self._run_top += n
        self._words[at : at + n] = [signed(w) for w in words]
        return at << 16 | n

    def _retire(self, run: int) -> None:
        if run:
            self._plane.epochs.retire(lambda: self._runs.setdefault(run & 0xFFFF, []).append(run >> 16))

    def close(self) -> None:
        """Give the memory back."""
        self.map.close()
        self._region.close()


def _key(fib: int, length: int, group: int, source: int) -> tuple[int, int]:
    return (fib << 8 | length) << 32 | group, source
