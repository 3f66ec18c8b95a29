"""The prefixes of all FIBs, with a value each: what the mtrie cannot tell any more.

The mtrie knows for each address the route that wins; this store knows all routes. The control side
needs it to find the covering route when one is removed, and for dumps. Kernels do not read it, so it
may grow by moving. It is a hash map with keys of 8 bytes: fib << 38 | length << 32 | prefix.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.region import Region, lent
from vectorplane.dataplane.tables.hash_map import FULL, HashMap
from vectorplane.dataplane.tables.prefix_update import (
    COUNTS,
    PREFIXES,
    prefix_delete,
    prefix_get,
    prefix_load,
    prefix_longest,
    prefix_set,
)

ROUTE = np.dtype([("prefix", "i8"), ("length", "i8"), ("value", "i8")])
"""A route in a dump: IPv4 prefix as a number, its length, its value."""

_FIB = 38
_PIECE = 8192
"""Routes that are sorted at once."""


class Route(NamedTuple):
    """A prefix and what it leads to."""

    prefix: int
    length: int
    value: int


class Prefixes:
    """The routes of ``fibs`` FIBs: about 40 bytes each. One thread at a time may use it.

    Bits of a prefix beyond its length do not count. All methods raise `ValueError` for a FIB, prefix
    or length out of range, and for negative values.
    """

    def __init__(self, fibs: int = 1024, capacity: int = 1024) -> None:
        self.fibs = fibs
        self._map = HashMap(capacity, 1, "ip4 prefixes")
        self._region = Region(PREFIXES.itemsize + fibs * COUNTS * 4, name="ip4 prefix counts")
        self._by_length = self._region.view("i4", PREFIXES.itemsize, fibs * COUNTS).reshape(fibs, COUNTS)
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

    def walk(self, fib: int) -> Iterator[tuple[int, int, int]]:
        """(prefix, length, value) of all routes of a FIB, by prefix and length, as they are at the first step.

        Cheap steps: sorted piece by piece, so that no step of a walk over a million routes takes long.
        """
        self._check(fib, 0, 0)
        parts = [r if (r[:, 0] >> _FIB == fib).all() else r[r[:, 0] >> _FIB == fib] for r in self._map.chunks()]
        rows = np.concatenate(parts)
        order = [np.arange(len(rows))]
        if len(rows) > _PIECE:
            top = (rows[:, 0] >> 24).astype(np.uint8)
            order = np.split(np.argsort(top, kind="stable"), np.cumsum(np.bincount(top, minlength=256))[:-1])
        for where in filter(len, order):
            piece = rows[where]
            piece = piece[np.argsort((piece[:, 0] & 0xFFFFFFFF) << 6 | piece[:, 0] >> 32 & 63)]
            for at in range(0, len(piece), 256):
                for key, value in piece[at : at + 256].tolist():
                    yield key & 0xFFFFFFFF, key >> 32 & 63, value

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
