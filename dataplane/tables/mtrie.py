"""IPv4 longest-prefix match: a trie of strides 16, 8 and 8, as VPP's ip4_mtrie_16.

A FIB has a root of 65,536 leaves, indexed by the upper half of the address; below it hang plies of 256
leaves, out of one stock for all FIBs. A leaf is an int32: a value (>= 0; of a load balance, say) or
``~ply``, the complement of the number of the ply that goes on. A leaf that no route covers is 0.
So a lookup is one to three dependent loads, and most addresses of a full table take two.

Kernels use the helpers here; `vectorplane.dataplane.tables.mtrie_update` says how readers and the
writer get along. A lookup over many packets hides its cache misses by going stage by stage:
``prefetch(first_slot(...))`` for all packets, then load those leaves and ``prefetch(slot(...))`` for the
negative ones, then ``step``, and so on.
"""

from __future__ import annotations

import threading
from functools import partial

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.epoch import Epochs
from vectorplane.dataplane.region import Bump, Region, lent
from vectorplane.dataplane.tables import mtrie_update as update
from vectorplane.dataplane.tables.mtrie_update import MTRIE, PLY_SLOTS, ROOT_SLOTS
from vectorplane.jit.kernel import compiled, helper
from vectorplane.jit.ops import ld32s

ROOT_SHIFT = 18
"""log2 of the bytes of a root."""


class MtrieFull(MemoryError):
    """All plies are in use (or wait for workers to pass)."""


@helper
def root_of(roots: int, fib: int) -> int:
    """Address of the root of ``fib``; ``roots`` is `Mtrie.roots`."""
    return roots + (fib << ROOT_SHIFT)


@helper
def first_slot(root: int, address: int) -> int:
    """Where the first load of a lookup goes."""
    return root + (((address >> 16) & 0xFFFF) << 2)


@helper
def slot(plies: int, leaf: int, byte: int) -> int:
    """Where a lookup goes on from ``leaf`` (negative) by the next 8 bits of the address (not masked yet)."""
    return plies + (~leaf << 10) + ((byte & 255) << 2)


@helper
def step(plies: int, leaf: int, byte: int) -> int:
    """The next leaf: ``leaf`` itself when it is a value already."""
    if leaf < 0:
        return int(ld32s(slot(plies, leaf, byte)))
    return leaf


@helper
def lookup(root: int, plies: int, address: int) -> int:
    """The value of the longest prefix that holds ``address`` (an IPv4 address as a number, 0 .. 2**32 - 1)."""
    leaf = ld32s(first_slot(root, address))
    if leaf < 0:
        leaf = ld32s(slot(plies, leaf, address >> 8))
        if leaf < 0:
            leaf = ld32s(slot(plies, leaf, address))
    return int(leaf)


@compiled
def _look_up(root: int, plies: int, address: int) -> int:
    """`lookup`, for Python."""
    return lookup(root, plies, address)


