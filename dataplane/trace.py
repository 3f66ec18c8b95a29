"""Packet trace: what each node saw of a marked packet.

`trace add NODE n` marks the next n packets that an input node takes. Each node that such a packet
visits appends a record: the node, the time, and a body of the node's own trace dtype. The log is one
memory of fixed slots a worker; when it is full, records are lost (and counted) until it is cleared. With no
trace asked for, the cost is one comparison a frame. `vectorplane.dataplane.trace_log` reads the logs.
"""

from __future__ import annotations

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, get_next
from vectorplane.dataplane.buffer import BUFFER, TRACED, buffer_at
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import cycles, fill, offsets, rec

TRACE_BODY = 160
"""Most bytes of a node's trace record."""

TRACE = np.dtype(
    [
        ("packet", "i4"),
        ("node", "i4"),
        ("time", "i8"),
        ("next", "i4"),
        ("buffer", "i4"),
        ("clock", "i8"),  # cycle counter: the order of records in the logs of several workers
        ("body", "i1", (TRACE_BODY,)),
    ],
    align=True,
)
TRACE_SIZE = TRACE.itemsize
BODY = offsets(TRACE, "body")[0]

TRACE_LOG = np.dtype([("count", "i8"), ("capacity", "i8"), ("packets", "i8"), ("max_packets", "i8"), ("lost", "i8")])
"""Head of a worker's trace memory; the slots follow at +64. ``packets`` is the next packet's number."""
SLOTS = 64


@helper
def frame_is_traced(worker: int, frame: int, n: int) -> bool:
    """Is any packet of the frame marked?"""
    for i in range(n):
        if rec(buffer_at(worker, buffer_index(frame, i)), BUFFER).flags & TRACED:
            return True
    return False


@helper
def is_traced(b: int) -> bool:
    """Is this packet marked?"""
    return (rec(b, BUFFER).flags & TRACED) != 0


def _mark_frame(worker: int, node: int, frame: int, n: int) -> int:
    """Mark the first packets of an input node's frame, as many as were asked for."""
    log = rec(worker, WORKER).trace
    d = rec(node, NODE)
    if log == 0:
        return 0
    head = rec(log, TRACE_LOG)
    count = min(n, int(d.trace_left), int(head.max_packets - head.packets))
    for i in range(count):
        m = rec(buffer_at(worker, buffer_index(frame, i)), BUFFER)
        m.flags |= TRACED
        m.trace = head.packets
        head.packets += 1
    d.trace_left -= count
    return count


mark_frame = helper(_mark_frame)


def _add_trace(worker: int, node: int, b: int, bi: int, slot: int) -> int:
    """Append a record for the packet at ``b``; gives the address of its body, cleared; 0 when it is not recorded."""
    log = rec(worker, WORKER).trace
    if log == 0:  # switched off since the frame was looked at
        return 0
    head = rec(log, TRACE_LOG)
    if head.count >= head.capacity:
        head.lost += 1
        return 0
    t = log + SLOTS + head.count * TRACE_SIZE
    head.count += 1
    m = rec(b, BUFFER)
    r = rec(t, TRACE)
    r.packet = m.trace
    r.node = rec(node, NODE).index
    r.time = m.time
    r.next = slot
    r.buffer = bi
    r.clock = cycles()
    fill(t + BODY, 0, TRACE_BODY)
    return t + BODY


add_trace = helper(_add_trace)


@helper
def begin_trace(worker: int, node: int, frame: int, i: int) -> int:
    """`add_trace` for packet ``i`` of a frame, with the slot that it was given; 0, too, when it is not marked."""
    bi = buffer_index(frame, i)
    b = buffer_at(worker, bi)
    return add_trace(worker, node, b, bi, get_next(frame, i)) if is_traced(b) else 0
