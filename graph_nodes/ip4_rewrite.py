"""ip4-rewrite: TTL, outgoing MTU, and the adjacency's L2 header in front (RFC 1812 5.3.1).

A packet whose TTL reaches 0 and one that is too long with DF set are answered by `ip4-icmp-error`; too long
without DF goes to `ip4-frag`. Output features of the interface (arc ip4-output) come before its output node.
`ip4-midchain` does the same for tunnels: the rewrite is an outer header, which is then finished (length, checksum, what
it takes over from the inner one); `tunnel-output` sends it on by the load-balance that the adjacency is stacked on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, GSO, GSO_SIZE, LOCALLY_ORIGINATED, NEXT_PRESENT
from vectorplane.dataplane.feature import ArcType, feature_start
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.errors4 import ERRORS, MTU_EXCEEDED, TIME_EXPIRED
from vectorplane.graph_nodes.errors_icmp4 import FRAGMENTATION_NEEDED, GIVEN_UP_BEHIND
from vectorplane.graph_nodes.forwarding import (
    ADJ_COUNTED,
    ADJ_HAS_FEATURES,
    ADJ_LONG_END,
    ADJ_SHORT_END,
    ADJ_SIZE,
    ADJACENCY,
    Forwarding,
)
from vectorplane.graph_nodes.ip4_header import DONT_FRAGMENT, decrement_ttl, increment_ttl
from vectorplane.graph_nodes.trace_forward import MIDCHAIN_TRACE, REWRITE_TRACE
from vectorplane.graph_nodes.tunnels.outer import E_NO_ROOM, E_TOO_MANY, ROOM, finish_outer
from vectorplane.graph_nodes.turns import turn
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import be16, ld8, ld16, ld32, ld64, rec, st8, st16, st32, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip4-drop", "ip4-icmp-error", "ip4-frag")
DROP, ICMP_ERROR, FRAGMENT = range(3)

RUNTIME = np.dtype([("adjacencies", "i8"), ("output", "i8"), ("counters", "i8"), ("tunnel_errors", "i8")])

IP4_OUTPUT = ArcType("ip4-output", ("ip4-rewrite", "ip4-midchain"), "interface-output")


@helper
def put_rewrite(ip: int, adjacency: int, length: int) -> None:
    """Write the adjacency's header so that it ends at ``ip``."""
    if length == 14:
        # Ethernet. Not a byte more: the one in front lies on a cache line that nothing else touches
        st64(ip - 14, ld64(adjacency + ADJ_SHORT_END - 14))
        st32(ip - 6, ld32(adjacency + ADJ_SHORT_END - 6))
        st16(ip - 2, ld16(adjacency + ADJ_SHORT_END - 2))
    else:
        end = adjacency + (ADJ_SHORT_END if length <= 32 else ADJ_LONG_END)
        at = 8
        while at <= length:
            st64(ip - at, ld64(end - at))
            at += 8
        for k in range(at - 7, length + 1):
            st8(ip - k, ld8(end - k))


@helper
def rewrite(worker: int, node: int, frame: int, midchain: bool) -> int:
    """The body of both nodes."""
    w = rec(worker, WORKER)
    pool = w.pool
    d = rec(node, NODE)
    err = d.err_base
    r = rec(d.data, RUNTIME)
    adjacencies = r.adjacencies
    output = r.output
    counters = r.counters
    n = frame_n(frame)
    for i in range(n):
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        ip = b + DATA + m.current_data
        a = adjacencies + m.adj * ADJ_SIZE
        adj = rec(a, ADJACENCY)
        if (m.flags & LOCALLY_ORIGINATED) == 0 and decrement_ttl(ip) <= 0:
            m.error = err + TIME_EXPIRED
            m.icmp_type = 11
            m.icmp_code = GIVEN_UP_BEHIND
            m.icmp_data = 0
            m.tx_sw_if = -1
            set_next(frame, i, ICMP_ERROR)
            continue
        if be16(ip + 2) > adj.mtu and ((m.flags & GSO) == 0 or ld64(b + GSO_SIZE) > adj.mtu):
            # the packet is as it came in when a fragment or an error is made of it
            if (m.flags & LOCALLY_ORIGINATED) == 0:
                increment_ttl(ip)
            m.icmp_data = adj.mtu
            if be16(ip + 6) & DONT_FRAGMENT:
                m.error = err + MTU_EXCEEDED
                m.icmp_type = 3
                m.icmp_code = FRAGMENTATION_NEEDED | GIVEN_UP_BEHIND
                m.tx_sw_if = -1
                set_next(frame, i, ICMP_ERROR)
            else:
                set_next(frame, i, FRAGMENT)
            continue
        length = adj.rewrite_length
        if midchain and (m.current_data < length - ROOM or not turn(b)):
            m.error = r.tunnel_errors + (E_NO_ROOM if m.current_data < length - ROOM else E_TOO_MANY)
            set_next(frame, i, DROP)
            continue
        put_rewrite(ip, a, length)
        m.current_data = m.current_data - length
        m.current_length = m.current_length + length
        m.tx_sw_if = adj.sw_if_index
        slot = adj.next
        flags = adj.flags
        if flags != 0:
            if flags & ADJ_HAS_FEATURES:
                feature = feature_start(output, adj.sw_if_index, b)
                if feature >= 0:
                    slot = feature
            if flags & ADJ_COUNTED:
                whole = m.current_length
                if m.flags & NEXT_PRESENT:
                    whole += m.total_rest
                c = counters + 16 * m.adj
                st64(c, ld64(c) + 1)
                st64(c + 8, ld64(c + 8) + whole)
        if midchain:
            finish_outer(b, ip, adj.fixup)
        set_next(frame, i, slot)
    return n


@kernel
def ip4_rewrite(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    return rewrite(worker, node, frame, False)


@kernel
def ip4_midchain(worker: int, node: int, frame: int) -> int:
    """A rewrite that is a tunnel's outer header."""
    return rewrite(worker, node, frame, True)


def bind(plane: Dataplane, node: Node) -> None:
    """Adjacencies, their counters, the output features."""
    forwarding = plane.shared(Forwarding)
    node.data["adjacencies"] = forwarding.adj_address
    node.data["output"] = plane.arcs["ip4-output"].address
    node.data["counters"] = forwarding.adj_counters.addresses


def bind_midchain(plane: Dataplane, node: Node) -> None:
    """The same, and the reasons for which no header is put on."""
    bind(plane, node)
    node.data["tunnel_errors"] = plane.graph.add("tunnel-output").error_base


IP4_REWRITE = NodeType(
    name="ip4-rewrite",
    kernel=ip4_rewrite,
    nexts=NEXTS,
    errors=ERRORS,
    errors_of="ip4-input",
    runtime=RUNTIME,
    trace=REWRITE_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
IP4_MIDCHAIN = NodeType(
    name="ip4-midchain",
    kernel=ip4_midchain,
    nexts=NEXTS,
    errors=ERRORS,
    errors_of="ip4-input",
    runtime=RUNTIME,
    trace=MIDCHAIN_TRACE,
    bind=bind_midchain,
    sibling_of="ip4-rewrite",
)
