"""The receive queues of DPDK ports, as `dpdk-input` sees them: a table of `QUEUE` a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.buffer import BUFFER
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.mbuf import ARRAY
from vectorplane.jit.ops import offsets

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

QUEUE = np.dtype(
    [
        ("handle", "i8"),  # port << 16 | queue
        ("state", "i4"),  # CLOSED, OPEN
        ("sw_if_index", "i4"),
        ("next", "i4"),  # slot that all packets go to; 0: the interface's features, else ethernet-input
        ("tx_sw_if", "i4"),  # what they get as tx_sw_if; -1 as a rule
        ("pad", "i8", (5,)),
    ],
    align=True,
)
QUEUE_SIZE = QUEUE.itemsize
assert QUEUE_SIZE == 64
CLOSED, OPEN = range(2)
REF_COUNT = offsets(BUFFER, "ref_count")[0]
MAX_QUEUES = 1024


class DpdkQueues:
    """The receive queues of a dataplane's DPDK ports, and room for the mbufs of a vector: for each worker."""

    def __init__(self, plane: Dataplane) -> None:
        workers = plane.graph.workers
        size = MAX_QUEUES * QUEUE_SIZE
        self._region = Region((size + 2 * ARRAY + 64) * workers, name="DPDK queues")
        self.tables = [self._region.view(QUEUE, w * size, MAX_QUEUES) for w in range(workers)]
        self.addresses = [self._region.address + w * size for w in range(workers)]
        rooms = self._region.address + size * workers
        self.mbufs = [rooms + w * 2 * ARRAY for w in range(workers)]
        """Addresses of arrays of mbuf pointers; behind each lies one for those that are given back."""
        models = rooms + workers * 2 * ARRAY
        self.models = [models + w * 64 for w in range(workers)]
        """Addresses of what the metadata of a received packet begins with."""
        first_lines = np.dtype({"names": ["ref_count"], "formats": ["i2"], "offsets": [REF_COUNT], "itemsize": 64})
        self._region.view(first_lines, models - self._region.address, workers)["ref_count"] = 1

    def free_slot(self, worker: int) -> int:
        """A slot of the worker's table that nobody has. Raises `RuntimeError`: there is none."""
        free = np.flatnonzero(self.tables[worker]["state"] == CLOSED)
        if not len(free):
            raise RuntimeError(f"more than {MAX_QUEUES} receive queues of DPDK ports")
        return int(free[0])

    def count(self, worker: int) -> int:
        """How many slots the kernel has to look at."""
        used = np.flatnonzero(self.tables[worker]["state"] != CLOSED)
        return int(used[-1]) + 1 if len(used) else 0

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
