"""The buffer pool of an engine, from the control side (kernels: `vectorplane.dataplane.buffer`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.buffer import BUFFER, CELL, COUNT, DATA, META, STACK
from vectorplane.dataplane.region import Region


class BufferPool:
    """``count`` buffers in one memfd, and the stack of those that no worker holds."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._region = Region(count * CELL, name="buffers", shared=True)
        self.bytes = self._region.bytes
        self._stack = Region(STACK + 4 * count, name="free buffers")
        self.address = self._region.address + META
        self.central = self._stack.address
        self._free_count = self._stack.view(np.dtype("i8"), COUNT, 1)
        self._stack.view(np.dtype("i4"), STACK, count)[:] = np.arange(count - 1, -1, -1, dtype=np.int32)
        self._free_count[0] = count
        layout = np.dtype({"names": ["meta"], "formats": [BUFFER], "offsets": [META], "itemsize": CELL})
        self.meta: npt.NDArray[Any] = self._region.view(layout, 0, count)["meta"]
        """The metadata of every buffer, as records of `BUFFER`."""

    @property
    def free(self) -> int:
        """Buffers on the shared stack (workers hold more)."""
        return int(self._free_count[0])

    @property
    def fd(self) -> int:
        """The memfd that holds the cells."""
        return int(self._region.fd)

    @property
    def span(self) -> tuple[int, int]:
        """Address and size of all cells, in whole pages."""
        return int(self._region.address), int(self._region.size)

    def data(self, index: int) -> bytes:
        """The bytes of packet ``index``, its whole chain."""
        parts = []
        while True:
            m = self.meta[index]
            start = index * CELL + META + DATA + int(m["current_data"])
            parts.append(bytes(self._region.bytes[start : start + int(m["current_length"])]))
            if not m["flags"] & 2:
                return b"".join(parts)
            index = int(m["next_buffer"])

    def make_private(self) -> None:
        """See `Region.make_private`."""
        self._region.make_private()

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
        self._stack.close()
