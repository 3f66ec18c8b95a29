"""nat44-ed-classify, nat44-handoff-classify: an interface that is both inside and outside: which way does a packet go?

The way that its session says; without one (and always for ICMP) outwards, unless it is for an address of the pool or
the external address of a mapping. `nat44-handoff-classify` does the same without a look at sessions, in front of the
nodes that choose the worker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, get_next, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.feature import Feature, feature_next
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.ip4_header import DESTINATION, PROTOCOL, SOURCE
from vectorplane.graph_nodes.ip4_sv_buffer import INFO_WORD
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.nat44.buffer import NAT_BUFFER
from vectorplane.graph_nodes.nat44.flow_table import find
from vectorplane.graph_nodes.nat44.mappings import by_external
from vectorplane.graph_nodes.nat44.match import key_of
from vectorplane.graph_nodes.nat44.nat import MAPPING, NAT, POOL, POOL_SIZE
from vectorplane.graph_nodes.nat44.nexts import IN2OUT, IN2OUT_HANDOFF, OUT2IN, OUT2IN_HANDOFF
from vectorplane.graph_nodes.nat44.packet import fib_of
from vectorplane.graph_nodes.nat44.pre import AFTER_REASSEMBLY, BEFORE_LOOKUP
from vectorplane.graph_nodes.nat44.session import I2O, P_ICMP
from vectorplane.graph_nodes.nat44.tables import NatTables
from vectorplane.jit.kernel import helper, kernel, routine
from vectorplane.jit.ops import ld8, ld32, ld32s, ld64, prefetch, rec, shr

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

ERRORS = named_by_text("next in2out", "next out2in", "fragment cached")
E_IN2OUT, E_OUT2IN, _ = range(len(ERRORS))
RUNTIME = np.dtype([("nat", "i8"), ("arc", "i8")])
TRACE = np.dtype([("next_in2out", "i4")])


@routine
def comes_back(nat: int, ip: int, ports: int) -> bool:
    """Is the destination one that NAT gives to inside hosts?"""
    n = rec(nat, NAT)
    destination = ld32(ip + DESTINATION)
    signed = ld32s(ip + DESTINATION)
    for k in range(n.n_pool):
        if rec(n.pool + k * POOL_SIZE, POOL).address == signed:
            return True
    if n.n_mappings == 0:
        return False
    m = by_external(nat, destination, 0, 0)
    if m == 0:
        m = by_external(nat, destination, shr(ports, 16), ld8(ip + PROTOCOL))
    return m != 0 and rec(m, MAPPING).local != rec(m, MAPPING).external


@helper
def classify(worker: int, node: int, frame: int, handoff: bool) -> int:
    """The body of both nodes."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    nat = r.nat
    inward = OUT2IN_HANDOFF if handoff else OUT2IN
    outward = IN2OUT_HANDOFF if handoff else IN2OUT
    back = 0
    n = frame_n(frame)
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        ip = b + DATA + m.current_data
        ports = ld64(b + INFO_WORD) & 0xFFFFFFFF
        if not handoff:
            rec(b, NAT_BUFFER).arc_next = feature_next(r.arc, b)
        number = -1
        if not handoff and ld8(ip + PROTOCOL) != P_ICMP:
            number = find(nat, ld64(ip + SOURCE), key_of(ports, fib_of(worker, m.rx_sw_if), ld8(ip + PROTOCOL)))
        slot = outward
        if number >= 0:
            if number & 1 != I2O:
                slot = inward
        elif comes_back(nat, ip, ports):
            slot = inward
        back += slot == inward
        set_next(frame, i, slot)
    count(worker, d.err_base + E_IN2OUT, n - back)
    count(worker, d.err_base + E_OUT2IN, back)
    return n


@kernel
def ed_classify(worker: int, node: int, frame: int) -> int:
    """By sessions, too."""
    return classify(worker, node, frame, False)


@kernel
def handoff_classify(worker: int, node: int, frame: int) -> int:
    """By addresses alone."""
    return classify(worker, node, frame, True)


@kernel
def trace_classify(worker: int, node: int, frame: int) -> int:
    """The way of each traced packet."""
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            slot = get_next(frame, i)
            rec(t, TRACE).next_in2out = (slot == IN2OUT) | (slot == IN2OUT_HANDOFF)
    return n


def format_trace(record: Any, plane: Dataplane) -> str:
    """``nat44-classify: next nat44-ed-in2out``."""
    return f"nat44-classify: next nat44-ed-{'in2out' if int(record['next_in2out']) else 'out2in'}"


def bind(plane: Dataplane, node: Node) -> None:
    """Where NAT's memory and the arc are."""
    node.data["nat"] = plane.shared(NatTables).address
    node.data["arc"] = plane.arcs["ip4-unicast"].address


def _node(name: str, kernel_: object) -> NodeType:
    return NodeType(
        name=name,
        kernel=kernel_,  # type: ignore[arg-type]
        sibling_of="nat-default",
        errors=ERRORS,
        runtime=RUNTIME,
        trace=Trace(TRACE, trace_classify, format_trace),
        bind=bind,
        features=(Feature("ip4-unicast", after=AFTER_REASSEMBLY, before=BEFORE_LOOKUP),),
        doc=__doc__ or "",
    )


NAT44_ED_CLASSIFY = _node("nat44-ed-classify", ed_classify)
NAT44_HANDOFF_CLASSIFY = _node("nat44-handoff-classify", handoff_classify)
