"""The prefixes of all FIBs, with a value each: what the mtrie cannot tell any more.

The mtrie knows for each address the route that wins; this store knows all routes. The control side
needs it to find the covering route when one is removed, and for dumps. Kernels do not read it, so it
may grow by moving. It is a hash map with keys of 8 bytes: fib << 38 | length << 32 | prefix.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.region import Region, lent
from vectorplane.dataplane.tables.hash_bucket import hash_key, search_hashed
from vectorplane.dataplane.tables.hash_map import FULL, INSERTED, HashMap
from vectorplane.dataplane.tables.hash_update import insert_hashed, remove_hashed
from vectorplane.jit.kernel import compiled, helper
from vectorplane.jit.ops import ld32s, ld64, offsets, rec, st32, st64

ROUTE = np.dtype([("prefix", "i8"), ("length", "i8"), ("value", "i8")])
"""A route in a dump: IPv4 prefix as a number, its length, its value."""

_COUNTS = 64  # int32 a FIB: routes by length
_FIB = 38


class Route(NamedTuple):
    """A prefix and what it leads to."""

    prefix: int
    length: int
    value: int


PREFIXES = np.dtype(
    [
        ("map", "i8"),  # address of the hash map
        ("counts", "i8"),  # int32 [fib][64]: routes by length
        ("key", "i8"),  # the key at work: in memory, so that the map's code is that of all key sizes
        ("pad", "i8", (5,)),
    ]
)
_KEY = offsets(PREFIXES, "key")[0]


@helper
def _key(t: int, fib: int, prefix: int, length: int) -> int:
    """Address of the key of a prefix."""
    key = t + _KEY
    st64(key, (((fib << 6) | length) << 32) | (prefix >> (32 - length) << (32 - length)))
    return key


@helper
def _counter(t: int, fib: int, length: int) -> int:
    """Address of the number of routes of a length."""
    return int(rec(t, PREFIXES).counts + 4 * (fib * _COUNTS + length))


@helper
def _get(t: int, fib: int, prefix: int, length: int) -> int:
    m = rec(t, PREFIXES).map
    key = _key(t, fib, prefix, length)
    return search_hashed(m, hash_key(m, key), key)


@helper
def _set(t: int, fib: int, prefix: int, length: int, value: int) -> int:
    m = rec(t, PREFIXES).map
    key = _key(t, fib, prefix, length)
    done = insert_hashed(m, hash_key(m, key), key, value)
    if done == INSERTED:
        at = _counter(t, fib, length)
        st32(at, ld32s(at) + 1)
    return done


@compiled
def prefix_get(t: int, fib: int, prefix: int, length: int) -> int:
    """The prefix's value, -1 when it is not there."""
    return _get(t, fib, prefix, length)


@compiled
def prefix_set(t: int, fib: int, prefix: int, length: int, value: int) -> int:
    """Set one route: `INSERTED`, `REPLACED` or `FULL`."""
    return _set(t, fib, prefix, length, value)


@compiled
def prefix_load(t: int, fib: int, n: int, prefixes: int, lengths: int, values: int) -> int:
    """Set ``n`` routes (int64 arrays); gives how many went in before the map was full."""
    for i in range(n):
        at = 8 * i
        if _set(t, fib, ld64(prefixes + at), ld64(lengths + at), ld64(values + at)) == FULL:
            return i
    return n


@compiled
def prefix_delete(t: int, fib: int, prefix: int, length: int) -> int:
    """Take a prefix out; its value, or -1."""
    m = rec(t, PREFIXES).map
    key = _key(t, fib, prefix, length)
    value = remove_hashed(m, hash_key(m, key), key)
    if value != -1:
        at = _counter(t, fib, length)
        st32(at, ld32s(at) - 1)
    return value


@compiled
def prefix_longest(t: int, fib: int, address: int, below: int) -> int:
    """The length of the longest prefix shorter than ``below`` that holds ``address``; -1 when there is none."""
    for i in range(below):
        length = below - 1 - i
        if ld32s(_counter(t, fib, length)) > 0 and _get(t, fib, address, length) != -1:
            return length
    return -1


