"""capture-input: packets of capture files, in the order of their time, at the pace of the engine's clock.

Several captures (each on an interface) are merged by time stamp; time never runs backwards: a record older than
its predecessor gets the predecessor's time. The node takes no packet beyond the horizon it is given (another
input's next packet, a timer, real time). An ARP packet always travels in a vector of its own, so that what it
teaches is known to the packets behind it and not to those before it, whatever the vector size; clock `fast`
does without that. While sessions may be made (`WORKER.by_turns`) a vector in virtual time holds packets of one
interface: those of another one take another way to what checks them, and would be checked before or after their time.

With several workers each takes the records of its own receive queue (`RECORD.queue`, set by RSS) and steps over
the others; arrival numbers count all, so they are the same in every worker. At an ARP packet all of them wait for
each other (`ATTENTION_BARRIER`), before it and behind it, whichever of them it belongs to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import (
    ATTENTION_BARRIER,
    ATTENTION_REFILL,
    FAST,
    INPUT,
    NEVER,
    NODE,
    VIRTUAL,
    WORKER,
    put,
)
from vectorplane.dataplane.abi import F_N as FRAME_N
from vectorplane.dataplane.buffer import buffer_at, reserve
from vectorplane.dataplane.feature import ArcType, feature_start
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.graph_nodes.drop import count_drop
from vectorplane.graph_nodes.packet_source import (
    EMPTY,
    ENDED,
    READY,
    SOURCE,
    SOURCE_SIZE,
    SourceTables,
    receive,
)
from vectorplane.graph_nodes.trace_formats import ethernet_header
from vectorplane.graph_nodes.trace_packet import (
    BUFFER_TRACE,
    buffer_text,
    interface_name,
    kept_bytes,
    next_text,
    trace_buffer,
)
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import ld16, ld64, rec, st32, st64
from vectorplane.pcap.index import RECORD, RECORD_SIZE

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "ethernet-input", "ip4-input")  # as pg-input: all that start the arc have the same slots
DROP, ETHERNET = range(2)
ERRORS = (("no_buffers", "no buffers: packet lost on receive"),)
E_NO_BUFFERS = 0

RUNTIME = np.dtype(
    [
        ("sources", "i8"),
        ("n_sources", "i8"),
        ("arc", "i8"),
        ("seq", "i8"),  # arrival number of the next record
        ("clock", "i8"),  # time of the last record
        ("limit", "i8"),  # records still to be taken
        ("barrier", "i8"),  # BARRIER_*
    ]
)
BARRIER_NONE, BARRIER_STOP, BARRIER_PASS, BARRIER_BEHIND = 0, 1, 2, 3
"""At an ARP packet: go on (one worker); wait; all are here, take it; it is taken, wait again."""

DEVICE_INPUT = ArcType("device-input", ("pg-input", "capture-input", "sim-input"), "ethernet-input")


@helper
def is_arp(frame: int, size: int) -> bool:
    """Is the Ethernet frame, below up to two VLAN tags, ARP?"""
    at = 12
    while at + 2 <= size and at <= 20:
        kind = ld16(frame + at)
        if kind == 0x0608:
            return True
        if kind != 0x0081 and kind != 0xA888:
            return False
        at += 4
    return False


@helper
def earliest(sources: int, n: int) -> int:
    """The source whose next record comes first; -1: none has one, -2: one must be refilled before it is known."""
    best = NEVER
    chosen = -1
    for k in range(n):
        s = rec(sources + k * SOURCE_SIZE, SOURCE)
        if s.state == EMPTY:
            return -2
        if s.state == READY:
            t = rec(s.records + s.position * RECORD_SIZE, RECORD).time + s.time_offset
            if t < best:
                best = t
                chosen = k
    return chosen


@helper
def advance(s_address: int) -> None:
    """Step over a source's record."""
    s = rec(s_address, SOURCE)
    s.position += 1
    s.remaining -= 1
    if s.remaining <= 0:
        s.state = ENDED
    elif s.position >= s.count:
        s.state = EMPTY


