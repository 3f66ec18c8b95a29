"""ip4-sv-reassembly-feature: every packet goes on with its L4 header known, fragments with that of their first one.

Shallow virtual reassembly, as in VPP: fragments stay fragments. Those that come before the first one wait for it, and
leave with it in the order in which they came; those behind it go straight on. In extended mode the features wait for
the last fragment, too. What is known is in the metadata (`vectorplane.graph_nodes.ip4_sv_buffer`). ``-feature`` stands
on arc ip4-unicast, ``-output-feature`` on ip4-output; ``ip4-sv-reassembly`` is for other nodes and goes to ip4-input.

Limits, VPP's by default: 1,024 contexts a worker (the oldest one goes then), 3 fragments that wait in one, 100 ms
since its last fragment. Dropped are "malformed packets" (less than 8 bytes in all but the last; beyond 65,515 bytes),
"fragment chain too long (drop)" and "unsupported ip protocol" (the first fragment has no ports): the fragment that was
the one too many, with all that wait.

A datagram's fragments all go to one worker as in full reassembly.

Balance: a fragment that waits is consumed ("fragments held for reassembly", a counter of our own), and generated
again when it goes on. So those that are freed later were consumed already: "held fragments dropped" only informs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import KEPT, NODE, WORKER, buffer_index, frame_n, get_next, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, buffer_at
from vectorplane.dataplane.event import post
from vectorplane.dataplane.feature import Feature, feature_next
from vectorplane.dataplane.frame import emit
from vectorplane.dataplane.interface import I_IP4_TABLE, INTERFACE_SIZE
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.trace import add_trace, is_traced
from vectorplane.graph_nodes import errors4
from vectorplane.graph_nodes.drop import count_consumed, count_drop
from vectorplane.graph_nodes.errors4 import (
    REASS_FRAGMENT_CHAIN_TOO_LONG,
    REASS_MALFORMED_PACKET,
    REASS_UNSUPP_IP_PROT,
)
from vectorplane.graph_nodes.event_kinds import SV_REASSEMBLY_STARTED
from vectorplane.graph_nodes.forwarding import ADJ_SIZE, ADJACENCY, Forwarding
from vectorplane.graph_nodes.ip4_header import FRAGMENT, ID, LENGTH, MORE_FRAGMENTS, OFFSET_MASK, SOURCE
from vectorplane.graph_nodes.ip4_header import PROTOCOL as PROTOCOL_AT
from vectorplane.graph_nodes.ip4_reassembly_owner import OWNERS, PASSED, REFUSED, bind_owners, pass_to_owner
from vectorplane.graph_nodes.ip4_reassembly_table import CONTEXT, TABLE, context_at, create, find
from vectorplane.graph_nodes.ip4_sv_buffer import (
    BITS,
    INFO_WORD,
    IS_FRAGMENT,
    NOT_FIRST,
    SEQ_WORD,
    SV_BUFFER,
    TRUNCATED,
)
from vectorplane.graph_nodes.ip4_sv_contexts import FIRST, INFO, LAST, SvReassembly, drop_waiting, info_of, too_old
from vectorplane.graph_nodes.ip4_sv_l4 import read_l4
from vectorplane.graph_nodes.rare import free
from vectorplane.jit.kernel import helper, kernel, routine
from vectorplane.jit.ops import be16, ld8, ld16, ld32s, ld64, offsets, prefetch, rec, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip4-input", "ip4-drop")
INPUT, DROP = range(2)
CONGESTION, HELD, FREED = (len(errors4.ERRORS) + k for k in range(3))
ERRORS = (
    *errors4.ERRORS,
    ("reass_congestion", "congestion drop"),
    ("reass_fragments_held", "fragments held for reassembly"),
    ("reass_held_dropped", "held fragments dropped"),
)
RUNTIME = np.dtype([("table", "i8"), ("arc", "i8"), ("adjacencies", "i8"), ("kind", "i8"), ("owners", OWNERS)])
(_OWNERS,) = offsets(RUNTIME, "owners")
PLAIN, FEATURE, OUTPUT = range(3)
"""`kind`: which of the three nodes."""
NAMES = ("ip4-sv-reassembly", "ip4-sv-reassembly-feature", "ip4-sv-reassembly-output-feature")
TRACE = np.dtype([("ports", "i4"), ("protocol", "i4"), ("bits", "i4"), ("held", "i4")], align=True)
_FRAGMENT_LE = 0xFF3F
"""More fragments, and the offset, in the flags word as a little-endian load sees it."""


@helper
def _l3(b: int, r_kind: int, adjacencies: int) -> int:
    """Bytes in front of the IP header."""
    if r_kind == OUTPUT:
        return int(rec(adjacencies + rec(b, BUFFER).adj * ADJ_SIZE, ADJACENCY).rewrite_length)
    return 0


@helper
def _onward(b: int, kind: int, arc: int) -> int:
    """The slot of a packet that goes on."""
    return INPUT if kind == PLAIN else feature_next(arc, b)


@routine
def tell(table: int, index: int, b: int, not_first: bool) -> None:
    """Give a fragment the L4 header of its datagram."""
    i = rec(info_of(table, index), INFO)
    st64(b + INFO_WORD, i.word | (IS_FRAGMENT | (NOT_FIRST if not_first else 0)) << BITS)
    st64(b + SEQ_WORD, i.seq)


@routine
def context_of(worker: int, table: int, b: int, ip: int, errors: int) -> int:
    """The context of a fragment, a new one if need be; when there are too many the oldest one goes."""
    w = rec(worker, WORKER)
    t = rec(table, TABLE)
    m = rec(b, BUFFER)
    fib = ld32s(w.interfaces + m.rx_sw_if * INTERFACE_SIZE + I_IP4_TABLE)
    key = (fib << 32) | (ld8(ip + PROTOCOL_AT) << 16) | be16(ip + ID)
    addresses = ld64(ip + SOURCE)
    index = find(table, key, addresses)
    if index >= 0 and too_old(table, index, m.time):
        drop_waiting(worker, table, index, errors + FREED)
        index = -1
    if index < 0:
        while t.count >= t.max_contexts and t.oldest >= 0:
            drop_waiting(worker, table, t.oldest, errors + FREED)
        index = create(table, key, addresses)
        rec(context_at(table, index), CONTEXT).errors = errors
        if t.armed == 0:
            t.armed = post(worker, SV_REASSEMBLY_STARTED, m.rx_sw_if, m.time, 0, 0, 0)
    rec(context_at(table, index), CONTEXT).heard = m.time
    return index


@routine
def fragment(worker: int, node: int, frame: int, i: int, sent: int) -> int:
    """A fragment: it goes on, waits, or is dropped. Gives how many packets have left the frame already."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    errors = d.err_base
    bi = buffer_index(frame, i)
    b = buffer_at(worker, bi)
    m = rec(b, BUFFER)
    l3 = _l3(b, r.kind, r.adjacencies)
    ip = b + DATA + m.current_data + l3
    if ld64(d.data + _OWNERS) != 0:
        passed = pass_to_owner(worker, d.data + _OWNERS, frame, i, ip)
        if passed == PASSED:
            set_next(frame, i, KEPT)
            return sent
        if passed == REFUSED:
            m.error = errors + CONGESTION
            set_next(frame, i, DROP)
            return sent
    place = be16(ip + FRAGMENT)
    offset = place & OFFSET_MASK
    size = be16(ip + LENGTH) - (ld8(ip) & 15) * 4
    if size <= 0 or offset * 8 + size > 0xFFFF - 20 or (size < 8 and place & MORE_FRAGMENTS):
        m.error = errors + REASS_MALFORMED_PACKET
        set_next(frame, i, DROP)
        return sent
    table = r.table
    index = context_of(worker, table, b, ip, errors)
    c = rec(context_at(table, index), CONTEXT)
    needed = FIRST
    if r.kind != PLAIN and rec(table, TABLE).extended != 0:
        needed |= LAST
    if c.data & needed == needed:
        tell(table, index, b, offset != 0)
        set_next(frame, i, _onward(b, r.kind, r.arc))
        return sent
    if offset == 0:
        read_l4(b, ip, m.current_length - l3)
        word = ld64(b + INFO_WORD)
        if word & 0xFFFF == 0 or (word >> 16) & 0xFFFF == 0:
            count_drop(worker, errors + REASS_UNSUPP_IP_PROT)
            free(worker, bi)
            drop_waiting(worker, table, index, errors + FREED)
            set_next(frame, i, KEPT)
            return sent
        c.data |= FIRST
        info = rec(info_of(table, index), INFO)
        info.word = word & ~(TRUNCATED << BITS)
        info.seq = ld64(b + SEQ_WORD)
    if place & MORE_FRAGMENTS == 0:
        c.data |= LAST
    if c.data & needed == needed:
        # what came before leaves first, then those that waited, in their order, then this one
        for j in range(sent, i):
            if get_next(frame, j) != KEPT:
                emit(worker, node, get_next(frame, j), buffer_index(frame, j))
                set_next(frame, j, KEPT)
        at = c.first
        while at >= 0:
            waiting = buffer_at(worker, at)
            following = rec(waiting, SV_BUFFER).next
            waiting_ip = waiting + DATA + rec(waiting, BUFFER).current_data + _l3(waiting, r.kind, r.adjacencies)
            tell(table, index, waiting, be16(waiting_ip + FRAGMENT) & OFFSET_MASK != 0)
            w.generated += 1
            emit(worker, node, _onward(waiting, r.kind, r.arc), at)
            at = following
        c.first = -1
        tell(table, index, b, offset != 0)
        emit(worker, node, _onward(b, r.kind, r.arc), bi)
        set_next(frame, i, KEPT)
        return i + 1
    set_next(frame, i, KEPT)
    if c.fragments >= rec(table, TABLE).max_fragments:
        count_drop(worker, errors + REASS_FRAGMENT_CHAIN_TOO_LONG)
        free(worker, bi)
        drop_waiting(worker, table, index, errors + FREED)
        return sent
    c.fragments += 1
    count_consumed(worker, errors + HELD)
    rec(b, SV_BUFFER).next = -1
    if c.first < 0:
        c.first = bi
    else:
        rec(buffer_at(worker, c.last_octet), SV_BUFFER).next = bi
    c.last_octet = bi
    return sent


