"""lookup-ip4-dst: look the destination up again in another table (routes of type lookup), four times at most.

lookup-ip4-src looks the source up instead. The packet's `adj` is the FIB index. A chain of tables that goes on longer,
or in a circle, ends in a drop, as in VPP ("destination lookup chain too long").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, get_next, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.tables.mtrie import lookup, root_of
from vectorplane.graph_nodes.fib import Fibs
from vectorplane.graph_nodes.forwarding import Forwarding
from vectorplane.graph_nodes.ip4_header import DESTINATION, SOURCE
from vectorplane.graph_nodes.ip4_lookup import DROP, finish
from vectorplane.graph_nodes.trace_forward import LOOKUP_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import be32, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NAME, SOURCE_NAME = "lookup-ip4-dst", "lookup-ip4-src"
MAX_LOOKUPS = 4
ERRORS = (("too_many", "destination lookup chain too long"),)

RUNTIME = np.dtype(
    [
        ("roots", "i8"),
        ("plies", "i8"),
        ("lbs", "i8"),
        ("buckets", "i8"),
        ("counters", "i8"),
        ("own_slot", "i8"),
        ("field", "i8"),  # where in the header the address is that is looked up
    ]
)


@kernel
def lookup_ip4_dst(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        left = MAX_LOOKUPS
        while left > 0:
            m.fib_index = m.adj
            m.flow_hash = 0
            address = be32(b + DATA + m.current_data + r.field)
            lb = lookup(root_of(r.roots, m.fib_index), r.plies, address)
            finish(frame, i, b, lb, r.lbs, r.buckets, r.counters)
            if get_next(frame, i) != r.own_slot:
                break
            left -= 1
        if left == 0:
            m.error = d.err_base
            set_next(frame, i, DROP)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """Tables, and the slot that leads from a lookup to this node."""
    fibs = plane.shared(Fibs)
    forwarding = plane.shared(Forwarding)
    node.data["roots"], node.data["plies"] = fibs.roots_address, fibs.plies_address
    node.data["lbs"], node.data["buckets"] = forwarding.lb_address, forwarding.bucket_address
    node.data["counters"] = forwarding.route_via.addresses
    node.data["own_slot"] = plane.graph.add_next(plane.graph["ip4-lookup"], node.type.name)
    node.data["field"] = SOURCE if node.type.name == SOURCE_NAME else DESTINATION


LOOKUP_IP4_DST = NodeType(
    name=NAME,
    kernel=lookup_ip4_dst,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=LOOKUP_TRACE,
    bind=bind,
    sibling_of="ip4-lookup",
    doc=__doc__ or "",
)
LOOKUP_IP4_SRC = NodeType(
    name=SOURCE_NAME,
    kernel=lookup_ip4_dst,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=LOOKUP_TRACE,
    bind=bind,
    sibling_of="ip4-lookup",
)
