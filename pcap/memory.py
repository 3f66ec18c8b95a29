"""Anonymous memory at an address that never changes, for data that kernels see."""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

import numpy as np

from vectorplane.jit import twin
from vectorplane.jit.kernel import JIT


class Memory:
    """``size`` zeroed bytes (rounded up to whole pages) at ``address``; pages cost nothing until they are touched.

    ``bytes`` is the whole as an array of uint8, shape (size,). The memory is freed when the last array made
    from it is gone, so a stale view never reads foreign memory.
    """

    def __init__(self, size: int, name: str) -> None:
        self.size = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        self._map = mmap.mmap(-1, self.size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.bytes: np.ndarray[Any, np.dtype[np.uint8]] = np.frombuffer(self._map, np.uint8)
        self.address = int(self.bytes.ctypes.data)
        self.view = memoryview(self._map)
        if not JIT:
            twin.register(self.address, self.size, name)

    def array(self, dtype: np.dtype[Any], count: int) -> np.ndarray[Any, Any]:
        """The first ``count`` elements of ``dtype``, as an array over this memory."""
        return np.frombuffer(self._map, dtype, count)

    def close(self) -> None:
        """Take the memory from the kernels' twins. Arrays made from it stay valid."""
        if not JIT:
            twin.unregister(self.address)


def peek(address: int, size: int) -> bytes:
    """A copy of ``size`` bytes at ``address``, which must be those of a record of a valid window."""
    return ctypes.string_at(address, size)
