"""Replicas of a packet: whole copies of short ones; of long ones the head only, what follows being shared.

A buffer that several packets share is counted (`ref_count`), and nobody may write to it: who changes more than the
first `HEAD_SIZE` bytes of a packet, or its chain, must take a copy first (`is_shared`, `copy_packet`).
"""

from __future__ import annotations

from vectorplane.dataplane.abi import WORKER
from vectorplane.dataplane.buffer import (
    BUFFER,
    CELL,
    DATA,
    DATA_SIZE,
    GSO,
    GSO_SIZE,
    META,
    NEXT_PRESENT,
    add_references,
    buffer_at,
    take,
)
from vectorplane.graph_nodes.rare import allocate, copy, free
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import ld64, move32, rec, st64

HEAD_SIZE = 256
"""Bytes of a long packet that each replica has of its own: all headers that any node writes."""
SHORT = 512
"""Packets of one buffer up to this length are copied whole."""


@helper
def is_short(b: int) -> bool:
    """Is the packet copied whole?"""
    m = rec(b, BUFFER)
    return (m.flags & NEXT_PRESENT) == 0 and m.current_length <= SHORT


@helper
def copy_metadata(to: int, source: int) -> None:
    """All metadata of a packet but what only some nodes hand to each other."""
    move32(to, source)
    move32(to + 32, source + 32)
    move32(to + 64, source + 64)
    m = rec(to, BUFFER)
    m.ref_count = 1
    if m.flags & GSO:
        st64(to + GSO_SIZE, ld64(source + GSO_SIZE))


@helper
def copy_short(worker: int, index: int) -> int:
    """A copy of a short packet, in a buffer that `reserve` has promised; its index."""
    made = take(worker)
    pool = rec(worker, WORKER).pool
    to = pool + made * CELL
    source = pool + index * CELL
    copy_metadata(to, source)
    m = rec(source, BUFFER)
    at = DATA + m.current_data
    end = at + m.current_length
    if end + 32 <= DATA + DATA_SIZE:
        while at < end:  # whole steps: what lies behind the packet is nobody's
            move32(to + at, source + at)
            at += 32
    else:
        copy(to + at, source + at, m.current_length)
    return made


@routine
def share(worker: int, index: int, n: int) -> int:
    """Turn a long packet into what ``n`` replicas share: its bytes behind the head. Its head is still to be copied."""
    b = buffer_at(worker, index)
    while True:
        m = rec(b, BUFFER)
        add_references(b, n - 1)
        if (m.flags & NEXT_PRESENT) == 0:
            return n
        b = buffer_at(worker, m.next_buffer)


@routine
def copy_head(worker: int, index: int) -> int:
    """A replica of the long packet ``index``, in a buffer that `reserve` has promised: a head of its own before it.

    The original's first `HEAD_SIZE` bytes are copied (fewer if it has not as many); the caller then cuts them off it
    (`cut_head`) when all replicas are made.
    """
    made = take(worker)
    to = buffer_at(worker, made)
    source = buffer_at(worker, index)
    copy_metadata(to, source)
    m = rec(source, BUFFER)
    n = rec(to, BUFFER)
    size = min(int(m.current_length), HEAD_SIZE)
    copy(to + DATA + m.current_data, source + DATA + m.current_data, size)
    n.current_length = size
    n.total_rest = m.current_length - size + (m.total_rest if m.flags & NEXT_PRESENT else 0)
    n.next_buffer = index
    n.flags |= NEXT_PRESENT
    return made


@routine
def cut_head(worker: int, index: int) -> int:
    """The packet that was replicated begins behind its head now: it is the replicas' tail."""
    m = rec(buffer_at(worker, index), BUFFER)
    size = min(int(m.current_length), HEAD_SIZE)
    m.current_data = m.current_data + size
    m.current_length = m.current_length - size
    return size


def _copy_packet(worker: int, index: int) -> int:
    """A copy of a packet with its whole chain; -1 without buffers, and then nothing is left of it."""
    first = -1
    last = -1
    while True:
        source = buffer_at(worker, index)
        made = allocate(worker)
        if made < 0:
            if first >= 0:
                free(worker, first)
            return -1
        m = rec(source, BUFFER)
        to = buffer_at(worker, made)
        copy(to, source, META)
        n = rec(to, BUFFER)
        n.ref_count = 1
        n.flags = m.flags & ~NEXT_PRESENT
        n.next_buffer = 0
        copy(to + DATA + m.current_data, source + DATA + m.current_data, m.current_length)
        if first < 0:
            first = made
        else:
            p = rec(buffer_at(worker, last), BUFFER)
            p.next_buffer = made
            p.flags |= NEXT_PRESENT
        last = made
        if (m.flags & NEXT_PRESENT) == 0:
            return first
        index = m.next_buffer


copy_packet = routine(_copy_packet)


@routine
def is_shared(worker: int, index: int) -> bool:
    """Does another packet share any of this one's buffers?"""
    while True:
        m = rec(buffer_at(worker, index), BUFFER)
        if m.ref_count > 1:
            return True
        if (m.flags & NEXT_PRESENT) == 0:
            return False
        index = m.next_buffer
