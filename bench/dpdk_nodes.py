"""What the DPDK benchmark has compiled for itself: testpmd's macswap as a node, and its loop without a graph."""

from __future__ import annotations

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.node import NodeType
from vectorplane.jit.kernel import compiled, kernel
from vectorplane.jit.ops import call3, cycles, ld32, ld64, prefetch, rec, st32, st64

RUNTIME = np.dtype([("next", "i8")])


@kernel
def macswap(worker: int, node: int, frame: int) -> int:
    """Exchange the MAC addresses of each frame; all go to one next."""
    pool = rec(worker, WORKER).pool
    following = rec(rec(node, NODE).data, RUNTIME).next
    n = frame_n(frame)
    for i in range(n):
        prefetch(pool + buffer_index(frame, i + 4) * CELL + DATA)
        b = pool + buffer_index(frame, i) * CELL
        d = b + DATA + rec(b, BUFFER).current_data
        first = ld64(d)  # destination, and two bytes of the source
        rest = ld32(d + 8)
        destination = first & 0xFFFFFFFFFFFF
        source = ((first >> 48) & 0xFFFF) | (rest << 16)
        st64(d, source | (destination << 48))
        st32(d + 8, destination >> 16)
        set_next(frame, i, following)
    return n


MACSWAP = NodeType(name="bench-macswap", kernel=macswap, nexts=("error-drop",), runtime=RUNTIME)


@compiled
def bare_loop(rx: int, tx: int, free: int, source: int, to: int, mbufs: int, rounds: int, burst: int) -> int:
    """``rounds`` times: receive a burst from queue ``source`` and send it to queue ``to``; gives the packets."""
    total = 0
    for _ in range(rounds):
        got = call3(rx, source, mbufs, burst)
        if got > 0:
            sent = call3(tx, to, mbufs, got)
            if sent < got:
                call3(free, mbufs + 8 * sent, got - sent, 0)
        total += got
    return total


@compiled
def empty_calls(function: int, queue: int, mbufs: int, rounds: int) -> int:
    """Clocks that ``rounds`` calls of the shim for no packet take."""
    began = cycles()
    for _ in range(rounds):
        call3(function, queue, mbufs, 0)
    return cycles() - began
