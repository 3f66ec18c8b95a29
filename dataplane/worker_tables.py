"""A table of records a worker, which kernels reach by its address: what input nodes look through at each poll."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.region import Region

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane


class WorkerTables:
    """``most`` records of ``dtype`` for each worker of a dataplane, zeros at first; they never move."""

    def __init__(self, plane: Dataplane, dtype: np.dtype[Any], most: int) -> None:
        workers, size = plane.graph.workers, most * dtype.itemsize
        self._region = Region(size * workers, name=type(self).__name__)
        self.tables = [self._region.view(dtype, w * size, most) for w in range(workers)]
        self.addresses = [self._region.address + w * size for w in range(workers)]

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()


class QueueTables(WorkerTables):
    """Receive queues of devices: records with a field ``state``, 0 (closed) while nobody has them."""

    what = "queues"
    """Of what there are too many, when the table is full."""

    def free_slot(self, worker: int) -> int:
        """A slot of the worker's table that nobody has.

        Raises:
            RuntimeError: there is none.
        """
        table = self.tables[worker]
        free = np.flatnonzero(table["state"] == 0)
        if not len(free):
            raise RuntimeError(f"more than {len(table)} {self.what}")
        return int(free[0])

    def count(self, worker: int) -> int:
        """How many slots the kernel has to look at."""
        used = np.flatnonzero(self.tables[worker]["state"] != 0)
        return int(used[-1]) + 1 if len(used) else 0
