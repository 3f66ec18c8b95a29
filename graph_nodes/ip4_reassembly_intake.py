"""What becomes of one fragment: refused, held, or the datagram complete (see `ip4_reassembly` for the rules)."""

from __future__ import annotations

from vectorplane.dataplane.abi import WORKER
from vectorplane.dataplane.buffer import BUFFER, DATA, buffer_at, length_in_chain
from vectorplane.dataplane.event import post
from vectorplane.dataplane.interface import I_IP4_TABLE, INTERFACE_SIZE
from vectorplane.graph_nodes.drop import count, count_drop
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
from vectorplane.graph_nodes.ip4_reassembly_control import expire_before
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
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import be16, ld8, ld32s, ld64, rec

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