class Prefixes:
    """The routes of ``fibs`` FIBs: about 40 bytes each. One thread at a time may use it.

    Bits of a prefix beyond its length do not count. All methods raise `ValueError` for a FIB, prefix
    or length out of range, and for negative values.
    """

    def __init__(self, fibs: int = 1024, capacity: int = 1024) -> None:
        self.fibs = fibs
        self._map = HashMap(capacity, 1, "ip4 prefixes")
        self._region = Region(PREFIXES.itemsize + fibs * _COUNTS * 4, name="ip4 prefix counts")
        self._by_length = self._region.view("i4", PREFIXES.itemsize, fibs * _COUNTS).reshape(fibs, _COUNTS)
        self._t = self._region.address
        self._state = self._region.view(PREFIXES, 0, 1)[0]
        self._state["map"], self._state["counts"] = self._map.address, self._t + PREFIXES.itemsize

    def get(self, fib: int, prefix: int, length: int) -> int | None:
        """The value of exactly this prefix; None when it is not there."""
        self._check(fib, prefix, length)
        value = prefix_get(self._t, fib, prefix, length)
        return None if value == -1 else value

    def set(self, fib: int, prefix: int, length: int, value: int) -> None:
        """Enter a prefix, or give it another value."""
        self._check(fib, prefix, length)
        if not 0 <= value < 1 << 63:
            raise ValueError(f"value {value} is not within 0 .. 2**63 - 1")
        while prefix_set(self._t, fib, prefix, length, value) == FULL:
            self._grow(2 * self._map.capacity)

    def load(self, fib: int, prefixes: npt.ArrayLike, lengths: npt.ArrayLike, values: npt.ArrayLike) -> None:
        """Set many; of equal ones the last counts."""
        prefix, length, value = (np.ascontiguousarray(a, np.int64).ravel() for a in (prefixes, lengths, values))
        if not prefix.size == length.size == value.size:
            raise ValueError("prefixes, lengths and values differ in number")
        if not prefix.size:
            return
        self._check(fib, int(prefix.min()), int(length.min()))
        self._check(fib, int(prefix.max()), int(length.max()))
        if value.min() < 0:
            raise ValueError(f"value {value.min()} is negative")
        self._grow(len(self) + prefix.size)
        done = 0
        while done < prefix.size:
            parts = prefix[done:], length[done:], value[done:]
            with lent(*parts) as arrays:
                done += prefix_load(self._t, fib, parts[0].size, *arrays)
            if done < prefix.size:
                self._grow(2 * self._map.capacity)

    def delete(self, fib: int, prefix: int, length: int) -> int | None:
        """Take a prefix out; gives its value, None when it was not there."""
        self._check(fib, prefix, length)
        value = prefix_delete(self._t, fib, prefix, length)
        return None if value == -1 else value

    def covering(self, fib: int, prefix: int, length: int) -> Route | None:
        """The longest stored prefix that holds this one and is shorter."""
        self._check(fib, prefix, length)
        return self._longest(fib, prefix, length)

    def longest(self, fib: int, address: int) -> Route | None:
        """The route that an address takes."""
        self._check(fib, address, 32)
        return self._longest(fib, address, 33)

    def count(self, fib: int) -> int:
        """Routes of one FIB."""
        self._check(fib, 0, 0)
        return int(self._by_length[fib].sum())

    def __len__(self) -> int:
        return int(self._by_length.sum())

    def dump(self, fib: int) -> npt.NDArray[np.void]:
        """All routes of a FIB as an array of `ROUTE`, by prefix and length."""
        self._check(fib, 0, 0)
        parts = [rows[rows[:, 0] >> _FIB == fib] for rows in self._map.chunks()]
        rows = np.concatenate(parts)
        rows = rows[np.argsort((rows[:, 0] & 0xFFFFFFFF) << 6 | rows[:, 0] >> 32 & 63)]
        out = np.empty(len(rows), ROUTE)
        out["prefix"] = rows[:, 0] & 0xFFFFFFFF
        out["length"] = rows[:, 0] >> 32 & 63
        out["value"] = rows[:, 1]
        return out

    def clear(self, fib: int) -> None:
        """Take all routes of a FIB out."""
        for route in self.dump(fib):
            self.delete(fib, int(route["prefix"]), int(route["length"]))

    def memory(self) -> int:
        """Resident bytes."""
        return int(self._map.stats()["bytes"]) + self._region.resident()

    def close(self) -> None:
        """Give the memory back."""
        self._map.close()
        self._region.close()

    def _longest(self, fib: int, address: int, below: int) -> Route | None:
        length = prefix_longest(self._t, fib, address, below)
        if length < 0:
            return None
        value = prefix_get(self._t, fib, address, length)
        return Route(address & (-1 << (32 - length)), length, value)

    def _check(self, fib: int, prefix: int, length: int) -> None:
        if not 0 <= fib < self.fibs:
            raise ValueError(f"fib {fib}: there is room for {self.fibs}")
        if not 0 <= length <= 32 or not 0 <= prefix < 1 << 32:
            raise ValueError(f"{prefix:#x}/{length} is not an IPv4 prefix")

    def _grow(self, wanted: int) -> None:
        """Room for ``wanted`` routes, in a larger map when need be."""
        if wanted <= self._map.capacity:
            return
        old = self._map
        self._map = HashMap(max(wanted, 2 * old.capacity), 1, old.name)
        for rows in old.chunks():
            self._map.load(rows)
        self._state["map"] = self._map.address
        old.close()
