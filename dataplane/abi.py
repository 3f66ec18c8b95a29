"""The node ABI: what a kernel is given, and the memory that it shares with the dispatcher.

A node's kernel is ``kernel(worker, node, frame) -> int64``, three addresses: the `WORKER` record of
the calling thread, the node's own `NODE` record in that thread, and a `FRAME` of 1 to 256 packets.

Where packets go, in each of the shapes a node can have:

one to one
    write the next's slot for packet i with ``set_next(frame, i, slot)``; the dispatcher enqueues.
    When all slots agree the frame itself is handed over: enqueueing costs nothing.
one to many, generate
    ``emit(worker, node, slot, buffer)`` (`vectorplane.dataplane.frame`) enqueues any buffer at any time.
many to one, hold, release later
    ``set_next(frame, i, KEPT)``: the node now owns the packet; it emits it, frees it or keeps it.
terminal
    nodes declared `terminal` own all packets of their frame; slots are not looked at.
input
    nodes that poll get an empty frame, fill it, set ``n`` and the slots.

A frame that is full spills into a new one. A queue of pending frames, first in first out, decides
the order in which nodes run; a node's number does not.

All fields are signed: numba would widen unsigned arithmetic to uint64 and mix it into floats.
"""

from __future__ import annotations

import numpy as np

from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ld16s, ld32s, offsets, st16, st32

FRAME_SIZE = 256
"""Most packets in a frame (VLIB_FRAME_SIZE)."""

KEPT = -1
"""Slot of a packet that the node kept: the dispatcher leaves it alone."""

FRAME = np.dtype(
    [
        ("n", "i4"),  # packets in the frame
        ("node", "i4"),  # node that will run it
        ("flags", "i4"),
        ("pad", "i4", (13,)),
        ("bi", "i4", (FRAME_SIZE + 16,)),  # buffer indices; the tail lets prefetches run ahead
        ("nx", "i2", (FRAME_SIZE,)),  # slot in the node's next table, a packet
    ],
    align=True,
)

NODE = np.dtype(
    [
        ("function", "i8"),  # the kernel
        ("tracer", "i8"),  # the kernel that writes trace records; 0: the node has none
        ("data", "i8"),  # the node's runtime data of this worker
        ("nexts", "i8"),  # int32 node indices by slot
        ("index", "i4"),
        ("n_next", "i4"),
        ("kind", "i4"),  # INTERNAL ...
        ("open", "i4"),  # the frame being filled for this node; -1: none
        ("err_base", "i4"),  # index of the node's first error counter
        ("state", "i4"),  # POLLING or DISABLED (input nodes)
        ("trace_left", "i4"),  # input nodes: packets still to be marked
        ("trace_before", "i4"),  # run the tracer before the kernel (nodes that give buffers away)
        ("next_time", "i8"),  # input nodes, virtual time: time of the next packet, NEVER when there is none
        ("pad", "i8", (7,)),
    ],
    align=True,
)
assert NODE.itemsize == 128

INTERNAL, TERMINAL, INPUT, PYTHON = 0, 1, 2, 3
POLLING, DISABLED = 0, 1
NEVER = (1 << 63) - 1

WORKER = np.dtype(
    [
        # buffers
        ("pool", "i8"),  # address of buffer 0's metadata
        ("n_buffers", "i8"),
        ("cache", "i8"),  # this worker's stack of free buffers (int32)
        ("cache_n", "i8"),
        ("central", "i8"),  # the pool's shared stack: lock, count, int32 indices
        ("alloc_failures", "i8"),
        # frames and the queue of pending ones
        ("frames", "i8"),
        ("free_frames", "i8"),
        ("free_frames_n", "i8"),
        ("pending", "i8"),
        ("head", "i8"),
        ("tail", "i8"),
        ("nodes", "i8"),
        ("inputs", "i8"),  # int32 indices of the input nodes
        ("n_inputs", "i8"),
        # time, in ns
        ("clock", "i8"),  # VIRTUAL, REAL, FAST
        ("now", "i8"),
        ("deadline", "i8"),  # no packet later than this may be taken before Python has run its timers
        ("horizon", "i8"),  # the input being polled may take packets up to this time
        ("tsc_base", "i8"),
        ("ns_base", "i8"),
        ("ns_per_mega_tick", "i8"),
        # control
        ("epoch_global", "i8"),  # addresses: see dataplane/epoch.py
        ("epoch_own", "i8"),
        ("stop", "i8"),  # set from another thread: leave at the next round
        ("attention", "i8"),  # set by kernels: bits of work for Python, see ATTENTION_*
        ("python_frame", "i8"),  # the frame that a Python node is to run
        ("rounds", "i8"),
        ("vector_size", "i8"),  # most packets an input node may put in a frame
        ("seed", "i8"),
        ("index", "i8"),
        # counters of this thread, in the statistics segment
        ("errors", "i8"),  # int64 by error index: everything counted
        ("drops", "i8"),  # the part of it that is packets dropped
        ("consumed", "i8"),  # the part of it that is packets consumed
        ("node_clocks", "i8"),
        ("node_vectors", "i8"),
        ("node_calls", "i8"),
        ("if_rx", "i8"),  # {packets, bytes} by sw_if_index
        ("if_tx", "i8"),
        ("if_drops", "i8"),
        ("if_punt", "i8"),
        ("if_rx_error", "i8"),
        ("if_tx_error", "i8"),
        ("if_rx_miss", "i8"),
        ("generated", "i8"),  # packet heads made here
        ("dispatch_clocks", "i8"),
        ("last_cycles", "i8"),
        # slow-path events for Python, and the packet trace
        ("events", "i8"),
        ("trace", "i8"),
        ("interfaces", "i8"),  # address of the INTERFACE table
        ("by_turns", "i8"),  # virtual time: a vector holds packets of one input only
        ("pad", "i8", (13,)),
    ],
    align=True,
)

VIRTUAL, REAL, FAST = 0, 1, 2

ATTENTION_EVENTS, ATTENTION_REFILL, ATTENTION_FLUSH, ATTENTION_BARRIER, ATTENTION_SERVICE = 1, 2, 4, 8, 16

# why dispatch() returned
IDLE, DEADLINE, ATTENTION, STOPPED, PYTHON_NODE, ROUNDS = 0, 1, 2, 3, 4, 5

NODE_SIZE = NODE.itemsize
FRAME_BYTES = FRAME.itemsize
F_N, F_NODE, F_BI, F_NX = offsets(FRAME, "n", "node", "bi", "nx")


@helper
def frame_n(frame: int) -> int:
    """Packets in the frame."""
    return ld32s(frame + F_N)


@helper
def buffer_index(frame: int, i: int) -> int:
    """Buffer index of packet ``i``."""
    return ld32s(frame + F_BI + 4 * i)


@helper
def set_next(frame: int, i: int, slot: int) -> None:
    """Send packet ``i`` to the node in ``slot`` of the running node's next table (or `KEPT`)."""
    st16(frame + F_NX + 2 * i, slot)


@helper
def get_next(frame: int, i: int) -> int:
    """The slot that packet ``i`` was given."""
    return ld16s(frame + F_NX + 2 * i)


@helper
def put(frame: int, i: int, index: int, slot: int) -> None:
    """Input nodes: packet ``i`` of the frame is buffer ``index`` and goes to ``slot``."""
    st32(frame + F_BI + 4 * i, index)
    st16(frame + F_NX + 2 * i, slot)
