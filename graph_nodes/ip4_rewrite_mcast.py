"""ip4-rewrite-mcast: ip4-rewrite for multicast: the group's low 23 bits go into the destination MAC (RFC 1112 6.4)."""

from __future__ import annotations

from vectorplane.dataplane.abi import NODE, buffer_index, get_next
from vectorplane.dataplane.buffer import BUFFER, DATA, buffer_at
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.errors4 import ERRORS
from vectorplane.graph_nodes.forwarding import ADJ_SIZE, ADJACENCY
from vectorplane.graph_nodes.ip4_header import DESTINATION
from vectorplane.graph_nodes.ip4_rewrite import FRAGMENT, RUNTIME, bind, rewrite
from vectorplane.graph_nodes.trace_forward import REWRITE_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import be32, ld8, rec, st8

NAME = "ip4-rewrite-mcast"


@kernel
def ip4_rewrite_mcast(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    n = rewrite(worker, node, frame, False)
    adjacencies = rec(rec(node, NODE).data, RUNTIME).adjacencies
    for i in range(n):
        if get_next(frame, i) > FRAGMENT:
            b = buffer_at(worker, buffer_index(frame, i))
            m = rec(b, BUFFER)
            header = b + DATA + m.current_data
            length = rec(adjacencies + m.adj * ADJ_SIZE, ADJACENCY).rewrite_length
            if length < 14:  # an interface without Ethernet
                continue
            group = be32(header + length + DESTINATION)
            st8(header + 3, ld8(header + 3) | ((group >> 16) & 0x7F))
            st8(header + 4, (group >> 8) & 0xFF)
            st8(header + 5, group & 0xFF)
    return n


IP4_REWRITE_MCAST = NodeType(
    name=NAME,
    kernel=ip4_rewrite_mcast,
    errors=ERRORS,
    errors_of="ip4-input",
    runtime=RUNTIME,
    trace=REWRITE_TRACE,
    bind=bind,
    sibling_of="ip4-rewrite",
    doc=__doc__ or "",
)
