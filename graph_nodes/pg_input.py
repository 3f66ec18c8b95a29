"""pg-input: the packet generator. Streams of packets given by the control side, repeated up to a limit.

A stream belongs to a packet-generator interface; its packets arrive there as fast as the node is polled, each
with the engine's time of that moment. Streams are served one after another, `max_frame` packets at a time. They go
to ethernet-input, or where the stream says (ip4-input: an interface whose packets have no Ethernet header). An
interface with checksum offload or segmentation offload leaves checksums, and the cutting of TCP segments that are
chains of buffers, to whoever transmits the packets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import F_N as FRAME_N
from vectorplane.dataplane.abi import INPUT, NEVER, NODE, WORKER, buffer_index, put
from vectorplane.dataplane.buffer import (
    BUFFER,
    DATA,
    GSO,
    GSO_SIZE,
    L2_OFFSET,
    NEXT_PRESENT,
    OFFLOAD_IP_CHECKSUM,
    OFFLOAD_L4_CHECKSUM,
    buffer_at,
    reserve,
)
from vectorplane.dataplane.feature import feature_start
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.graph_nodes.drop import count_drop
from vectorplane.graph_nodes.packet_source import (
    ENDED,
    READY,
    SOURCE,
    SOURCE_SIZE,
    SourceTables,
    receive,
)
from vectorplane.graph_nodes.trace_formats import ethernet_header, ip4_header
from vectorplane.graph_nodes.trace_packet import BUFFER_TRACE, buffer_text, kept_bytes, next_text, trace_buffer
from vectorplane.jit.kernel import helper, kernel, routine
from vectorplane.jit.ops import ld8, ld16, ld32s, ld64, prefetch, rec, st32, st64
from vectorplane.pcap.index import RECORD, RECORD_SIZE

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "ethernet-input", "ip4-input")
DROP, ETHERNET = range(2)
ERRORS = (("no_buffers", "no buffers: packet lost on receive"),)
E_NO_BUFFERS = 0

RUNTIME = np.dtype([("sources", "i8"), ("n_sources", "i8"), ("arc", "i8"), ("seq", "i8")])

_TCP, _UDP = 6, 17
_IP4_LE, _VLAN_LE, _QINQ_LE = 0x0008, 0x0081, 0xA888


def _mark_offload(b: int, ip_only: int, offload: int, gso_size: int) -> int:
    """Set the offload flags that the interface's cards would set for an IPv4 packet; gives the new flags."""
    m = rec(b, BUFFER)
    d = b + DATA + m.current_data
    at = 0
    if ip_only == 0:
        at = 12
        for _ in range(2):
            if at + 2 <= m.current_length and (ld16(d + at) == _VLAN_LE or ld16(d + at) == _QINQ_LE):
                at += 4
        if at + 2 > m.current_length or ld16(d + at) != _IP4_LE:
            return int(m.flags)
        at += 2
    header = (ld8(d + at) & 15) * 4
    if at + 20 > m.current_length or header < 20:
        return int(m.flags)
    protocol = ld8(d + at + 9)
    flags = OFFLOAD_IP_CHECKSUM
    if protocol == _TCP:
        flags |= OFFLOAD_L4_CHECKSUM
        if gso_size > 0 and (m.flags & NEXT_PRESENT) and at + header + 20 <= m.current_length:
            flags |= GSO
            st64(b + GSO_SIZE, gso_size + header + (ld8(d + at + header + 12) >> 4) * 4)
    elif protocol == _UDP:
        flags |= offload & OFFLOAD_L4_CHECKSUM
    m.flags |= flags
    return int(m.flags)


mark_offload = routine(_mark_offload)


@routine
def mark(worker: int, source: int, frame: int, first: int, end: int, ip_only: int) -> None:
    """What packets ``first`` to ``end`` of the frame need when they are not plain Ethernet."""
    s = rec(source, SOURCE)
    for i in range(first, end):
        b = buffer_at(worker, buffer_index(frame, i))
        if ip_only:
            st32(b + L2_OFFSET, 0)
        if (s.offload | s.gso_size) != 0:
            mark_offload(b, ip_only, s.offload, s.gso_size)


