"""Packets in several pieces: appending bytes to a packet that is being received."""

from __future__ import annotations

from vectorplane.dataplane.abi import FRAME_SIZE, WORKER
from vectorplane.dataplane.buffer import (
    BUFFER,
    DATA,
    DATA_SIZE,
    NEXT_PRESENT,
    allocate,
    buffer_at,
    refill,
)
from vectorplane.jit.kernel import routine
from vectorplane.jit.ops import copy, rec


@routine
def append(worker: int, first: int, data: int, size: int) -> int:
    """Append ``size`` bytes to the packet whose head is buffer ``first``; 0 when buffers ran out."""
    head = rec(buffer_at(worker, first), BUFFER)
    last = first
    while rec(buffer_at(worker, last), BUFFER).flags & NEXT_PRESENT:
        last = rec(buffer_at(worker, last), BUFFER).next_buffer
    done = 0
    while done < size:
        b = buffer_at(worker, last)
        m = rec(b, BUFFER)
        end = m.current_data + m.current_length
        if end >= DATA_SIZE:
            # leave alone what `reserve` has promised for the heads of the packets behind this one
            w = rec(worker, WORKER)
            if w.cache_n <= FRAME_SIZE and (refill(worker) == 0 or w.cache_n <= FRAME_SIZE):
                w.alloc_failures += 1
                return 0
            following = allocate(worker)
            if following < 0:
                return 0
            m.next_buffer = following
            m.flags |= NEXT_PRESENT
            last = following
            continue
        part = min(DATA_SIZE - end, size - done)
        copy(b + DATA + end, data + done, part)
        m.current_length += part
        if last != first:
            head.total_rest += part
        done += part
    return 1
