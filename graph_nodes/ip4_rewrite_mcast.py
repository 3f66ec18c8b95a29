"""ip4-rewrite-mcast: ip4-rewrite for multicast: the group's low 23 bits go into the destination MAC (RFC 1112 6.4).

What came in by the interface by which it would leave is dropped: "ip4 egress interface same as ingress".
"""

from __future__ import annotations

from vectorplane.dataplane.abi import NODE, buffer_index, get_next, set_next
from vectorplane.dataplane.buffer import BUFFER, DATA, buffer_at
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.errors4 import ERRORS, SAME_INTERFACE
from vectorplane.graph_nodes.forwarding import ADJ_SIZE, ADJACENCY
from vectorplane.graph_nodes.ip4_header import DESTINATION
from vectorplane.graph_nodes.ip4_rewrite import DROP, FRAGMENT, RUNTIME, bind, rewrite
from vectorplane.graph_nodes.trace_forward import REWRITE_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import be32, ld8, rec, st8

NAME = "ip4-rewrite-mcast"


@kernel
def ip4_rewrite_mcast(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    n = rewrite(worker, node, frame, False)
    d = rec(node, NODE)
    adjacencies = rec(d.data, RUNTIME).adjacencies
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        m = rec(b, BUFFER)
        adj = rec(adjacencies + m.adj * ADJ_SIZE, ADJACENCY)
        length = adj.rewrite_length
        rewritten = get_next(frame, i) > FRAGMENT
        if adj.sw_if_index == m.rx_sw_if:
            if rewritten:
                m.current_data = m.current_data + length
                m.current_length = m.current_length - length
            m.error = d.err_base + SAME_INTERFACE
            set_next(frame, i, DROP)
        elif rewritten and length >= 14:  # less: an interface without Ethernet
            header = b + DATA + m.current_data
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