@helper
def generate(worker: int, node: int, frame: int, at: int, take: int, n: int) -> int:
    """Put up to ``take`` packets of the stream at ``at`` behind the ``n`` in the frame; gives the new number."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    s = rec(at, SOURCE)
    room = reserve(worker, take)
    slot = ld32s(r.arc + 4 * s.sw_if_index)
    following = s.next
    if following == 0:
        following = ETHERNET
    first = n
    seq = r.seq
    position = s.position
    total = 0
    now = w.now
    lost = take - room
    for i in range(take):
        record = s.records + position * RECORD_SIZE
        prefetch(record + 4 * RECORD_SIZE)
        total += rec(record, RECORD).caplen
        if i < room:
            index = receive(worker, at, record, now, seq)
            if index < 0:
                lost += 1
            else:
                if slot == 0:
                    put(frame, n, index, following)
                else:
                    put(frame, n, index, feature_start(r.arc, s.sw_if_index, buffer_at(worker, index)))
                n += 1
        seq += 1
        position += 1
        if position >= s.count:
            position = 0
    if following != ETHERNET or (s.offload | s.gso_size) != 0:
        mark(worker, at, frame, first, n, int(following != ETHERNET))
    for _ in range(lost):
        count_drop(worker, d.err_base + E_NO_BUFFERS)
    s.position = position
    s.remaining -= take
    r.seq = seq
    c = w.if_rx + 16 * s.sw_if_index
    st64(c, ld64(c) + take)
    st64(c + 8, ld64(c + 8) + total)
    if s.remaining <= 0:
        s.state = ENDED
    return n


@kernel
def pg_input(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    want = w.vector_size
    n = 0
    again = True
    while again and n < want:
        again = False
        for k in range(r.n_sources):
            at = r.sources + k * SOURCE_SIZE
            s = rec(at, SOURCE)
            if s.state != READY or n >= want:
                continue
            take = min(want - n, s.remaining)
            if s.burst > 0:
                take = min(take, s.burst)
                again = True
            elif s.max_frame > 0:
                take = min(take, s.max_frame)
            n = generate(worker, node, frame, at, take, n)
    busy = 0
    for k in range(r.n_sources):
        if rec(r.sources + k * SOURCE_SIZE, SOURCE).state == READY:
            busy = 1
    d.next_time = w.now if busy else NEVER
    st32(frame + FRAME_N, n)
    return n


class PgStreams(SourceTables):
    """The streams of a dataplane."""


def format_trace(record: Any, plane: Dataplane) -> str:
    """``stream 0, 64 bytes, sw_if_index 1, next_node ethernet-input``, the buffer and the headers.

    The stream is the first one of the packet's interface.
    """
    sw_if = int(record["rx_sw_if_index"])
    table = plane.shared(PgStreams).tables[0]
    stream = next((i for i, s in enumerate(table[:64]) if s["count"] and int(s["sw_if_index"]) == sw_if), 0)
    following = next_text(record, "pg-input", plane)
    first = f"stream {stream}, {record['length']} bytes, sw_if_index {sw_if}, {following}"
    header = ip4_header if following.endswith(" ip4-input") else ethernet_header
    return f"{first}\n{buffer_text(record)}\n{header(kept_bytes(record))}"


def bind(plane: Dataplane, node: Node) -> None:
    """Streams and the device-input arc."""
    node.data["sources"] = plane.shared(PgStreams).addresses
    node.data["arc"] = plane.arcs["device-input"].address


PG_INPUT = NodeType(
    name="pg-input",
    kernel=pg_input,
    kind=INPUT,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=Trace(BUFFER_TRACE, trace_buffer, format_trace),
    bind=bind,
    doc=__doc__ or "",
)
