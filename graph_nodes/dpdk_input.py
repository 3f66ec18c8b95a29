"""dpdk-input: what DPDK ports received. One node serves all ports of an engine, as in VPP.

A worker asks each of its queues in turn, beginning with the one behind that which was first before, until the vector is
full; in bursts of 64, which are still in the cache when their buffers' metadata is written. The shim's burst function
is called by its address. An mbuf of the engine's own pool *is* a buffer (`mbuf`): only its metadata is written. One of
another pool (a port that copies, a ring that another engine feeds), or whose data lies elsewhere, is copied and given
back; when no buffer is free it is dropped ("rx buf alloc from free list failed").

A packet whose IPv4 header checksum the card found wrong is dropped ("Rx ip checksum errors"); what it says of the L4
checksum is noted in the buffer. A port that is administratively down is not asked. What a driver lost (`rx-miss`,
`rx-error`) is counted by the port (`vectorplane.backends.engine.dpdk.port`). Error names are VPP's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import F_N as FRAME_N
from vectorplane.dataplane.abi import FAST, INPUT, NEVER, NODE, WORKER, put
from vectorplane.dataplane.buffer import (
    BUFFER,
    CELL,
    L4_CHECKSUM_COMPUTED,
    L4_CHECKSUM_CORRECT,
    NEXT_PRESENT,
    buffer_at,
)
from vectorplane.dataplane.feature import feature_start
from vectorplane.dataplane.interface import ADMIN_UP, INTERFACE, INTERFACE_SIZE
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.graph_nodes.dpdk_queue import OPEN, QUEUE, QUEUE_SIZE, DpdkQueues
from vectorplane.graph_nodes.drop import count_drop
from vectorplane.graph_nodes.mbuf import (
    ARRAY,
    BUFFER_OF,
    BURST,
    DATA_LEN,
    DATA_OFF,
    IP_BAD,
    L4_BAD,
    L4_GOOD,
    NB_SEGS,
    NEXT,
    NOT_PLAIN,
    OL_FLAGS,
    PKT_LEN,
    POOL,
    REARM,
)
from vectorplane.graph_nodes.mbuf_copy import packet_of
from vectorplane.graph_nodes.trace_formats import ethernet_header
from vectorplane.graph_nodes.trace_packet import BUFFER_TRACE, buffer_text, kept_bytes, next_text, trace_buffer
from vectorplane.jit.kernel import helper, kernel, routine
from vectorplane.jit.ops import call3, ld16, ld32, ld32s, ld64, move32, offsets, prefetch, rec, shr, st16, st32, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "ethernet-input")
DROP, ETHERNET = range(2)
ERRORS = (
    ("none", "no error"),
    ("rx_packet_error", "Rx packet errors"),
    ("rx_bad_fcs", "Rx bad fcs"),
    ("ip_checksum_error", "Rx ip checksum errors"),
    ("rx_alloc_fail", "rx buf alloc from free list failed"),
    ("rx_alloc_no_physmem", "rx buf alloc failed no physmem"),
    ("rx_alloc_drop_pkts", "rx packets dropped due to alloc error"),
)
E_IP_CHECKSUM, E_NO_BUFFERS = 3, 4

RUNTIME = np.dtype(
    [
        ("queues", "i8"),
        ("n_queues", "i8"),
        ("first", "i8"),  # the queue that was asked first
        ("arc", "i8"),
        ("mbufs", "i8"),  # address of an array for a vector's mbufs, and behind it one for those to be given back
        ("pool", "i8"),  # the memory pool of the engine's own buffers; 0: there is none
        ("rx", "i8"),  # the shim's functions
        ("free", "i8"),
        ("seq", "i8"),
        ("model", "i8"),  # address of the first 64 bytes of a received packet's metadata
        ("pad", "i8", (6,)),
    ]
)

_TIME, _RX_SW_IF, _TX_SW_IF, _SEQ = offsets(BUFFER, "time", "rx_sw_if", "tx_sw_if", "seq")
assert _TX_SW_IF == _RX_SW_IF + 4 and offsets(BUFFER, "flags", "trace") == (4, 64)
_FLAGS_SHIFT = 32
_SEGMENTS, _ONE_SEGMENT = 0xFFFF << 32, 1 << 32
assert CELL % 64 == 0 and CELL // 64 % 2 == 1
_INVERSE = pow(CELL // 64, -1, 1 << 32)
_CARD_SAYS = L4_BAD | IP_BAD | L4_GOOD | NOT_PLAIN


@helper
def checked(ol_flags: int) -> int:
    """Buffer flags for what the card says of the L4 checksum."""
    if ol_flags & L4_GOOD:
        return L4_CHECKSUM_COMPUTED | L4_CHECKSUM_CORRECT
    if ol_flags & L4_BAD:
        return L4_CHECKSUM_COMPUTED
    return 0


@routine
def take_chain(worker: int, mbuf: int) -> None:
    """The segments of an mbuf of our pool become a chain of buffers; each mbuf is as a free one again."""
    head = rec(mbuf + BUFFER_OF, BUFFER)
    total = 0
    last = mbuf
    segment = ld64(mbuf + NEXT)
    st64(mbuf + NEXT, 0)
    st16(mbuf + NB_SEGS, 1)
    while segment != 0:
        b = segment + BUFFER_OF
        m = rec(b, BUFFER)
        m.current_data = ld16(segment + REARM) - DATA_OFF
        m.current_length = ld16(segment + DATA_LEN)
        m.flags = 0
        m.total_rest = 0
        m.ref_count = 1
        total += m.current_length
        p = rec(last + BUFFER_OF, BUFFER)
        p.next_buffer = (b - rec(worker, WORKER).pool) // CELL
        p.flags |= NEXT_PRESENT
        last = segment
        segment = ld64(segment + NEXT)
        st64(last + NEXT, 0)
    head.total_rest = total


@helper
def cell_of(distance: int) -> int:
    """``distance // CELL`` of a multiple of it: by the inverse of the odd part, which is quicker than to divide."""
    return (shr(distance, 6) * _INVERSE) & 0xFFFFFFFF


