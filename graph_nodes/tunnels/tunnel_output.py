"""tunnel-output, adj-midchain-tx: a packet with its outer header goes on by the route to the tunnel's other end.

The tunnel's interface counts it as sent, outer header included (`tunnel-output-no-count` does not). The packet's `adj`
is the midchain's adjacency, which names the load-balance of the route (`vectorplane.graph_nodes.tunnels.underlay`).

adj-l2-midchain puts that header on frames of Ethernet tunnels: their adjacency's rewrite, length and checksum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, length_in_chain
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.forwarding import ADJ_SIZE, ADJACENCY, Forwarding
from vectorplane.graph_nodes.ip4_rewrite import put_rewrite
from vectorplane.graph_nodes.trace_forward import MIDCHAIN_TRACE, adjacency_text
from vectorplane.graph_nodes.tunnels.outer import E_NO_ROOM, E_TOO_MANY, ERRORS, finish_outer
from vectorplane.graph_nodes.tunnels.underlay import ROOM, follow
from vectorplane.graph_nodes.turns import turn
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import ld64, prefetch, rec, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

RUNTIME = np.dtype([("adjacencies", "i8"), ("lbs", "i8")])
L2_NEXTS = ("error-drop", "tunnel-output-no-count", "tunnel-output")
DROP, NO_COUNT, COUNT = range(3)

TRACE = np.dtype([("adj", "i4")])


@kernel
def trace(worker: int, node: int, frame: int) -> int:
    """The adjacency of each traced packet."""
    pool = rec(worker, WORKER).pool
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            b = pool + buffer_index(frame, i) * CELL
            rec(t, TRACE).adj = rec(b, BUFFER).adj
    return n


def text(record: Any, plane: Dataplane) -> str:
    """``adj-midchain:[3]:`` and the adjacency."""
    return f"adj-midchain:[{record['adj']}]:{adjacency_text(plane, int(record['adj']))}"


@helper
def send_on(worker: int, node: int, frame: int, counted: bool) -> int:
    """The body of all three nodes."""
    w = rec(worker, WORKER)
    pool = w.pool
    counters = w.if_tx
    r = rec(rec(node, NODE).data, RUNTIME)
    n = frame_n(frame)
    last = -1
    dpo = 0
    sw_if_index = 0
    for i in range(n):
        prefetch(pool + buffer_index(frame, i + 4) * CELL)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        if m.adj != last:
            last = m.adj
            adj = rec(r.adjacencies + last * ADJ_SIZE, ADJACENCY)
            sw_if_index = adj.sw_if_index
            dpo = follow(r.lbs, adj.stacked)
        if counted:
            c = counters + 16 * sw_if_index
            st64(c, ld64(c) + 1)
            st64(c + 8, ld64(c + 8) + length_in_chain(b))
        m.flow_hash = 0
        m.adj = dpo >> 32
        if dpo == 0:
            m.error = 0
        set_next(frame, i, dpo & 0xFFFF)
    return n


@kernel
def tunnel_output(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    return send_on(worker, node, frame, True)


@kernel
def tunnel_output_no_count(worker: int, node: int, frame: int) -> int:
    """The same without counting."""
    return send_on(worker, node, frame, False)


@kernel
def adj_l2_midchain(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA - 64)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        a = r.adjacencies + m.adj * ADJ_SIZE
        length = rec(a, ADJACENCY).rewrite_length
        if m.current_data < length - ROOM or not turn(b):
            m.error = d.err_base + (E_NO_ROOM if m.current_data < length - ROOM else E_TOO_MANY)
            set_next(frame, i, DROP)
            continue
        inner = b + DATA + m.current_data
        put_rewrite(inner, a, length)
        m.current_data = m.current_data - length
        m.current_length = m.current_length + length
        m.tx_sw_if = rec(a, ADJACENCY).sw_if_index
        finish_outer(b, inner, 0)
        set_next(frame, i, COUNT)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """Adjacencies and load-balances."""
    forwarding = plane.shared(Forwarding)
    node.data["adjacencies"], node.data["lbs"] = forwarding.adj_address, forwarding.lb_address


TUNNEL_OUTPUT = NodeType(
    name="tunnel-output",
    kernel=tunnel_output,
    sibling_of="ip4-lookup",
    errors=ERRORS,
    runtime=RUNTIME,
    trace=Trace(TRACE, trace, text, before=True),
    bind=bind,
    doc=__doc__ or "",
)
TUNNEL_OUTPUT_NO_COUNT = NodeType(
    name="tunnel-output-no-count",
    kernel=tunnel_output_no_count,
    sibling_of="ip4-lookup",
    runtime=RUNTIME,
    trace=Trace(TRACE, trace, text, before=True),
    bind=bind,
)
ADJ_MIDCHAIN_TX = NodeType(
    name="adj-midchain-tx",
    kernel=tunnel_output,
    sibling_of="ip4-lookup",
    runtime=RUNTIME,
    trace=Trace(TRACE, trace, text, before=True),
    bind=bind,
)
ADJ_L2_MIDCHAIN = NodeType(
    name="adj-l2-midchain",
    kernel=adj_l2_midchain,
    nexts=L2_NEXTS,
    errors=ERRORS,
    errors_of="tunnel-output",
    runtime=RUNTIME,
    trace=MIDCHAIN_TRACE,
    bind=bind,
)
