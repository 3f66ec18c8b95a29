"""Memory that never moves: address space reserved at once, given pages by the kernel as it is touched.

Kernels hold raw addresses, so a table may not be reallocated (rule 4): it reserves the size that it may
ever need, which costs address space and nothing else, and grows into it. Fresh memory reads as zeros.
"""

from __future__ import annotations

import mmap
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from vectorplane.jit import twin
from vectorplane.jit.kernel import JIT

PAGE = mmap.PAGESIZE
HUGE_PAGE = 2 << 20
_MAP_NORESERVE = 0x4000  # Linux's value; the mmap module names it only since Python 3.13


class RegionFull(MemoryError):
    """No room is left in a region."""


class Region:
    """``size`` bytes (rounded up to whole pages) of zeroed memory at an address that never changes.

    ``shared`` makes it a sparse memfd, whose descriptor is `fd`, that other processes can map.
    ``huge`` asks for 2 MB pages: random accesses then miss the TLB far less, and memory is taken
    2 MB at a time. Raises `OSError` when the address space cannot be reserved.
    """

    def __init__(self, size: int, *, name: str, shared: bool = False, huge: bool = False) -> None:
        if size <= 0:
            raise ValueError(f"region {name}: size {size} is not positive")
        self.name = name
        self.size = -(-size // PAGE) * PAGE
        self.fd = -1
        """The memfd of a shared region, else -1."""
        if shared:
            self.fd = os.memfd_create(name, os.MFD_CLOEXEC)
            os.ftruncate(self.fd, self.size)
            mapping = mmap.mmap(self.fd, self.size, flags=mmap.MAP_SHARED)
            start = 0
        else:
            slack = HUGE_PAGE if huge else 0
            flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
            mapping = mmap.mmap(-1, self.size + slack, flags=flags)
            start = -np.frombuffer(mapping, np.uint8).ctypes.data % HUGE_PAGE if huge else 0
            if huge and hasattr(mmap, "MADV_HUGEPAGE"):
                mapping.madvise(mmap.MADV_HUGEPAGE)
        self.bytes: npt.NDArray[np.uint8] = np.frombuffer(mapping, np.uint8, self.size, start)
        """All of it. The array, and any view, keeps the memory mapped."""
        self.address = int(self.bytes.ctypes.data)
        if not JIT:
            twin.register(self.address, self.size, name)
        self._release = weakref.finalize(self, _release, self.address, self.fd)

    def view(self, dtype: npt.DTypeLike, offset: int = 0, count: int = -1) -> npt.NDArray[Any]:
        """An array of ``count`` elements (-1: all that fit) from byte ``offset`` on, without a copy.

        Raises `ValueError` when it would reach beyond the region.
        """
        kind = np.dtype(dtype)
        if count < 0:
            count = (self.size - offset) // kind.itemsize
        end = offset + count * kind.itemsize
        if offset < 0 or end > self.size:
            raise ValueError(f"region {self.name}: bytes {offset} to {end} are not within its {self.size}")
        return self.bytes[offset:end].view(kind)

    def make_private(self) -> None:
        """Give a shared region memory of this process alone, with what is in it now, at the same address.

        For a process that was forked: nothing that it writes is seen by others any more. Raises `OSError`.
        """
        if self.fd < 0:
            return
        held = []
        at = 0
        while at < self.size:
            try:
                at = os.lseek(self.fd, at, os.SEEK_DATA)
            except OSError:  # a hole up to the end
                break
            end = os.lseek(self.fd, at, os.SEEK_HOLE)
            held.append((at, self.bytes[at:end].tobytes()))
            at = end
        _map_private(self.address, self.size)
        for at, data in held:
            self.bytes[at : at + len(data)] = memoryview(data)

    def resident(self) -> int:
        """Bytes that really take memory now."""
        if self.fd >= 0:
            return os.fstat(self.fd).st_blocks * 512
        return _resident(self.address, self.size)

    def close(self) -> None:
        """Give the memory back, as soon as the last array over it is gone. Kernels must have let go of it.

        A region that nobody refers to any more closes itself.
        """
        self._release()
        self.bytes = np.zeros(0, np.uint8)
        self.address = 0
        self.fd = -1

    def __repr__(self) -> str:
        return f"<region {self.name}: {self.size} bytes at {self.address:#x}>"


def _map_private(address: int, size: int) -> None:
    """Anonymous memory of this process, all zeros, in place of what is mapped there."""
    import ctypes

    map_fixed = 0x10  # the mmap module has no name for it
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE | map_fixed
    if libc.mmap(address, size, mmap.PROT_READ | mmap.PROT_WRITE, flags, -1, 0) != address:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _release(address: int, fd: int) -> None:
    """Forget a region (its memory goes with the last array over it)."""
    if not JIT:
        twin.unregister(address)
    if fd >= 0:
        os.close(fd)


def _resident(address: int, size: int) -> int:
    """Bytes of the pages of [address, address + size) that are in memory, from /proc/self/pagemap."""
    present = 0
    with open("/proc/self/pagemap", "rb", buffering=0) as f:
        f.seek(address // PAGE * 8)
        left = size // PAGE
        while left > 0:
            entries = np.frombuffer(f.read(min(left, 1 << 16) * 8), np.uint64)
            if not entries.size:
                break
            present += int(np.count_nonzero(entries >> np.uint64(63)))
            left -= entries.size
    return present * PAGE


class Bump:
    """Hands out aligned pieces of a region, one behind the other; nothing is ever given back."""

    def __init__(self, region: Region) -> None:
        self.region = region
        self.used = 0
        """Bytes handed out, padding included."""

    def take(self, size: int, align: int = 64) -> int:
        """Address of ``size`` bytes, a multiple of ``align`` (a power of two).

        Raises `RegionFull` when they do not fit, and then hands out nothing.
        """
        if size < 0 or align <= 0 or align & (align - 1):
            raise ValueError(f"region {self.region.name}: {size} bytes aligned to {align} cannot be taken")
        base = self.region.address
        start = (base + self.used + align - 1) & -align
        if start + size > base + self.region.size:
            raise RegionFull(
                f"region {self.region.name} is full: {size} bytes asked for, "
                f"{self.region.size - self.used} of {self.region.size} left"
            )
        self.used = start + size - base
        return start


@contextmanager
def lent(*arrays: npt.NDArray[Any]) -> Iterator[list[int]]:
    """The addresses of contiguous arrays that a compiled function may use inside the ``with`` block."""
    bases = [int(a.ctypes.data) for a in arrays]
    if not JIT:
        for base, array in zip(bases, arrays, strict=True):
            twin.register(base, array.nbytes, "lent array")
    try:
        yield bases
    finally:
        if not JIT:
            for base in bases:
                twin.unregister(base)