class Mtrie:
    """The mtries of all FIBs (VRFs) of an engine.

    ``fibs`` and ``plies`` are reserved address space; memory is taken as they are used: 320 KB a FIB,
    1.25 KB a ply, in pages of 2 MB. Any thread may change it. ``epochs`` says when a ply is free again;
    without it nobody may look up during a removal.
    """

    def __init__(self, epochs: Epochs | None = None, fibs: int = 1024, plies: int = 1 << 20) -> None:
        self.fibs = fibs
        self.capacity = plies
        self._epochs = epochs
        self._lock = threading.Lock()  # never held while callbacks of others run
        self._roots = Region(fibs * ROOT_SLOTS * 4, name="ip4 mtrie roots", huge=True)
        self._plies = Region(plies * PLY_SLOTS * 4, name="ip4 mtrie plies", huge=True)
        sizes = {
            "root_lengths": fibs * ROOT_SLOTS,
            "ply_lengths": plies * PLY_SLOTS,
            "counts": plies * 4,
            "free": plies * 4,
        }
        self._rest = Region(sum(sizes.values()) + 4096, name="ip4 mtrie writer's state")
        bump = Bump(self._rest)
        self._t = bump.take(MTRIE.itemsize)
        self._state = self._rest.view(MTRIE, 0, 1)[0]
        self._state["roots"], self._state["plies"] = self.roots, self.plies
        self._state["capacity"] = plies
        for name, size in sizes.items():
            self._state[name] = bump.take(size)

    @property
    def roots(self) -> int:
        """Address of FIB 0's root; see `root_of`."""
        return self._roots.address

    @property
    def plies(self) -> int:
        """Address of ply 0."""
        return self._plies.address

    @property
    def root_lengths(self) -> int:
        """Address of the lengths (int8) of the prefixes that set FIB 0's root leaves; 65,536 a FIB."""
        return int(self._state["root_lengths"])

    @property
    def ply_lengths(self) -> int:
        """The same for the leaves of the plies; 256 a ply."""
        return int(self._state["ply_lengths"])

    @property
    def plies_used(self) -> int:
        """Plies in use, those that wait for workers to pass included."""
        return int(self._state["high"] - self._state["free_n"])

    def root(self, fib: int) -> int:
        """Address of the root of ``fib``."""
        return self.roots + (self._fib(fib) << ROOT_SHIFT)

    def add(self, fib: int, prefix: int, length: int, value: int) -> None:
        """Enter a route, or give it another value. Bits of ``prefix`` beyond ``length`` do not count.

        Raises `ValueError` for an argument out of range, `MtrieFull` when plies run out; the table is then
        as it was.
        """
        prefix = self._check(fib, prefix, length, value)
        if not self._add(fib, prefix, length, value):
            self._reclaim()
            if not self._add(fib, prefix, length, value):
                raise MtrieFull(f"ip4 mtrie: all {self.capacity} plies are in use")

    def remove(self, fib: int, prefix: int, length: int, covering_value: int = 0, covering_length: int = 0) -> None:
        """Take a route out. Its addresses fall to the longest route that covers it (value 0, length 0: none).

        Does nothing when the route is not there. Raises `ValueError`.
        """
        prefix = self._check(fib, prefix, length, covering_value)
        if not 0 <= covering_length < max(length, 1):
            raise ValueError(f"a route of length {covering_length} does not cover one of length {length}")
        with self._lock:
            gone = update.mtrie_remove(self._t, fib, prefix, length, covering_value, covering_length)
        if gone:
            self._retire([half - 1 for half in (gone & 0xFFFFFFFF, gone >> 32) if half])

    def load(self, fib: int, prefixes: npt.ArrayLike, lengths: npt.ArrayLike, values: npt.ArrayLike) -> None:
        """Enter many routes, in any order; of equal ones the last counts. Raises as `add`, before any change."""
        routes = [np.ascontiguousarray(a, np.int64).ravel() for a in (prefixes, lengths, values)]
        prefix, length, value = routes
        if not prefix.size == length.size == value.size:
            raise ValueError("prefixes, lengths and values differ in number")
        if not prefix.size:
            return
        for i in {int(np.argmin(a)) for a in routes} | {int(np.argmax(a)) for a in routes}:
            self._check(fib, int(prefix[i]), int(length[i]), int(value[i]))
        prefix = prefix & (-1 << (32 - length))
        # short prefixes first: they find no plies to descend into; neighbours together, for the cache
        order = np.argsort(length << 32 | prefix, kind="stable")
        if not self._load(fib, prefix, length, value, order):
            self._reclaim()
            if not self._load(fib, prefix, length, value, order):
                raise MtrieFull(f"ip4 mtrie: {prefix.size} routes do not fit; it has {self.capacity} plies")

    def clear(self, fib: int) -> None:
        """Take all routes of ``fib`` out at once."""
        self._fib(fib)
        with self._lock:
            out = np.zeros(self.plies_used + 1, np.int32)
            with lent(out) as (address,):
                n = update.mtrie_clear(self._t, fib, 0, address)
        self._retire(out[:n].tolist())

    def look_up(self, fib: int, address: int) -> int:
        """The value for one address, for the control side."""
        return _look_up(self.root(fib), self.plies, address & 0xFFFFFFFF)

    def memory(self) -> dict[str, int]:
        """Resident bytes of each part, and the plies in use."""
        regions = (self._roots, self._plies, self._rest)
        return {r.name: r.resident() for r in regions} | {"plies in use": self.plies_used}

    def close(self) -> None:
        """Give the memory back; no worker may run any more."""
        for region in (self._roots, self._plies, self._rest):
            region.close()

    def _fib(self, fib: int) -> int:
        if not self._rest.address:
            raise ValueError("the ip4 mtrie is closed")
        if not 0 <= fib < self.fibs:
            raise ValueError(f"fib {fib}: there is room for {self.fibs}")
        return fib

    def _check(self, fib: int, prefix: int, length: int, value: int) -> int:
        """The prefix without bits beyond its length."""
        self._fib(fib)
        if not 0 <= length <= 32 or not 0 <= prefix < 1 << 32:
            raise ValueError(f"{prefix:#x}/{length} is not an IPv4 prefix")
        if not 0 <= value < 1 << 31:
            raise ValueError(f"value {value} does not fit a leaf")
        return prefix & (-1 << (32 - length))

    def _add(self, fib: int, prefix: int, length: int, value: int) -> bool:
        with self._lock:
            return update.mtrie_add(self._t, fib, prefix, length, value) == 0

    def _load(self, fib: int, *routes: npt.NDArray[np.int64]) -> bool:
        prefix, length = routes[:2]
        with self._lock, lent(*routes) as arrays:
            if self._plies_wanted(fib, prefix, length) > self.capacity - self.plies_used:
                return False
            update.mtrie_load(self._t, fib, prefix.size, *arrays)
            return True

    def _plies_wanted(self, fib: int, prefix: npt.NDArray[np.int64], length: npt.NDArray[np.int64]) -> int:
        """New plies that these routes take."""
        roots = self._roots.view("i4", self.root(fib) - self.roots, ROOT_SLOTS)
        plies = self._plies.view("i4")
        middle = roots[np.unique(prefix[length > 16] >> 16)]
        low = np.unique(prefix[length > 24] >> 8)
        above = roots[low >> 8].astype(np.int64)
        hung = above < 0  # there is a middle ply: the lowest one may be there too
        there = np.count_nonzero(plies[~above[hung] * PLY_SLOTS + (low[hung] & 255)] < 0)
        return int(np.count_nonzero(middle >= 0) + low.size - there)

    def _retire(self, plies: list[int]) -> None:
        """Free plies when no reader can be in them."""
        if self._epochs is None:
            self._free(plies)
        elif plies:
            self._epochs.retire(partial(self._free, plies))
            self._epochs.poll()

    def _free(self, plies: list[int]) -> None:
        with self._lock:
            for ply in plies if self._rest.address else ():
                update.mtrie_free(self._t, ply)

    def _reclaim(self) -> None:
        if self._epochs is not None:
            self._epochs.poll()
