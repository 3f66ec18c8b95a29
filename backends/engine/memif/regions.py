"""Shared memory of memif: regions that a client makes, and regions of a peer, mapped so that touching them is safe.

The end of a file can be cut off while it is mapped, and whoever then touches the mapping is killed by the kernel
(SIGBUS). So a foreign region must be a memfd that is sealed against shrinking (``F_SEAL_SHRINK``, which nobody can take
back); VPP and DPDK seal theirs. Memory in huge pages is refused even then: taking a page out of the middle (a hole)
could leave none for us. A hole in an ordinary memfd just reads as zeros.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os

import numpy as np

from vectorplane.backends.engine.memif.messages import ProtocolError
from vectorplane.jit import twin
from vectorplane.jit.kernel import JIT

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
_HUGETLBFS = 0x958458F6
MAX_BYTES = 1 << 40


class MappedRegion:
    """``size`` bytes of the file ``fd``, shared; the file descriptor is closed with it.

    Raises:
        OSError: it cannot be mapped.
    """

    def __init__(self, fd: int, size: int) -> None:
        self.fd, self.size = fd, size
        self._mapping = mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        self.bytes = np.frombuffer(self._mapping, np.uint8)
        """All of it; views must be gone when it is closed."""
        self.address = int(self.bytes.ctypes.data)
        if not JIT:
            twin.register(self.address, size, "memif region")

    def close(self) -> None:
        """Unmap it. Kernels must have let go of it."""
        if self.fd < 0:
            return
        if not JIT:
            twin.unregister(self.address)
        self.bytes = np.zeros(0, np.uint8)
        self._mapping.close()
        os.close(self.fd)
        self.fd = -1


def own_region(size: int, name: str) -> MappedRegion:
    """New memory, all zeros, that nobody can shrink or grow. Raises `OSError`."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(fd, size)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
        return MappedRegion(fd, size)
    except BaseException:
        os.close(fd)
        raise


def foreign_region(fd: int, size: int) -> MappedRegion:
    """A peer's memory; ``fd`` is closed with the region, and remains the caller's when there is none.

    Raises:
        ProtocolError: it is not memory that is safe to touch, or smaller than the peer says.
    """
    try:
        seals = fcntl.fcntl(fd, fcntl.F_GET_SEALS)
    except OSError as error:
        raise ProtocolError("memory region is no memfd") from error
    if not seals & fcntl.F_SEAL_SHRINK:
        raise ProtocolError("memory region is not sealed against shrinking")
    if _in_huge_pages(fd):
        raise ProtocolError("memory region in huge pages")
    there = os.fstat(fd).st_size
    if not 0 < size <= min(there, MAX_BYTES):
        raise ProtocolError(f"memory region of {size} bytes, its file has {there}")
    try:
        return MappedRegion(fd, size)
    except (OSError, ValueError) as error:
        raise ProtocolError(f"memory region can't be mapped: {error}") from error


def _in_huge_pages(fd: int) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    answer = (ctypes.c_long * 64)()  # struct statfs; its first member is the file system's type
    if libc.fstatfs(fd, answer) != 0:
        raise ProtocolError(f"memory region: {errno.errorcode.get(ctypes.get_errno(), 'unknown error')}")
    return answer[0] == _HUGETLBFS


def is_eventfd(fd: int) -> bool:
    """Is it an eventfd? Anything else that can be written to could make the writer wait, or do something."""
    try:
        return os.readlink(f"/proc/self/fd/{fd}") == "anon_inode:[eventfd]"
    except OSError:
        return False
