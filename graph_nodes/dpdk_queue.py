"""The receive queues of DPDK ports, as `dpdk-input` sees them: a table of `QUEUE` a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.buffer import BUFFER
from vectorplane.dataplane.region import Region
from vectorplane.dataplane.worker_tables import QueueTables
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


class DpdkQueues(QueueTables):
    """The receive queues of a dataplane's DPDK ports, and room for the mbufs of a vector: for each worker."""

    what = "receive queues of DPDK ports"

    def __init__(self, plane: Dataplane) -> None:
        super().__init__(plane, QUEUE, MAX_QUEUES)
        workers = plane.graph.workers
        self._rooms = Region((2 * ARRAY + 64) * workers, name="mbufs of DPDK ports")
        rooms = self._rooms.address
        self.mbufs = [rooms + w * 2 * ARRAY for w in range(workers)]
        """Addresses of arrays of mbuf pointers; behind each lies one for those that are given back."""
        models = 2 * ARRAY * workers
        self.models = [rooms + models + w * 64 for w in range(workers)]
        """Addresses of what the metadata of a received packet begins with."""
        first_lines = np.dtype({"names": ["ref_count"], "formats": ["i2"], "offsets": [REF_COUNT], "itemsize": 64})
        self._rooms.view(first_lines, models, workers)["ref_count"] = 1

    def close(self) -> None:
        """Give the memory back."""
        super().close()
        self._rooms.close()