@kernel
def ip4_sv_reassembly(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    r = rec(rec(node, NODE).data, RUNTIME)
    kind = r.kind
    arc = r.arc
    adjacencies = r.adjacencies
    n = frame_n(frame)
    sent = 0
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        l3 = _l3(b, kind, adjacencies)
        ip = b + DATA + m.current_data + l3
        if ld16(ip + FRAGMENT) & _FRAGMENT_LE:
            sent = fragment(worker, node, frame, i, sent)
        else:
            read_l4(b, ip, m.current_length - l3)
            set_next(frame, i, _onward(b, kind, arc))
    return n


@kernel
def trace_sv(worker: int, node: int, frame: int) -> int:
    """A `TRACE` for each traced packet that the node has not given away."""
    pool = rec(worker, WORKER).pool
    r = rec(rec(node, NODE).data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        bi = buffer_index(frame, i)
        b = pool + bi * CELL
        if is_traced(b):
            t = add_trace(worker, node, b, bi, INPUT)
            if t != 0:
                m = rec(b, BUFFER)
                l3 = _l3(b, r.kind, r.adjacencies)
                ip = b + DATA + m.current_data + l3
                x = rec(t, TRACE)
                x.held = ld16(ip + FRAGMENT) & _FRAGMENT_LE != 0
                x.bits = 0
                x.protocol = ld8(ip + PROTOCOL_AT)
                x.ports = 0
                if not x.held:
                    read_l4(b, ip, m.current_length - l3)
                    x.ports = rec(b, SV_BUFFER).ports
                    x.bits = rec(b, SV_BUFFER).bits
    return n


def format_trace(record: Any, plane: Dataplane) -> str:
    """``[not-fragmented]``, as VPP's; of a fragment only that it is one: what becomes of it is known later."""
    text = "[fragment]" if int(record["held"]) else "[not-fragmented]"
    return text + (" [l4-hdr-truncated]" if int(record["bits"]) & TRUNCATED else "")


def bind(plane: Dataplane, node: Node) -> None:
    """The workers' contexts, and which of the nodes this is."""
    kind = NAMES.index(node.type.name)
    data = node.data
    data["kind"] = kind
    data["table"] = plane.shared(SvReassembly).addresses
    data["adjacencies"] = plane.shared(Forwarding).adj_address
    if kind != PLAIN:
        data["arc"] = plane.arcs[node.type.features[0].arc].address
    bind_owners(plane, node)


def _node(kind: int, *features: Feature) -> NodeType:
    return NodeType(
        name=NAMES[kind],
        kernel=ip4_sv_reassembly,
        nexts=NEXTS,
        errors=ERRORS,
        runtime=RUNTIME,
        trace=Trace(TRACE, trace_sv, format_trace, before=True),
        bind=bind,
        features=features,
        doc=__doc__ or "",
    )


IP4_SV_REASSEMBLY = _node(PLAIN)
IP4_SV_REASSEMBLY_FEATURE = _node(FEATURE, Feature("ip4-unicast", before=("ip4-lookup",)))
IP4_SV_REASSEMBLY_OUTPUT_FEATURE = _node(OUTPUT, Feature("ip4-output", before=("interface-output",)))
