"""ip4-full-reassembly: datagrams made whole again from their fragments (RFC 791 3.2), as VPP does it.

Three nodes share the contexts: `ip4-local-full-reassembly` for packets to this router (from ip4-local),
`ip4-full-reassembly-feature` on arc ip4-unicast for all that an interface receives, and `ip4-full-reassembly` for
other nodes. What is whole goes on to ip4-input (the feature: to the next feature).

Limits, VPP's by default: 1,024 contexts a worker, 3 fragments in a context, 200 ms since its last fragment. A
datagram completed by its fourth fragment is still let through. Dropped are "malformed packets" (less than
8 bytes in all but the last; what reaches beyond 65,515 bytes),
"duplicate/overlapping fragments" (wholly inside what is there; other overlaps are resolved, see
`ip4_reassembly_ranges`), "drops due to concurrent reassemblies limit" and, with its whole context, the fragment
that makes it too many: "fragment chain too long (drop)".

Time is the packets' own: before a fragment is looked at, all contexts whose time was up when it came are freed.
So the result does not depend on how packets fall into vectors; `Reassembly.expire` does the same from a timer
when no fragment comes any more.

Balance: a fragment that is held counts as consumed at that moment ("fragments held for reassembly", a counter of
our own). The fragment that completes a datagram is not held: it goes on as the whole packet, so nothing is
generated. Fragments freed later, with a context that expires or is given up or by an overlap, were consumed
already: "fragments dropped due to reassembly timeout" (one a context, as in VPP) only informs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import KEPT, NODE, WORKER, buffer_index, frame_n, put, set_next
from vectorplane.dataplane.buffer import BUFFER, DATA, buffer_at, length_in_chain
from vectorplane.dataplane.event import post
from vectorplane.dataplane.feature import Feature, feature_next
from vectorplane.dataplane.interface import I_IP4_TABLE, INTERFACE_SIZE
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes import errors4
from vectorplane.graph_nodes.drop import count, count_consumed, count_drop
from vectorplane.graph_nodes.errors4 import (
    REASS_DUPLICATE_FRAGMENT,
    REASS_FRAGMENT_CHAIN_TOO_LONG,
    REASS_FRAGMENTS_RCVD,
    REASS_FRAGMENTS_REASSEMBLED,
    REASS_INTERNAL_ERROR,
    REASS_LIMIT_REACHED,
    REASS_MALFORMED_PACKET,
    REASS_SUCCESS,
)
from vectorplane.graph_nodes.event_kinds import REASSEMBLY_STARTED
from vectorplane.graph_nodes.ip4_header import FRAGMENT, ID, LENGTH, MORE_FRAGMENTS, OFFSET_MASK, PROTOCOL, SOURCE
from vectorplane.graph_nodes.ip4_reassembly_control import Reassembly, expire_before
from vectorplane.graph_nodes.ip4_reassembly_join import join
from vectorplane.graph_nodes.ip4_reassembly_ranges import insert
from vectorplane.graph_nodes.ip4_reassembly_table import (
    CONTEXT,
    RANGE,
    TABLE,
    context_at,
    create,
    find,
    forget,
    free_ranges,
    join_order,
    leave_order,
    range_of,
)
from vectorplane.graph_nodes.rare import free
from vectorplane.graph_nodes.trace_ip4 import IP4_BEFORE_TRACE
from vectorplane.jit.kernel import helper, kernel, routine
from vectorplane.jit.ops import be16, ld8, ld32s, ld64, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip4-input", "ip4-drop")
INPUT, DROP = range(2)

HELD = len(errors4.ERRORS)
ERRORS = (*errors4.ERRORS, ("reass_fragments_held", "fragments held for reassembly"))

RUNTIME = np.dtype([("table", "i8"), ("arc", "i8"), ("kind", "i8")])

NAMES = ("ip4-full-reassembly", "ip4-local-full-reassembly", "ip4-full-reassembly-feature")
LOCAL, FEATURE = 1, 2
"""`kind`: which of the three nodes."""
HOLD, GIVE_UP, GONE = -1, -2, -3
"""`take_in`: the fragment is held; it is to be dropped for its `error`; it was dropped, with its context."""


@helper
def malformed(b: int, ip: int) -> bool:
    """Is this no fragment that could be part of a datagram?"""
    m = rec(b, BUFFER)
    header = (ld8(ip) & 15) * 4
    total = be16(ip + LENGTH)
    if header < 20 or header > m.current_length or total <= header or total > length_in_chain(b):
        return True
    place = be16(ip + FRAGMENT)
    size = total - header
    return (place & OFFSET_MASK) * 8 + size > 0xFFFF - 20 or (size < 8 and (place & MORE_FRAGMENTS) != 0)


@routine
def context_of(worker: int, table: int, b: int, ip: int, errors: int) -> int:
    """The context of the fragment at ``b``, a new one if need be; -1 when there are too many."""
    w = rec(worker, WORKER)
    m = rec(b, BUFFER)
    fib = m.tx_sw_if
    if fib < 0:
        fib = ld32s(w.interfaces + m.rx_sw_if * INTERFACE_SIZE + I_IP4_TABLE)
    key = (fib << 32) | (ld8(ip + PROTOCOL) << 16) | be16(ip + ID)
    addresses = ld64(ip + SOURCE)
    index = find(table, key, addresses)
    if index >= 0:
        leave_order(table, index)
        join_order(table, index)
    else:
        index = create(table, key, addresses)
        if index < 0:
            return -1
        rec(context_at(table, index), CONTEXT).errors = errors
        t = rec(table, TABLE)
        if t.armed == 0:
            t.armed = post(worker, REASSEMBLY_STARTED, m.rx_sw_if, m.time, 0, 0, 0)
    rec(context_at(table, index), CONTEXT).heard = m.time
    return index


@routine
def complete(worker: int, table: int, index: int, b: int, errors: int) -> int:
    """Make the packet of a complete context; gives its buffer index, `GIVE_UP` when it cannot be."""
    c = rec(context_at(table, index), CONTEXT)
    head = c.first
    fragments = c.fragments
    if join(worker, head) == 0:
        return GIVE_UP
    n = rec(buffer_at(worker, head), BUFFER)
    m = rec(b, BUFFER)
    n.time = m.time  # the packet exists since its last fragment came
    n.seq = m.seq
    count(worker, errors + REASS_SUCCESS, 1)
    count(worker, errors + REASS_FRAGMENTS_REASSEMBLED, fragments)
    forget(table, index)
    return int(head)


def _take_in(worker: int, table: int, bi: int, errors: int) -> int:
    """Take fragment ``bi`` in: the whole packet's buffer index, or `HOLD`, `GIVE_UP`, `GONE`."""
    b = buffer_at(worker, bi)
    m = rec(b, BUFFER)
    ip = b + DATA + m.current_data
    count(worker, errors + REASS_FRAGMENTS_RCVD, 1)
    if malformed(b, ip):
        m.error = errors + REASS_MALFORMED_PACKET
        return GIVE_UP
    expire_before(worker, table, m.time)
    index = context_of(worker, table, b, ip, errors)
    if index < 0:
        m.error = errors + REASS_LIMIT_REACHED
        return GIVE_UP
    c = rec(context_at(table, index), CONTEXT)
    total = be16(ip + LENGTH)
    place = be16(ip + FRAGMENT)
    r = rec(range_of(b), RANGE)
    r.first = (place & OFFSET_MASK) * 8
    r.last = r.first + total - (ld8(ip) & 15) * 4 - 1
    r.fragment_first = r.first
    r.fragment_last = r.last
    r.next = -1
    if (place & MORE_FRAGMENTS) == 0:
        c.last_octet = r.last
    c.min_length = min(total, c.min_length) if c.fragments > 0 else total
    added = insert(worker, context_at(table, index), bi)
    c.fragments += added
    if c.last_octet >= 0 and c.data == c.last_octet + 1:
        whole = complete(worker, table, index, b, errors)
        if whole >= 0:
            if added == 0:
                free(worker, bi)
            return whole
        m.error = errors + REASS_INTERNAL_ERROR
    elif added == 0:
        m.error = errors + REASS_DUPLICATE_FRAGMENT
        return GIVE_UP
    elif c.fragments > rec(table, TABLE).max_fragments and c.fragments > 1:
        m.error = errors + REASS_FRAGMENT_CHAIN_TOO_LONG
    else:
        return HOLD
    # the context is given up, and this fragment with it
    error = m.error
    if added == 0:
        free(worker, bi)
    free_ranges(worker, c.first)
    forget(table, index)
    count_drop(worker, error)
    return GONE


