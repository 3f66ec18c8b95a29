"""Memory as the Python twins of the compiled operations see it: bounds-checked, with red zones.

With the JIT off every load and store of a kernel comes here. An address outside every registered
region, or inside a poisoned part of one, raises `MemoryFault` that names the access; compiled code
would have read or overwritten a neighbour. Tests poison what lies around a packet and so see each
read beyond its end. Slow by design: for tests and debugging only.
"""

from __future__ import annotations

import bisect
import ctypes
from typing import Any

import numpy as np


class MemoryFault(Exception):
    """A kernel touched memory that is not its own."""


class _Region:
    __slots__ = ("base", "name", "poison", "size")

    def __init__(self, base: int, size: int, name: str) -> None:
        self.base, self.size, self.name = base, size, name
        self.poison: np.ndarray[Any, np.dtype[np.bool_]] | None = None


_bases: list[int] = []
_regions: dict[int, _Region] = {}


def register(base: int, size: int, name: str) -> None:
    """Make ``size`` bytes at ``base`` known as memory that kernels may touch.

    What was known to begin within them is forgotten: it was freed, and its place given away, without a word.
    """
    for gone in _bases[bisect.bisect_right(_bases, base) : bisect.bisect_left(_bases, base + size)]:
        unregister(gone)
    if base not in _regions:
        bisect.insort(_bases, base)
    _regions[base] = _Region(base, size, name)


def unregister(base: int) -> None:
    """Forget the region at ``base``; touching it becomes a `MemoryFault`."""
    if _regions.pop(base, None) is not None:
        _bases.remove(base)


def poison(address: int, size: int, bad: bool = True) -> None:
    """Mark bytes that kernels must not read (``bad``), or may read again. A write makes them readable."""
    region = _find(address, size, "poison")
    if region.poison is None:
        region.poison = np.zeros(region.size, np.bool_)
    at = address - region.base
    region.poison[at : at + size] = bad


def _find(address: int, size: int, what: str) -> _Region:
    i = bisect.bisect_right(_bases, address) - 1
    if i >= 0:
        region = _regions[_bases[i]]
        if address + size <= region.base + region.size:
            return region
    raise MemoryFault(f"{what} of {size} bytes at {address:#x}: no region holds them")


def load(address: int, size: int, signed: bool = False) -> int:
    """``size`` bytes at ``address`` as a little-endian integer."""
    address = int(address)
    region = _find(address, size, "load")
    if region.poison is not None:
        at = address - region.base
        if region.poison[at : at + size].any():
            raise MemoryFault(f"load of {size} bytes at {region.name}+{at:#x} reads a red zone")
    return int.from_bytes(ctypes.string_at(address, size), "little", signed=signed)


def store(address: int, size: int, value: int) -> None:
    """Write the low ``size`` bytes of ``value`` at ``address``."""
    address = int(address)
    region = _find(address, size, "store")
    if region.poison is not None:
        at = address - region.base
        region.poison[at : at + size] = False
    raw = (int(value) & ((1 << (8 * size)) - 1)).to_bytes(size, "little")
    ctypes.memmove(address, raw, size)


class _Array:
    __slots__ = ("_address", "_count", "_size")

    def __init__(self, address: int, size: int, count: int) -> None:
        self._address, self._size, self._count = address, size, count

    def __getitem__(self, i: int) -> int:
        if not 0 <= i < self._count:
            raise MemoryFault(f"element {i} of an array of {self._count}")
        return load(self._address + int(i) * self._size, self._size, signed=True)

    def __setitem__(self, i: int, value: int) -> None:
        if not 0 <= i < self._count:
            raise MemoryFault(f"element {i} of an array of {self._count}")
        store(self._address + int(i) * self._size, self._size, value)

    def __len__(self) -> int:
        return self._count


class Record:
    """A record at an address: fields read as Python integers, as in compiled code (signed, 64 bits)."""

    __slots__ = ("_address", "_dtype")

    def __init__(self, address: int, dtype: np.dtype[Any]) -> None:
        object.__setattr__(self, "_address", int(address))
        object.__setattr__(self, "_dtype", dtype)

    def __getattr__(self, name: str) -> Any:
        kind, offset = self._dtype.fields[name][:2]
        if kind.subdtype is not None:
            base, shape = kind.subdtype
            return _Array(self._address + offset, base.itemsize, shape[0])
        return load(self._address + offset, kind.itemsize, signed=True)

    def __setattr__(self, name: str, value: int) -> None:
        kind, offset = self._dtype.fields[name][:2]
        store(self._address + offset, kind.itemsize, value)
