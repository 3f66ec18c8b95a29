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
