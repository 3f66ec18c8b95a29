"""nat44-in2out-worker-handoff, -out2in-, -in2out-output-: with several workers, each flow goes on at its own one.

That is the worker that has the packet's session; for a new flow see `vectorplane.graph_nodes.nat44.owner`. A full ring
refuses packets ("congestion drop").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import KEPT, NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.feature import Feature, feature_next
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.forwarding import Forwarding
from vectorplane.graph_nodes.handoff import Handoffs, handoff
from vectorplane.graph_nodes.ip4_header import PROTOCOL, SOURCE
from vectorplane.graph_nodes.ip4_sv_buffer import INFO_WORD
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.nat44.buffer import NAT_BUFFER
from vectorplane.graph_nodes.nat44.flow_table import find
from vectorplane.graph_nodes.nat44.mappings import external_port_of, match_external, match_local
from vectorplane.graph_nodes.nat44.match import MATCH, icmp_match, key_of, put_match, reversed_addresses, reversed_key
from vectorplane.graph_nodes.nat44.nat import MAPPING, NAT
from vectorplane.graph_nodes.nat44.nexts import DROP, IN2OUT, OUT2IN, OUTPUT
from vectorplane.graph_nodes.nat44.owner import partition_of
from vectorplane.graph_nodes.nat44.packet import fib_of, header_offset
from vectorplane.graph_nodes.nat44.pre import BEFORE_LOOKUP, OUTPUT_FEATURE
from vectorplane.graph_nodes.nat44.reach import tx_fib_of
from vectorplane.graph_nodes.nat44.session import COLD, P_ICMP, cold_at
from vectorplane.graph_nodes.nat44.tables import NatTables
from vectorplane.jit.kernel import kernel, routine
from vectorplane.jit.ops import ld8, ld64, offsets, rec, shr

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

ERRORS = named_by_text("congestion drop", "same worker", "do handoff")
E_CONGESTION, E_SAME, E_HANDOFF = range(len(ERRORS))
WAY_IN2OUT, WAY_OUT2IN, WAY_OUTPUT = range(3)
NAMES = ("nat44-in2out-worker-handoff", "nat44-out2in-worker-handoff", "nat44-in2out-output-worker-handoff")
_ONWARD = ("nat44-ed-in2out", "nat44-ed-out2in", "nat44-ed-in2out-output")
_SLOTS = (IN2OUT, OUT2IN, OUTPUT)
RUNTIME = np.dtype(
    [
        ("nat", "i8"),
        ("arc", "i8"),
        ("adjacencies", "i8"),
        ("way", "i8"),
        ("rings", "i8"),
        ("ring_slot", "i8"),
        ("slot", "i8"),
        ("match", MATCH),
    ]
)
(_MATCH,) = offsets(RUNTIME, "match")
TRACE = np.dtype([("worker", "i4"), ("trace_index", "i4"), ("way", "i4")])


@routine
def worker_of(nat: int, addresses: int, key: int, way: int) -> int:
    """The worker of a packet, which has this match as the node for its way sees it."""
    n = rec(nat, NAT)
    number = find(nat, addresses, key)
    if number < 0 and way == WAY_OUTPUT:  # of what NAT translated before, and of the answers to that
        fib = tx_fib_of(nat, (key >> 8) & 0xFFFFFF, shr(addresses, 32))
        number = find(nat, addresses, key_of(shr(key, 32), fib, key & 0xFF))
        if number < 0:
            number = find(nat, reversed_addresses(addresses), reversed_key(key))
    if number >= 0:
        return int(rec(cold_at(n.colds, number >> 1), COLD).worker)
    proto = key & 0xFF
    ports = shr(key, 32)
    if way == WAY_OUT2IN:
        m = match_external(nat, shr(addresses, 32), shr(ports, 16), proto)
        far = ports & 0xFFFF
        if m != 0 and rec(m, MAPPING).affinity > 0:
            far = 0  # all of a client's flows to the service meet
        return partition_of(nat, addresses & 0xFFFFFFFF, far, shr(ports, 16), proto) % n.workers
    own = ports & 0xFFFF
    m = match_local(nat, addresses & 0xFFFFFFFF, own, (key >> 8) & 0xFFFFFF, proto)
    if m != 0:
        own = external_port_of(m, own)
    return partition_of(nat, shr(addresses, 32), shr(ports, 16), own, proto) % n.workers


@routine
def target_of(worker: int, node: int, b: int) -> int:
    """The worker of the packet at ``b``."""
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    m = rec(b, BUFFER)
    l3 = header_offset(b, r.adjacencies, r.way == WAY_OUTPUT)
    ip = b + DATA + m.current_data + l3
    fib = fib_of(worker, m.rx_sw_if)
    match = d.data + _MATCH
    proto = ld8(ip + PROTOCOL)
    if proto != P_ICMP or not icmp_match(b, ip, m.current_length - l3, fib, match):
        put_match(match, ld64(ip + SOURCE), key_of(ld64(b + INFO_WORD) & 0xFFFFFFFF, fib, proto))
    return worker_of(r.nat, rec(match, MATCH).addresses, rec(match, MATCH).key, r.way)


@kernel
def worker_handoff(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    same = 0
    n = frame_n(frame)
    for i in range(n):
        bi = buffer_index(frame, i)
        b = w.pool + bi * CELL
        rec(b, NAT_BUFFER).arc_next = feature_next(r.arc, b)
        target = target_of(worker, node, b)
        if target == w.index:
            same += 1
            set_next(frame, i, r.slot)
        elif handoff(worker, r.rings, target, r.ring_slot, bi) != 0:
            set_next(frame, i, KEPT)
        else:
            rec(b, BUFFER).error = d.err_base + E_CONGESTION
            set_next(frame, i, DROP)
    count(worker, d.err_base + E_SAME, same)
    count(worker, d.err_base + E_HANDOFF, n - same)
    return n


@kernel
def trace_handoff(worker: int, node: int, frame: int) -> int:
    """The worker of each traced packet; it runs before the packets are given away."""
    pool = rec(worker, WORKER).pool
    r = rec(rec(node, NODE).data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            b = pool + buffer_index(frame, i) * CELL
            x = rec(t, TRACE)
            x.worker = target_of(worker, node, b)
            x.trace_index = rec(b, BUFFER).trace
            x.way = r.way
    return n


def format_trace(record: Any, plane: Dataplane) -> str:
    """``NAT44_IN2OUT_WORKER_HANDOFF : next-worker 1 trace index 0``."""
    way = int(record["way"])
    tag = "OUT2IN" if way == WAY_OUT2IN else "IN2OUT"
    feature = "OUTPUT-FEATURE" if way == WAY_OUTPUT else ""
    worker, index = int(record["worker"]), int(record["trace_index"])
    return f"NAT44_{tag}_WORKER_HANDOFF {feature}: next-worker {worker} trace index {index}"


def bind(plane: Dataplane, node: Node) -> None:
    """NAT's memory, the rings between workers, and where packets go on."""
    way = NAMES.index(node.type.name)
    data = node.data
    data["nat"] = plane.shared(NatTables).address
    data["arc"] = plane.arcs[node.type.features[0].arc].address
    data["adjacencies"] = plane.shared(Forwarding).adj_address
    data["way"] = way
    data["slot"] = _SLOTS[way]
    if plane.graph.workers > 1:
        handoffs = plane.shared(Handoffs)
        data["rings"] = handoffs.rings
        data["ring_slot"] = handoffs.slot(_ONWARD[way])


def _node(way: int, feature: Feature) -> NodeType:
    return NodeType(
        name=NAMES[way],
        kernel=worker_handoff,
        sibling_of="nat-default",
        errors=ERRORS,
        runtime=RUNTIME,
        trace=Trace(TRACE, trace_handoff, format_trace, before=True),
        bind=bind,
        features=(feature,),
        doc=__doc__ or "",
    )


_AFTER = ("acl-plugin-in-ip4-fa", "ip4-sv-reassembly-feature")
NAT44_IN2OUT_WORKER_HANDOFF = _node(WAY_IN2OUT, Feature("ip4-unicast", after=_AFTER, before=BEFORE_LOOKUP))
NAT44_OUT2IN_WORKER_HANDOFF = _node(
    WAY_OUT2IN, Feature("ip4-unicast", after=(*_AFTER, "ip4-dhcp-client-detect"), before=BEFORE_LOOKUP)
)
NAT44_IN2OUT_OUTPUT_WORKER_HANDOFF = _node(WAY_OUTPUT, OUTPUT_FEATURE)
