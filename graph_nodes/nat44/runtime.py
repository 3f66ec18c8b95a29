"""Runtime data of the translating nodes, and each worker's memory for one vector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import FRAME_SIZE
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.errors4 import TIME_EXPIRED
from vectorplane.graph_nodes.forwarding import Forwarding
from vectorplane.graph_nodes.nat44.counters import COUNTERS, NatCounters
from vectorplane.graph_nodes.nat44.match import MATCH
from vectorplane.graph_nodes.nat44.tables import NatTables
from vectorplane.jit.ops import offsets

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

RUNTIME = np.dtype(
    [
        ("nat", "i8"),
        ("scratch", "i8"),
        ("adjacencies", "i8"),
        ("expired_error", "i8"),  # "ip4 ttl <= 1"
        ("counters", COUNTERS),
        ("match", MATCH),
    ]
)
R_COUNTERS, R_MATCH = offsets(RUNTIME, "counters", "match")

SCRATCH = np.dtype(
    [
        ("match", MATCH),
        ("hash", "i8"),
        ("number", "i4"),  # the half; -1: none
        ("error", "i2"),  # code of what is wrong with an ICMP packet, plus 1; 0: nothing
        ("outcome", "i1"),  # for the trace: what became of the translation
        ("reason", "i1"),  # and why the slow path was taken
    ],
    align=True,
)
"""One packet's, while its vector goes through a node; it begins with its `MATCH`."""
SCRATCH_SIZE = SCRATCH.itemsize
assert SCRATCH_SIZE == 32


class NatScratch:
    """Each worker's memory for one vector, shared by its nodes: only one runs at a time."""

    def __init__(self, plane: Dataplane) -> None:
        workers = plane.graph.workers
        size = SCRATCH_SIZE * FRAME_SIZE
        self._region = Region(size * workers, name="nat44 scratch")
        self.addresses = [self._region.address + size * k for k in range(workers)]

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()


def bind(plane: Dataplane, node: Node) -> None:
    """Fill in a node's runtime data; what it does is in its name."""
    name = node.type.name
    data = node.data
    data["nat"] = plane.shared(NatTables).address
    data["scratch"] = plane.shared(NatScratch).addresses
    data["adjacencies"] = plane.shared(Forwarding).adj_address
    data["expired_error"] = plane.graph.add("ip4-input").error_base + TIME_EXPIRED
    way = "out2in" if "out2in" in name else "in2out"
    path = "slowpath" if name.endswith("slowpath") else "fastpath"
    for what, addresses in plane.shared(NatCounters).of(way, path).items():
        data["counters"][what] = addresses
