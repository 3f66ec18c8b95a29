"""Packets copied between mbufs and buffers: where memory is not shared, or a buffer is shared by several packets."""

from __future__ import annotations

from vectorplane.dataplane.buffer import (
    BUFFER,
    DATA,
    DATA_SIZE,
    META,
    NEXT_PRESENT,
    allocate,
    buffer_at,
    free,
)
from vectorplane.graph_nodes.mbuf import BUF_ADDR, DATA_LEN, DATA_OFF, FRESH, NB_SEGS, NEXT, OL_FLAGS, PKT_LEN, REARM
from vectorplane.jit.kernel import routine
from vectorplane.jit.ops import call3, copy, ld16, ld64, rec, st16, st32, st64


@routine
def packet_of(worker: int, mbuf: int) -> int:
    """A chain of buffers with the bytes of an mbuf and its segments; gives its index, -1 when buffers ran out."""
    first = allocate(worker)
    if first < 0:
        return -1
    b = buffer_at(worker, first)
    used = 0
    rest = 0
    while mbuf != 0:
        source = ld64(mbuf + BUF_ADDR) + ld16(mbuf + REARM)
        left = ld16(mbuf + DATA_LEN)
        while left > 0:
            if used == DATA_SIZE:
                following = allocate(worker)
                if following < 0:
                    free(worker, first)
                    return -1
                rec(b, BUFFER).next_buffer = following
                rec(b, BUFFER).flags |= NEXT_PRESENT
                b = buffer_at(worker, following)
                used = 0
            part = min(left, DATA_SIZE - used)
            copy(b + DATA + used, source, part)
            used += part
            rec(b, BUFFER).current_length = used
            if b != buffer_at(worker, first):
                rest += part
            source += part
            left -= part
        mbuf = ld64(mbuf + NEXT)
    rec(buffer_at(worker, first), BUFFER).total_rest = rest
    return first


@routine
def mbufs_of(worker: int, b: int, pool: int, alloc: int, scratch: int) -> int:
    """A chain of new mbufs with the bytes of the packet at ``b``; gives the first one's address, 0 when none is free.

    ``scratch``: room for a pointer; ``alloc``: the shim's function. What is made stays the caller's to free.
    """
    head = 0
    last = 0
    used = 0
    total = 0
    segments = 0
    while True:
        m = rec(b, BUFFER)
        source = b + DATA + m.current_data
        left = m.current_length
        while left > 0 or head == 0:
            if head == 0 or used == DATA_SIZE:
                if call3(alloc, pool, scratch, 1) == 0:
                    return -head
                made = ld64(scratch)
                st64(made + REARM, DATA_OFF | FRESH)
                st64(made + OL_FLAGS, 0)
                st64(made + NEXT, 0)
                if head == 0:
                    head = made
                else:
                    st64(last + NEXT, made)
                last = made
                segments += 1
                used = 0
            part = min(left, DATA_SIZE - used)
            copy(ld64(last + BUF_ADDR) + DATA_OFF + used, source, part)
            used += part
            total += part
            st16(last + DATA_LEN, used)
            source += part
            left -= part
        if (m.flags & NEXT_PRESENT) == 0:
            break
        b = buffer_at(worker, m.next_buffer)
    st32(head + PKT_LEN, total)
    st16(head + NB_SEGS, segments)
    return head


@routine
def chain_of(worker: int, b: int) -> int:
    """The mbufs of a packet's own buffers, linked; nothing is copied. Gives the first one's address."""
    head = b - META
    last = 0
    total = 0
    segments = 0
    while True:
        m = rec(b, BUFFER)
        mbuf = b - META
        st64(mbuf + REARM, (m.current_data + DATA_OFF) | FRESH)
        st64(mbuf + OL_FLAGS, 0)
        st16(mbuf + DATA_LEN, m.current_length)
        st64(mbuf + NEXT, 0)
        if last != 0:
            st64(last + NEXT, mbuf)
        last = mbuf
        total += m.current_length
        segments += 1
        if (m.flags & NEXT_PRESENT) == 0:
            break
        b = buffer_at(worker, m.next_buffer)
    st32(head + PKT_LEN, total)
    st16(head + NB_SEGS, segments)
    return head


@routine
def shared(worker: int, b: int) -> bool:
    """Does the packet share one of its buffers with another packet?"""
    while True:
        m = rec(b, BUFFER)
        if m.ref_count > 1:
            return True
        if (m.flags & NEXT_PRESENT) == 0:
            return False
        b = buffer_at(worker, m.next_buffer)