take_in = routine(_take_in)


@kernel
def ip4_full_reassembly(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    kind = r.kind
    errors = d.err_base
    for i in range(frame_n(frame)):
        bi = buffer_index(frame, i)
        b = buffer_at(worker, bi)
        m = rec(b, BUFFER)
        whole = bi
        dropped = False
        if m.current_length < 20:
            m.error = errors + REASS_MALFORMED_PACKET
            dropped = True
        elif be16(b + DATA + m.current_data + FRAGMENT) & (MORE_FRAGMENTS | OFFSET_MASK):
            if kind == LOCAL and rec(r.table, TABLE).local_enabled == 0:
                dropped = True
            else:
                whole = take_in(worker, r.table, bi, errors)
                dropped = whole == GIVE_UP
        if dropped:
            set_next(frame, i, DROP)
        elif whole == HOLD:
            count_consumed(worker, errors + HELD)
            set_next(frame, i, KEPT)
        elif whole < 0:
            set_next(frame, i, KEPT)
        else:
            slot = INPUT
            if kind == FEATURE:
                slot = feature_next(r.arc, buffer_at(worker, whole))
            put(frame, i, whole, slot)
    return frame_n(frame)


def bind(plane: Dataplane, node: Node) -> None:
    """The workers' contexts, the arc of the feature, and which of the nodes this is."""
    node.data["kind"] = NAMES.index(node.type.name)
    node.data["table"] = plane.shared(Reassembly).addresses
    node.data["arc"] = plane.arcs["ip4-unicast"].address


IP4_FULL_REASSEMBLY = NodeType(
    name=NAMES[0],
    kernel=ip4_full_reassembly,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=IP4_BEFORE_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
IP4_LOCAL_FULL_REASSEMBLY = NodeType(
    name=NAMES[LOCAL],
    kernel=ip4_full_reassembly,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=IP4_BEFORE_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
IP4_FULL_REASSEMBLY_FEATURE = NodeType(
    name=NAMES[FEATURE],
    kernel=ip4_full_reassembly,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=IP4_BEFORE_TRACE,
    bind=bind,
    features=(Feature("ip4-unicast", before=("ip4-lookup", "ipsec4-input-feature", "ip4-sv-reassembly-feature")),),
    doc=__doc__ or "",
)
