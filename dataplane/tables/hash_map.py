"""Hash map of fixed memory: keys of 8, 16, 24, 40 or 48 bytes, 8-byte values (what VPP uses bihash for).

Kernels call ``search_16(map, a, b)`` and its like: any number of readers, which never wait, and any
number of writers, which lock one bucket for a moment. A map that is full says so by a return code.
Where a kernel needs the hash early, to prefetch, it takes ``h = hash_16(map, a, b)``,
``prefetch_bucket(map, h)`` and later ``search_hashed_16(map, h, a, b)``.

Values are any int64 but -1, which means "not there". The layout is in `hash_bucket`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.region import HUGE_PAGE, Region, lent
from vectorplane.dataplane.tables import hash_control
from vectorplane.dataplane.tables.hash_bucket import (
    HASH_MAP,
    HIGH,
    geometry,
    hash_key,
    prefetch_bucket,
    search_hashed,
)
from vectorplane.dataplane.tables.hash_key import packer
from vectorplane.dataplane.tables.hash_update import FULL, INSERTED, REPLACED, insert_hashed, remove_hashed
from vectorplane.jit.kernel import helper

__all__ = ["FULL", "INSERTED", "REPLACED", "HashMap", "HashMapFull", "prefetch_bucket"]


def _made(words: int) -> list[Callable[..., int]]:
    """The kernel side for keys of ``words`` words, given one by one."""
    pack, pack_with_value = packer(words), packer(words + 1)

    @helper
    def hash_(m: int, *key: int) -> int:
        return hash_key(m, pack(key))

    @helper
    def search(m: int, *key: int) -> int:
        k = pack(key)
        return search_hashed(m, hash_key(m, k), k)

    @helper
    def search_hashed_(m: int, h: int, *key: int) -> int:
        return search_hashed(m, h, pack(key))

    @helper
    def insert(m: int, *key_value: int) -> int:
        k = pack_with_value(key_value)
        return insert_hashed(m, hash_key(m, k[:-1]), k[:-1], k[-1])

    @helper
    def remove(m: int, *key: int) -> int:
        k = pack(key)
        return remove_hashed(m, hash_key(m, k), k)

    return [hash_, search, search_hashed_, insert, remove]


hash_8, search_8, search_hashed_8, insert_8, remove_8 = _made(1)
hash_16, search_16, search_hashed_16, insert_16, remove_16 = _made(2)
hash_24, search_24, search_hashed_24, insert_24, remove_24 = _made(3)
hash_40, search_40, search_hashed_40, insert_40, remove_40 = _made(5)
hash_48, search_48, search_hashed_48, insert_48, remove_48 = _made(6)


_HEAD = 256
"""Bytes in front of the buckets: a multiple of every bucket size."""


class HashMapFull(MemoryError):
    """No room for another key."""


class HashMap:
    """A map with room for ``capacity`` keys of ``key_words`` 64-bit words (1, 2, 3, 5 or 6).

    Room is a matter of chance beyond that: with well-mixed keys at least ``capacity`` fit. ``address``
    is what kernels are given. Python's methods may be used beside them, from any thread.
    """

    def __init__(self, capacity: int, key_words: int, name: str, seed: int = 0x5EED) -> None:
        if key_words not in (1, 2, 3, 5, 6):
            raise ValueError(f"hash map {name}: keys of {key_words} words are not supported")
        shift, slots = geometry(key_words)
        if not 1 <= capacity <= 1 << 24:
            raise ValueError(f"hash map {name}: a capacity of {capacity} is not supported")
        self.capacity, self.key_words, self.name = capacity, key_words, name
        self.buckets = 1 << (-(-3 * capacity // (2 * slots)) - 1).bit_length()  # at most 2/3 full
        overflow = self.buckets // 4 + 9
        size = _HEAD + (self.buckets + overflow << shift)
        self._region = Region(size, name=name, huge=size >= 2 * HUGE_PAGE)
        self.address = self._region.address
        """Address of the map, for kernels."""
        self._state = state = self._region.view(HASH_MAP, 0, 1)[0]
        state["buckets"] = self.address + _HEAD
        state["overflow"] = self.address + _HEAD + (self.buckets << shift)
        state["mask"], state["seed"] = self.buckets - 1, seed
        state["words"], state["shift"] = key_words, shift
        state["full"] = HIGH & ((1 << (8 * slots)) - 1)
        state["overflow_n"], state["high"] = overflow, 1

    def get(self, key: Sequence[int]) -> int | None:
        """The value of a key; None when it is not there. Raises `ValueError` for a key of another size."""
        with lent(self._key(key)) as (address,):
            value = hash_control.hash_get(self.address, address)
        return None if value == -1 else value

    def set(self, key: Sequence[int], value: int) -> None:
        """Give a key a value. Raises `HashMapFull`, with nothing changed, and `ValueError`."""
        self.load([[*key, value]])

    def load(self, entries: npt.ArrayLike) -> None:
        """Set many: an array of int64 rows (key words, value).

        Raises `HashMapFull` when one does not fit (those before it are in) and `ValueError`.
        """
        rows = np.ascontiguousarray(entries, np.int64)
        if rows.ndim != 2 or rows.shape[1] != self.key_words + 1 or (rows[:, -1] == -1).any():
            raise ValueError(f"hash map {self.name}: rows of {self.key_words} key words and a value other than -1")
        with lent(rows) as (address,):
            done = hash_control.hash_set(self.address, address, len(rows))
        if done < len(rows):
            raise HashMapFull(f"hash map {self.name} is full: {len(self)} keys, made for {self.capacity}")

    def delete(self, key: Sequence[int]) -> int | None:
        """Take a key out; gives its value, None when it was not there. Raises `ValueError`."""
        with lent(self._key(key)) as (address,):
            value = hash_control.hash_remove(self.address, address)
        return None if value == -1 else value

    def chunks(self, room: int = 65536) -> Iterator[npt.NDArray[np.int64]]:
        """All entries as arrays of rows (key words, value), at most ``room`` (>= 64) a time, in no order.

        Each bucket is as it was at one moment; what others change meanwhile may be in or not.
        """
        first = 0
        while first < self.buckets:
            out = np.empty((room + 1, self.key_words + 1), np.int64)
            with lent(out) as (address,):
                n = hash_control.hash_dump(self.address, first, address, room)
            first = int(out[room, 0])
            yield out[:n]

    def items(self) -> Iterator[tuple[tuple[int, ...], int]]:
        """All keys and values, in no order."""
        for rows in self.chunks():
            for *key, value in rows.tolist():
                yield tuple(key), value

    def stats(self) -> dict[str, Any]:
        """Entries, capacity, home buckets by the length of their chain (index 0: one bucket), resident bytes."""
        out = self._shape()
        return {
            "name": self.name,
            "entries": int(out[0]),
            "capacity": self.capacity,
            "buckets": self.buckets,
            "chains": out[1:].tolist(),
            "bytes": self._region.resident(),
        }

    def __len__(self) -> int:
        """Keys in the map, counted bucket by bucket (milliseconds for a million)."""
        return int(self._shape()[0])

    def close(self) -> None:
        """Give the memory back, when this object goes; kernels must have let go of it."""
        self._region.close()

    def _shape(self) -> npt.NDArray[np.int64]:
        out = np.zeros(9, np.int64)
        with lent(out) as (address,):
            hash_control.hash_shape(self.address, address)
        return out

    def _key(self, key: Sequence[int]) -> npt.NDArray[np.int64]:
        if len(key) != self.key_words:
            raise ValueError(f"hash map {self.name}: a key has {self.key_words} words, not {len(key)}")
        return np.array(key, np.int64)
