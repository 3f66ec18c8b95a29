"""ip4-lookup: longest-prefix match on the destination, then the load-balance's bucket (ip4-load-balance likewise).

The table is the receiving interface's, unless the packet names one (`tx_sw_if`, as VPP's
``sw_if_index[VLIB_TX]``). Several buckets: the flow hash chooses. What the bucket says (next node, object index)
goes into the packet; route counters ``/net/route/to`` (lookup) and ``/net/route/via`` (load-balance) are counted.

A packet goes through three stages, each of which asks for the memory that the next one reads, with other packets
in between: with a million routes every packet misses the cache, and the misses then overlap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, NEXT_PRESENT
from vectorplane.dataplane.interface import I_IP4_TABLE, INTERFACE_SIZE
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.tables.mtrie import first_slot, root_of, slot
from vectorplane.graph_nodes.errors4 import ERRORS
from vectorplane.graph_nodes.fib import Fibs
from vectorplane.graph_nodes.flow_hash import ip4_flow_hash
from vectorplane.graph_nodes.forwarding import DPO_SIZE, INLINE_DPO, LB_SIZE, Forwarding
from vectorplane.graph_nodes.trace_forward import LOOKUP_TRACE
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import be32, ld32, ld32s, ld64, prefetch, rec, st32, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = (
    "ip4-drop",
    "ip4-punt",
    "ip4-arp",
    "ip4-glean",
    "ip4-rewrite",
    "ip4-receive",
    "ip4-load-balance",
    "ip4-icmp-error",
)
DROP, PUNT, ARP, GLEAN, REWRITE, RECEIVE, LOAD_BALANCE_NEXT, ICMP_ERROR = range(8)

RUNTIME = np.dtype(
    [
        ("roots", "i8"),
        ("plies", "i8"),
        ("lbs", "i8"),
        ("buckets", "i8"),
        ("counters", "i8"),
        ("scratch", "i8", (32,)),  # packets between two stages: destination << 32 | leaf
    ],
    align=True,
)
AHEAD = 8
"""Packets between two stages: time for a prefetch to arrive."""
RING = 31
_SCRATCH = int(RUNTIME.fields["scratch"][1])  # type: ignore[index]


@helper
def finish(frame: int, i: int, b: int, lb_index: int, lbs: int, buckets: int, counters: int) -> None:
    """Choose the load-balance's bucket for packet ``i`` and count it."""
    m = rec(b, BUFFER)
    lb = lbs + lb_index * LB_SIZE
    length = m.current_length
    head = ld64(lb)
    n_minus_1 = head & 0xFFFF
    if n_minus_1 == 0:
        dpo = ld64(lb + INLINE_DPO)
    else:
        h = m.flow_hash
        if h == 0:
            h = ip4_flow_hash(b + DATA + m.current_data, length, (head >> 16) & 0xFFFF, ld32(buckets))
        m.flow_hash = h
        dpo = ld64(buckets + ((head >> 32) + (h & n_minus_1)) * DPO_SIZE)
    # one load for the whole DPO: it may be replaced while we look
    m.adj = dpo >> 32
    set_next(frame, i, dpo & 0xFFFF)
    if m.flags & NEXT_PRESENT:
        length += m.total_rest
    c = counters + 16 * lb_index
    st64(c, ld64(c) + 1)
    st64(c + 8, ld64(c + 8) + length)


@kernel
def ip4_lookup(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    pool = w.pool
    interfaces = w.interfaces
    data = rec(node, NODE).data
    r = rec(data, RUNTIME)
    roots = r.roots
    plies = r.plies
    lbs = r.lbs
    buckets = r.buckets
    counters = r.counters
    scratch = data + _SCRATCH
    n = frame_n(frame)
    last = -1
    table = 0
    for i in range(n + 2 * AHEAD):
        if i < n:
            # first stage: the leaf in the root; ask for what is behind it
            b = pool + buffer_index(frame, i) * CELL
            m = rec(b, BUFFER)
            if m.rx_sw_if != last:
                last = m.rx_sw_if
                table = ld32s(interfaces + last * INTERFACE_SIZE + I_IP4_TABLE)
            fib = table if m.tx_sw_if < 0 else m.tx_sw_if
            m.fib_index = fib
            m.flow_hash = 0
            destination = be32(b + DATA + m.current_data + 16)
            leaf = ld32s(first_slot(root_of(roots, fib), destination))
            st64(scratch + 8 * (i & RING), (destination << 32) | (leaf & 0xFFFFFFFF))
            if leaf < 0:
                prefetch(slot(plies, leaf, destination >> 8))
        j = i - AHEAD
        if (j >= 0) & (j < n):
            # second stage: the leaves in the plies; ask for the load-balance and its counter
            at = scratch + 8 * (j & RING)
            leaf = ld32s(at)
            if leaf < 0:
                destination = ld32(at + 4)
                leaf = ld32s(slot(plies, leaf, destination >> 8))
                if leaf < 0:
                    leaf = ld32s(slot(plies, leaf, destination))
                st32(at, leaf)
            prefetch(lbs + leaf * LB_SIZE)
            prefetch(counters + leaf * 16)
        k = i - 2 * AHEAD
        if k >= 0:
            b = pool + buffer_index(frame, k) * CELL
            finish(frame, k, b, ld32s(scratch + 8 * (k & RING)), lbs, buckets, counters)
    return n


@kernel
def ip4_load_balance(worker: int, node: int, frame: int) -> int:
    """A second load-balance (a recursive route's): the packet's `adj` is its index."""
    w = rec(worker, WORKER)
    pool = w.pool
    r = rec(rec(node, NODE).data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        # as VPP: the hash that chose the first path would choose the same one again, so take its other bits
        m.flow_hash = (m.flow_hash >> 1) & 0x7FFFFFFF
        finish(frame, i, b, m.adj, r.lbs, r.buckets, r.counters)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """Tables and this node's route counters."""
    fibs = plane.shared(Fibs)
    forwarding = plane.shared(Forwarding)
    node.data["roots"] = fibs.roots_address
    node.data["plies"] = fibs.plies_address
    node.data["lbs"] = forwarding.lb_address
    node.data["buckets"] = forwarding.bucket_address
    counters = forwarding.route_to if node.type.name == "ip4-lookup" else forwarding.route_via
    node.data["counters"] = counters.addresses


IP4_LOOKUP = NodeType(
    name="ip4-lookup",
    kernel=ip4_lookup,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=LOOKUP_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
IP4_LOAD_BALANCE = NodeType(
    name="ip4-load-balance",
    kernel=ip4_load_balance,
    sibling_of="ip4-lookup",
    runtime=RUNTIME,
    trace=LOOKUP_TRACE,
    bind=bind,
)
