"""A worker: one thread's share of the engine, in memory that the dispatcher works on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.abi import FAST, FRAME, FRAME_BYTES, FRAME_SIZE, NEVER, WORKER
from vectorplane.dataplane.buffer import CACHE_SIZE
from vectorplane.dataplane.dispatch import dispatch
from vectorplane.dataplane.event import EventRing
from vectorplane.dataplane.frame import FRAMES, QUEUE
from vectorplane.dataplane.region import Bump, Region

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane


class Worker:
    """The memory of one worker and the call that runs it."""

    def __init__(self, plane: Dataplane, index: int) -> None:
        self.index = index
        size = FRAMES * (FRAME_BYTES + 4) + 4 * QUEUE + 8 * CACHE_SIZE + 65536
        self._region = Region(size, name=f"worker {index}")
        bump = Bump(self._region)
        self.address = bump.take(WORKER.itemsize)
        self.record: Any = self._region.view(WORKER, self.address - self._region.address, 1)[0]
        self.events = EventRing(index)
        r = self.record
        r["pool"], r["n_buffers"], r["central"] = plane.pool.address, plane.pool.count, plane.pool.central
        r["cache"] = bump.take(8 * CACHE_SIZE)
        r["frames"] = bump.take(FRAMES * FRAME_BYTES)
        r["free_frames"] = free = bump.take(4 * FRAMES)
        self.memory(free, np.dtype("i4"), FRAMES)[:] = range(FRAMES - 1, -1, -1)
        r["free_frames_n"] = FRAMES
        r["pending"] = bump.take(4 * QUEUE)
        r["nodes"] = plane.graph.table_address(index)
        r["inputs"] = inputs = bump.take(4 * 1024)
        self._inputs = self.memory(inputs, np.dtype("i4"), 1024)
        r["clock"], r["deadline"], r["vector_size"], r["index"] = FAST, NEVER, FRAME_SIZE, index
        r["epoch_global"], r["epoch_own"] = plane.epochs.global_address, plane.epochs.address_of(index)
        r["events"] = self.events.address
        r["interfaces"] = plane.interfaces.address

        self.frames = self.memory(int(r["frames"]), FRAME, FRAMES)

    def memory(self, address: int, dtype: np.dtype[Any], count: int) -> npt.NDArray[Any]:
        """Part of the worker's memory as an array."""
        return self._region.view(dtype, address - self._region.address, count)

    def add_input(self, node_index: int) -> None:
        """Poll this node from now on, after those that are polled already."""
        n = int(self.record["n_inputs"])
        self._inputs[n] = node_index
        self.record["n_inputs"] = n + 1

    def dispatch(self, rounds: int = 1 << 62) -> int:
        """Run until Python is needed; gives the reason (`vectorplane.dataplane.abi`)."""
        return dispatch(self.address, rounds)

    def close(self) -> None:
        """Give the memory back."""
        self.events.close()
        self._region.close()
