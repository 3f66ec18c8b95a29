"""Index pools: records of one dtype that are taken and given back by number (VPP's pool).

The records lie in a region that never moves. The index given back last is taken first, since its
memory is still in the cache; fresh ones come in ascending order. A record is all zeros when it is
taken. A pool has one owner at a time, a worker or the control side; there is no lock.

Kernels: ``take(pool)``, ``give(pool, index)``, ``element(pool, index)``, with `Pool.address`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.region import Bump, Region
from vectorplane.jit.kernel import compiled, helper
from vectorplane.jit.ops import ld32s, ld64, rec, st8, st32, st64

POOL = np.dtype(
    [
        ("records", "i8"),  # address of record 0
        ("stride", "i8"),  # bytes of a record
        ("capacity", "i8"),
        ("high", "i8"),  # indices from here on were never taken
        ("free", "i8"),  # int32 stack of indices that were given back
        ("free_n", "i8"),
        ("used", "i8"),  # a bit an index, in int64 words
        ("pad", "i8"),
    ],
    align=True,
)


@helper
def element(pool: int, index: int) -> int:
    """Address of record ``index``, which must be one that `take` gave."""
    r = rec(pool, POOL)
    return int(r.records + index * r.stride)


@helper
def is_used(pool: int, index: int) -> bool:
    """Is ``index`` taken? False for a wild index."""
    r = rec(pool, POOL)
    if index < 0 or index >= r.high:
        return False
    return (ld64(r.used + (index >> 6 << 3)) >> (index & 63)) & 1 != 0


@helper
def _flip(pool: int, index: int) -> None:
    at = rec(pool, POOL).used + (index >> 6 << 3)
    st64(at, ld64(at) ^ (1 << (index & 63)))


@helper
def take(pool: int) -> int:
    """The index of a zeroed record; -1 when the pool is full."""
    r = rec(pool, POOL)
    if r.free_n > 0:
        r.free_n -= 1
        index = ld32s(r.free + 4 * r.free_n)
    elif r.high < r.capacity:
        index = r.high
        r.high += 1
    else:
        return -1
    _flip(pool, index)
    at = element(pool, index)
    end = at + r.stride
    while at + 8 <= end:
        st64(at, 0)
        at += 8
    while at < end:
        st8(at, 0)
        at += 1
    return int(index)


@helper
def give(pool: int, index: int) -> int:
    """Give a record back: 0; or -1, with nothing changed, when ``index`` is not taken."""
    if not is_used(pool, index):
        return -1
    _flip(pool, index)
    r = rec(pool, POOL)
    st32(r.free + 4 * r.free_n, index)
    r.free_n += 1
    return 0


@compiled
def pool_take(pool: int) -> int:
    """`take`, for Python."""
    return take(pool)


@compiled
def pool_give(pool: int, index: int) -> int:
    """`give`, for Python."""
    return give(pool, index)


class PoolFull(MemoryError):
    """All records of a pool are taken."""


class Pool:
    """``capacity`` records of ``dtype`` (signed fields only, for kernels), reserved and used as needed."""

    def __init__(self, dtype: npt.DTypeLike, capacity: int, name: str) -> None:
        kind = np.dtype(dtype)
        if not 1 <= capacity < 1 << 31:
            raise ValueError(f"pool {name}: a capacity of {capacity} is not supported")
        self.name, self.capacity = name, capacity
        self.stride = kind.itemsize
        """Bytes of a record."""
        words = -(-capacity // 64)
        self._region = Region(capacity * self.stride + capacity * 4 + words * 8 + 4096, name=name)
        bump = Bump(self._region)
        self.address = bump.take(POOL.itemsize)
        """Address of the pool, for kernels."""
        self._state = self._region.view(POOL, 0, 1)[0]
        records, free, used = bump.take(capacity * self.stride), bump.take(capacity * 4), bump.take(words * 8)
        for field, value in zip(POOL.names or (), (records, self.stride, capacity, 0, free, 0, used), strict=False):
            self._state[field] = value
        self.records: npt.NDArray[Any] = self._region.view(kind, records - self.address, capacity)
        """All records, taken or not, by index; the array never moves."""
        self._bits = self._region.view("u1", used - self.address, words * 8)

    def take(self) -> int:
        """The index of a zeroed record. Raises `PoolFull`."""
        index = pool_take(self.address)
        if index < 0:
            raise PoolFull(f"pool {self.name} is full: all {self.capacity} records are taken")
        return index

    def give(self, index: int) -> None:
        """Give a record back. Raises `ValueError` when it is not taken (given twice, or a wild index)."""
        if pool_give(self.address, index) < 0:
            raise ValueError(f"pool {self.name}: record {index} is not taken")

    def __len__(self) -> int:
        """Records that are taken."""
        return int(self._state["high"] - self._state["free_n"])

    def __iter__(self) -> Iterator[int]:
        """The indices that are taken, ascending."""
        bits = np.unpackbits(self._bits[: -(-int(self._state["high"]) // 8)], bitorder="little")
        return iter(np.flatnonzero(bits).tolist())

    def close(self) -> None:
        """Give the memory back, when this object goes; kernels must have let go of it."""
        self._region.close()
