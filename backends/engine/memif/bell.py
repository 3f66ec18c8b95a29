"""Signalling a peer's eventfd without ever waiting: see `vectorplane.graph_nodes.memif_bell`."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from contextlib import suppress

import numpy as np
import numpy.typing as npt

from vectorplane.graph_nodes.memif_bell import BELL_SIZE, ONE, POINTER, SINK
from vectorplane.jit import twin
from vectorplane.jit.kernel import JIT

_IO_SETUP, _IO_DESTROY = (0, 1) if platform.machine() == "aarch64" else (206, 207)
_IOCB = "<QIiHhIQQqQII"
_PREAD, _RESFD = 0, 1
_RING_BYTES = 4096


class Bell:
    """What a sending queue needs for its receiver's eventfd ``fd``; ``memory``: `BELL_SIZE` bytes at ``address``.

    Without asynchronous input and output (a container that forbids it, all contexts of the host in use) `context` is 0.
    """

    def __init__(self, fd: int, memory: npt.NDArray[np.uint8], address: int) -> None:
        self.address = address
        self._empty = os.memfd_create("memif bell", os.MFD_CLOEXEC)
        self._libc = ctypes.CDLL(None, use_errno=True)
        context = ctypes.c_ulong(0)
        made = self._libc.syscall(ctypes.c_long(_IO_SETUP), ctypes.c_long(1), ctypes.byref(context))
        self.context = int(context.value) if made == 0 else 0
        with suppress(OSError):
            os.set_blocking(fd, False)
        sink = address + SINK
        iocb = struct.pack(_IOCB, 0, 0, 0, _PREAD, 0, self._empty, sink, 8, 0, 0, _RESFD, fd)
        whole = (iocb + struct.pack("<QQQ", address, 0, 1)).ljust(BELL_SIZE, b"\0")
        assert struct.unpack_from("<Q", whole, POINTER)[0] == address and whole[ONE] == 1
        memory[:] = np.frombuffer(whole, np.uint8)
        if not JIT and self.context:
            twin.register(self.context, _RING_BYTES, "memif bell")

    def close(self) -> None:
        """Give the context back."""
        if self.context:
            if not JIT:
                twin.unregister(self.context)
            self._libc.syscall(ctypes.c_long(_IO_DESTROY), ctypes.c_ulong(self.context))
            self.context = 0
        os.close(self._empty)