@helper
def is_ours(pool: int, mbuf: int, ol_flags: int) -> bool:
    """Is the mbuf one of our cells, and is its data in it?"""
    return ld64(mbuf + POOL) == pool and (ol_flags & NOT_PLAIN) == 0


@helper
def take_burst(worker: int, node: int, queue: int, frame: int, n: int, got: int) -> int:
    """Put the ``got`` mbufs of the array, which came from the queue, into the frame; gives the packets in it."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    q = rec(queue, QUEUE)
    base = w.pool
    pool = r.pool
    mbufs = r.mbufs
    back = mbufs + ARRAY
    timed = w.clock != FAST
    sw_if = q.sw_if_index
    features = ld32s(r.arc + 4 * sw_if) if q.next == 0 else 0
    following = ETHERNET if q.next == 0 else q.next
    model = r.model
    st64(model + _TIME, w.now)
    st64(model + _RX_SW_IF, sw_if | (q.tx_sw_if << 32))
    seq = r.seq
    total = 0
    returned = 0
    for i in range(got):
        ahead = ld64(mbufs + 8 * (i + 4))
        prefetch(ahead + BUFFER_OF)
        mbuf = ld64(mbufs + 8 * i)
        ol_flags = ld64(mbuf + OL_FLAGS)
        size = ld32(mbuf + PKT_LEN)
        total += size
        rearm = ld64(mbuf + REARM)
        flags = 0
        if (ol_flags & _CARD_SAYS) != 0:
            flags = checked(ol_flags)
        if is_ours(pool, mbuf, ol_flags):
            b = mbuf + BUFFER_OF
            index = cell_of(b - base)
            move32(b, model)
            move32(b + 32, model + 32)
            st64(b, ((rearm - DATA_OFF) & 0xFFFF) | ((size & 0xFFFF) << 16) | (flags << _FLAGS_SHIFT))
            if (rearm & _SEGMENTS) != _ONE_SEGMENT:
                rec(b, BUFFER).current_length = ld16(mbuf + DATA_LEN)
                take_chain(worker, mbuf)
        else:
            index = packet_of(worker, mbuf)
            st64(back + 8 * returned, mbuf)
            returned += 1
            if index < 0:
                count_drop(worker, d.err_base + E_NO_BUFFERS)
                continue
            b = buffer_at(worker, index)
            rec(b, BUFFER).flags |= flags
            st64(b + _TIME, w.now)
            st64(b + _RX_SW_IF, sw_if | (q.tx_sw_if << 32))
        st32(b + _SEQ, seq)
        if timed:
            rec(b, BUFFER).partition = 0  # on the second cache line; without time nothing asks for it
        seq += 1
        if ol_flags & IP_BAD:
            rec(b, BUFFER).error = d.err_base + E_IP_CHECKSUM
            put(frame, n, index, DROP)
        elif features == 0:
            put(frame, n, index, following)
        else:
            put(frame, n, index, feature_start(r.arc, sw_if, b))
        n += 1
    r.seq = seq
    c = w.if_rx + 16 * sw_if
    st64(c, ld64(c) + got)
    st64(c + 8, ld64(c + 8) + total)
    if returned > 0:
        call3(r.free, back, returned, 0)
    return n


@kernel
def dpdk_input(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    want = w.vector_size
    n = 0
    polled = 0
    n_queues = r.n_queues
    at = r.first + 1
    if at >= n_queues:
        at = 0
    r.first = at
    for _ in range(n_queues):
        queue = r.queues + at * QUEUE_SIZE
        at += 1
        if at >= n_queues:
            at = 0
        q = rec(queue, QUEUE)
        open_ = q.state == OPEN
        if open_:
            open_ = (rec(w.interfaces + q.sw_if_index * INTERFACE_SIZE, INTERFACE).flags & ADMIN_UP) != 0
        while open_ and n < want:
            most = min(BURST, want - n)
            got = call3(r.rx, q.handle, r.mbufs, most)
            if got > 0:
                polled += got
                n = take_burst(worker, node, queue, frame, n, got)
            open_ = got == most
    d.next_time = w.now if polled > 0 else NEVER
    st32(frame + FRAME_N, n)
    return n


def format_trace(record: Any, plane: Dataplane) -> str:
    """``NAME rx queue``, the buffer and the headers."""
    index = int(record["rx_sw_if_index"])
    name = plane.interfaces.names.get(index, "DELETED")
    first = f"{name} rx: {record['length']} bytes, {next_text(record, 'dpdk-input', plane)}"
    return (
        f"{first}\n  buffer 0x{record['buffer_index']:x}: {buffer_text(record)}\n{ethernet_header(kept_bytes(record))}"
    )


def bind(plane: Dataplane, node: Node) -> None:
    """The queues and the device-input arc."""
    queues = plane.shared(DpdkQueues)
    node.data["queues"], node.data["mbufs"] = queues.addresses, queues.mbufs
    node.data["model"] = queues.models
    node.data["arc"] = plane.arcs["device-input"].address


DPDK_INPUT = NodeType(
    name="dpdk-input",
    kernel=dpdk_input,
    kind=INPUT,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=Trace(BUFFER_TRACE, trace_buffer, format_trace),
    bind=bind,
    doc=__doc__ or "",
)
