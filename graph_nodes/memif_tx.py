"""memif-tx: ``<interface>-tx`` of memif interfaces: copies packets into the ring, and wakes the peer if it sleeps.

Worker w sends by queue ``w % queues``, taking turns with others that have the same. A packet that is longer than a
descriptor's buffer takes several (``NEXT``). As in VPP the ring is looked at up to five times more for free
descriptors, then the rest of the frame is dropped ("no free tx slots"); a packet that would fit only in part counts
as "no enough space in tx buffers" besides. Without a connection packets are dropped ("not connected"); TCP that is
still to be cut is, too ("gso disabled on itf  -- gso packet drop"). What can't be in the ring counts as in
`memif_input`, and breaks the queue.
"""

from __future__ import annotations

import numpy as np

from vectorplane.dataplane.abi import NODE, TERMINAL, WORKER, buffer_index, frame_n
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, GSO, NEXT_PRESENT, buffer_at, free, lock, unlock
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import count, count_tx_drops
from vectorplane.graph_nodes.memif_bell import notify
from vectorplane.graph_nodes.memif_queue import (
    DESCRIPTOR_SIZE,
    DESCRIPTORS,
    HEAD,
    NEXT,
    OPEN,
    QUEUE,
    TAIL,
    WILD,
    break_queue,
    locate,
    others_place,
)
from vectorplane.graph_nodes.trace_packet import TX_TRACE
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import copy, offsets, prefetch, rec, st64
from vectorplane.jit.shared_memory import load_once, store16_release

ERRORS = (
    ("no_free_slots", "no free tx slots"),
    ("rollback", "no enough space in tx buffers"),
    ("not_connected", "not connected"),
    ("gso_packet_drop", "gso disabled on itf  -- gso packet drop"),
    ("bad_desc", "bad descriptor"),
    ("bad_ring", "wild head or tail"),
)
E_NO_FREE_SLOTS, E_ROLLBACK, E_NOT_CONNECTED, E_GSO, E_BAD_DESCRIPTOR, E_BAD_RING = range(6)

RUNTIME = np.dtype(
    [
        ("queues", "i8"),  # address of the QUEUE that this worker sends by; 0: none
        ("shared", "i8"),  # 1: other workers have it, too
    ]
)
_LOCK = offsets(QUEUE, "lock")[0]
_RETRIES = 5


@helper
def free_slots(queue: int, place: int) -> int:
    """Descriptors that may be filled, when our own place is ``place``; more than the ring has: it is wild."""
    q = rec(queue, QUEUE)
    other = others_place(queue)
    if q.server:
        return (other - place) & 0xFFFF
    behind = (place - other) & 0xFFFF
    if behind > q.mask + 1:
        return 0x10000
    return q.mask + 1 - behind


@helper
def close_descriptor(queue: int, slot: int, region: int, offset: int, filled: int, flags: int) -> None:
    """Say how many bytes are in a slot's buffer."""
    q = rec(queue, QUEUE)
    at = q.ring + DESCRIPTORS + (slot & q.mask) * DESCRIPTOR_SIZE
    st64(at, flags | region << 16 | filled << 32)
    if q.server == 0:
        st64(at + 8, offset)


