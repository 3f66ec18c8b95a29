"""ip4-frag: packets too long for where they go, cut into fragments (RFC 791 2.3 and 3.2; RFC 1812 4.2.2.7).

The MTU comes in `icmp_data`, as ip4-rewrite leaves it; the fragments go back to ip4-rewrite (ip4-midchain when
that is what their adjacency needs) with the packet's own TTL. As VPP's: each fragment is one buffer of its own,
so at most 2,048 bytes; all but the last carry as many bytes as fit, a multiple of 8; a packet gets an
identification from a running number, a fragment keeps its own and its place. Fragments are no packets of our own:
those of an echo reply lose one of their TTL on the way out.

Unlike VPP (whose packets with options never come here) the options of RFC 791 3.1 are honoured: the first
fragment has all, the others those with the copied flag.

Errors: "can't fragment this packet" (DF, answered by ip4-icmp-error), "can't fragment header" (not even 8 bytes
fit), "malformed packet" (shorter than its header says), "could not allocate buffer". Then the whole packet is
dropped. "number of sent fragments" and "packet smaller than MTU" (one fragment sufficed) are counted besides.

Balance: the packet becomes its first fragment; the others are generated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import KEPT, NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.flow_state import FlowState, next_fragment_id
from vectorplane.graph_nodes.forwarding import ADJ_SIZE, ADJACENCY, DPO_ADJACENCY_MULTICAST, DPO_MIDCHAIN, Forwarding
from vectorplane.graph_nodes.ip4_fragment import (
    E_DONT_FRAGMENT_SET,
    E_FRAGMENT_SENT,
    E_MEMORY,
    E_NONE,
    E_SMALL_PACKET,
    ERRORS,
    fragment,
    refusal,
)
from vectorplane.graph_nodes.ip4_header import FRAGMENT, MORE_FRAGMENTS, OFFSET_MASK
from vectorplane.graph_nodes.linked import send_linked
from vectorplane.graph_nodes.rare import free
from vectorplane.graph_nodes.trace_ip4 import FRAGMENT_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import be16, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip4-rewrite", "ip4-midchain", "ip4-lookup", "ip4-icmp-error", "ip4-drop")
REWRITE, MIDCHAIN, LOOKUP, ICMP_ERROR, DROP = range(5)

RUNTIME = np.dtype([("flows", "i8"), ("adjacencies", "i8"), ("multicast", "i8")])
"""``multicast``: the slot that leads to ip4-rewrite-mcast, set when there are multicast routes."""


@kernel
def ip4_frag(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    for i in range(frame_n(frame)):
        bi = buffer_index(frame, i)
        b = w.pool + bi * CELL
        m = rec(b, BUFFER)
        ip = b + DATA + m.current_data
        mtu = m.icmp_data
        error = refusal(b, ip, mtu)
        first = -1
        if error == E_NONE:
            new_id = 0
            if (be16(ip + FRAGMENT) & (MORE_FRAGMENTS | OFFSET_MASK)) == 0:
                new_id = next_fragment_id(r.flows, b)
            first = fragment(worker, b, ip, mtu, new_id)
            if first < 0:
                error = E_MEMORY
        if error == E_NONE:
            kind = rec(r.adjacencies + m.adj * ADJ_SIZE, ADJACENCY).type
            slot = REWRITE
            if kind == DPO_MIDCHAIN:
                slot = MIDCHAIN
            elif kind == DPO_ADJACENCY_MULTICAST:
                slot = r.multicast
            sent = send_linked(worker, node, slot, first)
            count(worker, d.err_base + E_FRAGMENT_SENT, sent)
            if sent == 1:
                count(worker, d.err_base + E_SMALL_PACKET, 1)
            free(worker, bi)
            set_next(frame, i, KEPT)
            continue
        m.error = d.err_base + error
        if error == E_DONT_FRAGMENT_SET:
            m.icmp_type = 3
            m.icmp_code = 4
            set_next(frame, i, ICMP_ERROR)
        else:
            set_next(frame, i, DROP)
    return frame_n(frame)


def bind(plane: Dataplane, node: Node) -> None:
    """Identifications; adjacencies, which tell where fragments go."""
    node.data["flows"] = plane.shared(FlowState).addresses
    node.data["adjacencies"] = plane.shared(Forwarding).adj_address


IP4_FRAG = NodeType(
    name="ip4-frag",
    kernel=ip4_frag,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=FRAGMENT_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
