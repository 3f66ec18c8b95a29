"""Which worker puts a datagram together: fragments that arrive at another one are passed on to it.

In real time with several workers. In virtual time receive-side scaling brings all fragments of a datagram to one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import REAL, WORKER, buffer_index
from vectorplane.graph_nodes.handoff import Handoffs, handoff
from vectorplane.graph_nodes.ip4_header import ID, PROTOCOL, SOURCE
from vectorplane.graph_nodes.ip4_reassembly_table import context_hash
from vectorplane.jit.kernel import routine
from vectorplane.jit.ops import be16, ld8, ld64, rec, shr

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

OWNERS = np.dtype([("rings", "i8"), ("slot", "i8"), ("workers", "i8")])
"""Part of a node's runtime data. ``rings`` 0: each worker puts together what it gets."""
MINE, PASSED, REFUSED = range(3)


@routine
def pass_to_owner(worker: int, owners: int, frame: int, i: int, ip: int) -> int:
    """`MINE`: this worker takes the fragment in; `PASSED`: it is another one's by now; `REFUSED`: its ring is full."""
    o = rec(owners, OWNERS)
    h = context_hash(ld8(ip + PROTOCOL) << 16 | be16(ip + ID), ld64(ip + SOURCE))
    target = shr(h, 33) % o.workers
    if target == rec(worker, WORKER).index:
        return MINE
    return PASSED if handoff(worker, o.rings, target, o.slot, buffer_index(frame, i)) != 0 else REFUSED


def bind_owners(plane: Dataplane, node: Node) -> None:
    """Fill in ``node``'s `OWNERS`."""
    if len(plane.workers) < 2 or int(plane.workers[0].record["clock"]) != REAL:
        return
    handoffs = plane.shared(Handoffs)
    owners = node.data["owners"]
    owners["rings"] = handoffs.rings
    owners["slot"] = handoffs.slot(node.type.name)
    owners["workers"] = len(plane.workers)
