"""gso-ip4, gso-l2-ip4: TCP that is still to be cut into segments is cut here, for interfaces that can't do it.

Features of the arcs ip4-output (routed packets) and l2-output-ip4 (bridged ones). VPP's names; switched on for an
interface by ``feature_gso_enable_disable`` or in a configuration by itself. A packet that is not `GSO` passes, as does
one that the interface's device can cut: not in a tunnel, not with tags (of a sub-interface, which VPP leaves uncut).

Errors: "no buffers to segment GSO", and "unhandled gso type" for what is not TCP over IPv4, in at most one tunnel. A
dropped packet counts in the interface's tx-error, too. Not there: TCP over IPv6, which no device of ours takes uncut.

Balance: the packet becomes its first segment; the others are generated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import KEPT, NODE, WORKER, buffer_index, frame_n, get_next, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, GSO, GSO_SIZE
from vectorplane.dataplane.feature import Feature, feature_next
from vectorplane.dataplane.frame import emit
from vectorplane.dataplane.interface import CUTS_TCP, INTERFACE, INTERFACE_SIZE
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.forwarding import ADJ_SIZE, ADJACENCY, DPO_MIDCHAIN, Forwarding
from vectorplane.graph_nodes.linked import send_linked
from vectorplane.graph_nodes.rare import free
from vectorplane.graph_nodes.tcp_segments import NO_BUFFERS, behind_ethernet, cut, tcp_at
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import ld8, ld64, rec, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop",)
DROP = 0
ERRORS = (("no_buffers", "no buffers to segment GSO"), ("unhandled_type", "unhandled gso type"))
E_NO_BUFFERS, E_UNHANDLED = range(2)
RUNTIME = np.dtype([("arc", "i8"), ("adjacencies", "i8"), ("is_l2", "i8")])
TRACE = np.dtype(
    [
        ("size", "i4"),  # payload of a segment; 0: nothing to cut
        ("header", "i4"),  # bytes of all headers
        ("l2", "i4"),  # of the packet, from the data area
        ("l3", "i4"),  # from there
        ("l4", "i4"),
    ],
    align=True,
)


@helper
def where_is_tcp(b: int, adjacencies: int, is_l2: int) -> int:
    """As `tcp_at`, of a packet on its way out."""
    m = rec(b, BUFFER)
    if is_l2:
        return tcp_at(b, behind_ethernet(b + DATA + m.current_data, 0, m.current_length), -1)
    adj = rec(adjacencies + m.adj * ADJ_SIZE, ADJACENCY)
    # a midchain's rewrite is an outer IPv4 header
    return tcp_at(b, adj.rewrite_length, 0 if adj.type == DPO_MIDCHAIN else -1)


@kernel
def gso(worker: int, node: int, frame: int) -> int:
    """The body of all of these nodes."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    n = frame_n(frame)
    seen = 0
    for i in range(n):
        b = w.pool + buffer_index(frame, i) * CELL
        seen |= rec(b, BUFFER).flags
        set_next(frame, i, feature_next(r.arc, b))
    if (seen & GSO) == 0:
        return n
    for i in range(n):
        bi = buffer_index(frame, i)
        b = w.pool + bi * CELL
        m = rec(b, BUFFER)
        slot = get_next(frame, i)
        where = 0
        whole = (m.flags & GSO) == 0
        if not whole:
            where = where_is_tcp(b, r.adjacencies, r.is_l2)
            can = rec(w.interfaces + m.tx_sw_if * INTERFACE_SIZE, INTERFACE).flags & CUTS_TCP
            whole = can != 0 and where != 0 and (where >> 32) == 0
        if whole:
            emit(worker, node, slot, bi)  # at once: it must not be overtaken by segments of packets behind it
            set_next(frame, i, KEPT)
            continue
        first = cut(worker, b, where)
        if first < 0:
            m.error = d.err_base + (E_NO_BUFFERS if first == NO_BUFFERS else E_UNHANDLED)
            c = w.if_tx_error + 8 * m.tx_sw_if
            st64(c, ld64(c) + 1)
            set_next(frame, i, DROP)
            continue
        send_linked(worker, node, slot, first)
        free(worker, bi)
        set_next(frame, i, KEPT)
    return n


@kernel
def trace(worker: int, node: int, frame: int) -> int:
    """A `TRACE` for each traced packet."""
    pool = rec(worker, WORKER).pool
    r = rec(rec(node, NODE).data, RUNTIME)
    for i in range(frame_n(frame)):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            b = pool + buffer_index(frame, i) * CELL
            m = rec(b, BUFFER)
            k = rec(t, TRACE)
            where = where_is_tcp(b, r.adjacencies, r.is_l2)
            k.l3 = where & 0xFFFF
            k.l4 = (where >> 16) & 0xFFFF
            k.l2 = m.current_data
            k.header = 0
            k.size = 0
            if where != 0:
                k.header = k.l4 + (ld8(b + DATA + m.current_data + k.l4 + 12) >> 4) * 4
                if m.flags & GSO:
                    k.size = ld64(b + GSO_SIZE) - (k.header - k.l3)
    return 0


def format_trace(record: Any, plane: Dataplane) -> str:
    """``gso_sz 1460 gso_l4_hdr_sz 20`` or ``non-gso buffer``, and where the headers are."""
    size, header, l3, l4 = (int(record[f]) for f in ("size", "header", "l3", "l4"))
    first = f"gso_sz {size} gso_l4_hdr_sz {header - l4}" if size else "non-gso buffer"
    kind = "ipv4 tcp " if header else ""
    return (
        f"{first}\n{kind}hdr-sz {header} l2-hdr-offset {int(record['l2'])} l3-hdr-offset {l3} "
        f"l4-hdr-offset {l4} l4-hdr-sz {header - l4}"
    )


def bind(plane: Dataplane, node: Node) -> None:
    """Its arc; adjacencies, which tell how long the rewrite is."""
    node.data["arc"] = plane.arcs[node.type.features[0].arc].address
    node.data["adjacencies"] = plane.shared(Forwarding).adj_address
    node.data["is_l2"] = int("l2" in node.type.name)


def _node(name: str, feature: Feature) -> NodeType:
    return NodeType(
        name=name,
        kernel=gso,
        nexts=NEXTS,
        errors=ERRORS,
        runtime=RUNTIME,
        features=(feature,),
        trace=Trace(TRACE, trace, format_trace),
        bind=bind,
        doc=__doc__ or "",
    )


GSO_IP4 = _node("gso-ip4", Feature("ip4-output", before=("ipsec4-output-feature", "interface-output")))
GSO_L2_IP4 = _node("gso-l2-ip4", Feature("l2-output-ip4", before=("l2-output-feat-arc-end",)))
