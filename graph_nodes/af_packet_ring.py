"""Walks the receive ring of a packet socket (`af_packet_queue`), trusting nothing in it.

`frame_here` gives the frame at hand, `go_on` passes it. What would lead out of the block ends the block: the rest of it
is given back unread. Each offset is checked where it is used, and offsets only grow, so a walk ends.
"""

from __future__ import annotations

from vectorplane.graph_nodes.af_packet_queue import (
    BLOCK_FIRST,
    BLOCK_FRAMES,
    BLOCK_HEADER,
    BLOCK_STATUS,
    FRAME_AT,
    FRAME_HEADER,
    FRAME_NEXT,
    FRAME_SIZE,
    QUEUE,
    USER,
)
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ld16, ld32, load32_acquire, rec, store32_release

NONE, DAMAGED = 0, -1
_ETHERNET = 14


@helper
def open_block(queue: int) -> int:
    """Begin the block that is waited for; gives its status, 0 when it is still the host's. It may have no frames."""
    q = rec(queue, QUEUE)
    block = q.ring + q.block * q.block_size
    status = load32_acquire(block + BLOCK_STATUS)
    if status & USER == 0:
        return 0
    q.left = ld32(block + BLOCK_FRAMES)
    q.at = max(BLOCK_HEADER, ld32(block + BLOCK_FIRST))
    q.done = 0
    return status


@helper
def close_block(queue: int) -> None:
    """Give the block back to the host, and wait for the next one."""
    q = rec(queue, QUEUE)
    store32_release(q.ring + q.block * q.block_size + BLOCK_STATUS, 0)
    q.left = 0
    following = q.block + 1
    q.block = following if following < q.blocks else 0


@helper
def frame_here(queue: int) -> int:
    """The frame at hand: its size << 16 and the offset of its bytes behind its header; `DAMAGED`: not in the block."""
    q = rec(queue, QUEUE)
    if q.at + FRAME_HEADER > q.block_size:
        return DAMAGED
    header = q.ring + q.block * q.block_size + q.at
    at = ld16(header + FRAME_AT)
    size = ld32(header + FRAME_SIZE)
    if at < FRAME_HEADER + q.vnet or size < _ETHERNET or q.at + at + size > q.block_size:
        return DAMAGED
    return size << 16 | at


@helper
def go_on(queue: int) -> None:
    """Behind the frame at hand, which was `frame_here`; behind the last one to the next block."""
    q = rec(queue, QUEUE)
    q.done = 0
    if q.left <= 1:
        close_block(queue)
        return
    q.left = q.left - 1
    # a step that is too small is taken for one that leads out of the block
    step = ld32(q.ring + q.block * q.block_size + q.at + FRAME_NEXT)
    q.at = q.at + step if step >= FRAME_HEADER else q.block_size