@helper
def put_packet(worker: int, queue: int, b: int, slot: int, slots: int) -> int:
    """Copy a packet into up to ``slots`` descriptors from ``slot`` on; gives how many it took.

    0: they are not enough. Less than 0: one of them can't be, for that reason.
    """
    q = rec(queue, QUEUE)
    used = 0
    to = 0
    room = 0
    filled = 0
    region = 0
    offset = 0
    m = rec(b, BUFFER)
    source = b + DATA + m.current_data
    left = m.current_length
    while True:
        while left > 0:
            if room == 0:
                if used == slots:
                    return 0
                if used > 0:
                    close_descriptor(queue, slot + used - 1, region, offset, filled, NEXT)
                number = (slot + used) & q.mask
                if q.server:
                    at = q.ring + DESCRIPTORS + number * DESCRIPTOR_SIZE
                    first = load_once(at)
                    offset = load_once(at + 8) & 0xFFFFFFFF
                    region = (first >> 16) & 0xFFFF
                    room = (first >> 32) & 0xFFFFFFFF
                    to = locate(queue, region, offset, room)
                    if to < 0:
                        return to
                else:
                    # the memory is ours: where a slot's buffer lies is not read from it
                    offset = q.buffers + number * q.buffer_size
                    to = q.base + offset
                    room = q.buffer_size
                used += 1
                filled = 0
            part = min(left, room)
            copy(to + filled, source, part)
            filled += part
            source += part
            left -= part
            room -= part
        if (m.flags & NEXT_PRESENT) == 0:
            break
        following = buffer_at(worker, m.next_buffer)
        m = rec(following, BUFFER)
        source = following + DATA + m.current_data
        left = m.current_length
    if used > 0:
        close_descriptor(queue, slot + used - 1, region, offset, filled, 0)
    return used


@helper
def publish(queue: int, place: int) -> None:
    """The other side may have the packets up to ``place``."""
    q = rec(queue, QUEUE)
    q.last = place & 0xFFFF
    if q.server:
        store16_release(q.ring + TAIL, place)
    else:
        store16_release(q.ring + HEAD, place)


@helper
def drop_from(worker: int, node: int, frame: int, i: int, error: int) -> None:
    """Count the packets from number ``i`` on as dropped."""
    w = rec(worker, WORKER)
    for k in range(i, frame_n(frame)):
        m = rec(w.pool + buffer_index(frame, k) * CELL, BUFFER)
        count_tx_drops(worker, rec(node, NODE).err_base + error, m.tx_sw_if, 1)


@helper
def send(worker: int, node: int, queue: int, frame: int) -> int:
    """Put the packets of a frame into the queue; gives how many are dealt with, the rest found no room."""
    w = rec(worker, WORKER)
    q = rec(queue, QUEUE)
    err = rec(node, NODE).err_base
    place = q.last
    room = 0
    n = frame_n(frame)
    tries = _RETRIES
    i = 0
    while i < n:
        if room == 0:
            room = free_slots(queue, place)
            if room > q.mask + 1:
                count(worker, err + E_BAD_RING, 1)
                break_queue(worker, queue, WILD)
                return i
        ahead = w.pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = w.pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        if m.flags & GSO:
            count_tx_drops(worker, err + E_GSO, m.tx_sw_if, 1)
            i += 1
            continue
        used = put_packet(worker, queue, b, place, room)
        if used < 0:
            count(worker, err + E_BAD_DESCRIPTOR, 1)
            break_queue(worker, queue, -used)
            return i
        if used == 0:
            if room > 0:
                count(worker, err + E_ROLLBACK, 1)
            if tries == 0:
                break
            tries -= 1
            publish(queue, place)
            room = 0
            continue
        place += used
        room -= used
        i += 1
    if place != q.last:
        publish(queue, place)
    notify(queue)
    return i


@kernel
def memif_tx(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    queue = r.queues
    n = frame_n(frame)
    if queue == 0:
        drop_from(worker, node, frame, 0, E_NOT_CONNECTED)
    else:
        if r.shared:
            lock(queue + _LOCK)
        if rec(queue, QUEUE).state != OPEN:
            drop_from(worker, node, frame, 0, E_NOT_CONNECTED)
        else:
            sent = send(worker, node, queue, frame)
            if sent < n:
                broken = rec(queue, QUEUE).state != OPEN
                drop_from(worker, node, frame, sent, E_NOT_CONNECTED if broken else E_NO_FREE_SLOTS)
        if r.shared:
            unlock(queue + _LOCK)
    for i in range(n):
        free(worker, buffer_index(frame, i))
    return n


MEMIF_TX = NodeType(
    name="memif-tx",
    kernel=memif_tx,
    kind=TERMINAL,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=TX_TRACE,
    doc=__doc__ or "",
)
