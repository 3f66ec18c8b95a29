"""Frames: vectors of buffer indices on their way to a node.

A worker has a fixed number of frames. One that a node is filling is the node's *open* frame; it waits
in the queue of pending frames, and what arrives for the node joins it until it is full or run.
Frames cannot run out: the dispatcher polls for new packets only when the queue is empty, and nodes
that generate are bounded by the buffers they can allocate (see `FRAMES`).
"""

from __future__ import annotations

from vectorplane.dataplane.abi import F_BI, F_N, FRAME_BYTES, FRAME_SIZE, NODE, NODE_SIZE, WORKER
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ld32s, rec, st32

FRAMES = 4096
"""Frames of a worker: more than nodes with an open frame plus full frames that its buffers can fill."""
QUEUE = 8192
"""Slots in the queue of pending frames (a power of two, more than `FRAMES`)."""


@helper
def frame_at(worker: int, number: int) -> int:
    """Address of frame ``number``."""
    return rec(worker, WORKER).frames + number * FRAME_BYTES


@helper
def node_at(worker: int, index: int) -> int:
    """Address of this worker's record of node ``index``."""
    return rec(worker, WORKER).nodes + index * NODE_SIZE


@helper
def new_frame(worker: int) -> int:
    """Number of an empty frame."""
    w = rec(worker, WORKER)
    w.free_frames_n -= 1
    number = ld32s(w.free_frames + 4 * w.free_frames_n)
    st32(w.frames + number * FRAME_BYTES + F_N, 0)
    return number


@helper
def free_frame(worker: int, number: int) -> None:
    """Give an empty frame back."""
    w = rec(worker, WORKER)
    st32(w.free_frames + 4 * w.free_frames_n, number)
    w.free_frames_n += 1


@helper
def pend(worker: int, node: int, number: int) -> None:
    """Put frame ``number`` at the end of the queue, to be run by ``node`` (an index), and leave it open."""
    w = rec(worker, WORKER)
    st32(w.frames + number * FRAME_BYTES + 4, node)
    st32(w.pending + 4 * (w.tail & (QUEUE - 1)), number)
    w.tail += 1
    rec(node_at(worker, node), NODE).open = number


def _open_frame(worker: int, node: int) -> int:
    """Address of a frame of ``node`` with room for a packet."""
    number = rec(node_at(worker, node), NODE).open
    if number >= 0:
        frame = frame_at(worker, number)
        if ld32s(frame + F_N) < FRAME_SIZE:
            return frame
    number = new_frame(worker)
    pend(worker, node, number)
    return frame_at(worker, number)


open_frame = helper(_open_frame)


@helper
def append(frame: int, index: int) -> None:
    """Add buffer ``index`` to a frame with room."""
    n = ld32s(frame + F_N)
    st32(frame + F_BI + 4 * n, index)
    st32(frame + F_N, n + 1)


@helper
def enqueue(worker: int, node: int, index: int) -> None:
    """Add buffer ``index`` to the packets waiting for ``node`` (a node's index)."""
    append(open_frame(worker, node), index)


@helper
def emit(worker: int, node: int, slot: int, index: int) -> None:
    """From the kernel of the node at address ``node``: send buffer ``index`` to its next ``slot``."""
    enqueue(worker, ld32s(rec(node, NODE).nexts + 4 * slot), index)