@kernel
def capture_input(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    sources = r.sources
    k_sources = r.n_sources
    arc = r.arc
    clock = w.clock
    horizon = w.horizon
    want = w.vector_size
    room = reserve(worker, want)
    n = 0
    by_turns = w.by_turns != 0 and clock == VIRTUAL
    source = -1  # of the packets in the vector
    d.next_time = NEVER
    if_rx = w.if_rx
    if r.barrier == BARRIER_BEHIND:
        w.attention |= ATTENTION_BARRIER
        want = 0
    while n < want:
        k = earliest(sources, k_sources)
        if k < 0:
            if k == -2:
                w.attention |= ATTENTION_REFILL
                # unknown, but not before what was taken last: nothing later may be polled in its place
                d.next_time = r.clock
            break
        at = sources + k * SOURCE_SIZE
        s = rec(at, SOURCE)
        record = s.records + s.position * RECORD_SIZE
        x = rec(record, RECORD)
        time = x.time + s.time_offset
        if time < r.clock:
            time = r.clock
        if time > horizon:
            d.next_time = time
            break
        if r.limit <= 0:
            s.state = ENDED
            continue
        alone = False
        if clock != FAST or r.barrier != BARRIER_NONE:
            alone = x.ethertype == 0x0806 or (x.ethertype == 0 and is_arp(s.data + x.offset, x.caplen))
            if alone and (n > 0 or r.barrier == BARRIER_STOP):
                d.next_time = time
                if n == 0:
                    w.attention |= ATTENTION_BARRIER
                break
            if alone and r.barrier == BARRIER_PASS:
                r.barrier = BARRIER_BEHIND
                w.attention |= ATTENTION_BARRIER
        if s.queue >= 0 and x.queue != s.queue:
            r.seq += 1
            r.limit -= 1
            r.clock = time
            advance(at)
            if alone:
                d.next_time = time
                break
            continue
        if by_turns and n > 0 and k != source:
            d.next_time = time
            break
        source = k
        r.clock = time
        index = -1
        if n < room:
            index = receive(worker, at, record, w.now if clock == FAST else time, r.seq)
        rx = if_rx + 16 * s.sw_if_index
        st64(rx, ld64(rx) + 1)
        st64(rx + 8, ld64(rx + 8) + x.caplen + (14 if x.ethertype != 0 else 0))
        r.seq += 1
        r.limit -= 1
        sw_if = s.sw_if_index
        advance(at)
        if index < 0:
            count_drop(worker, d.err_base + E_NO_BUFFERS)
            if n >= room:
                room = n + reserve(worker, want - n)
            continue
        slot = feature_start(arc, sw_if, buffer_at(worker, index))
        if slot < 0:
            slot = ETHERNET
        put(frame, n, index, slot)
        n += 1
        if alone:
            break
    if d.next_time == NEVER:
        k = earliest(sources, k_sources)
        if k >= 0:
            s = rec(sources + k * SOURCE_SIZE, SOURCE)
            time = rec(s.records + s.position * RECORD_SIZE, RECORD).time + s.time_offset
            d.next_time = max(time, r.clock)
        elif k == -2:
            w.attention |= ATTENTION_REFILL
            d.next_time = r.clock
    st32(frame + FRAME_N, n)
    return n


class CaptureSources(SourceTables):
    """The captures of a dataplane."""


def received_text(record: Any, plane: Dataplane, device: str) -> str:
    """``DEVICE: in, 64 bytes, sw_if_index 1, next_node ethernet-input``, the buffer and the headers."""
    sw_if = int(record["rx_sw_if_index"])
    where = next_text(record, f"{device}-input", plane)
    first = f"{device}: {interface_name(plane, sw_if)}, {record['length']} bytes, sw_if_index {sw_if}, {where}"
    return f"{first}\n{buffer_text(record)}\n{ethernet_header(kept_bytes(record))}"


def format_trace(record: Any, plane: Dataplane) -> str:
    """Where and how the packet came in."""
    return received_text(record, plane, "capture")


def bind_sources(plane: Dataplane, node: Node, sources: type[SourceTables]) -> None:
    """The sources of this kernel's node and the device-input arc."""
    node.data["sources"] = plane.shared(sources).addresses
    node.data["arc"] = plane.arcs["device-input"].address
    node.data["limit"] = NEVER
    node.data["barrier"] = BARRIER_STOP if plane.graph.workers > 1 else BARRIER_NONE


def bind(plane: Dataplane, node: Node) -> None:
    """The captures."""
    bind_sources(plane, node, CaptureSources)


CAPTURE_INPUT = NodeType(
    name="capture-input",
    kernel=capture_input,
    kind=INPUT,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=Trace(BUFFER_TRACE, trace_buffer, format_trace),
    bind=bind,
    doc=__doc__ or "",
)
