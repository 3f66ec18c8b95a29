"""Packets that Python makes: put into the graph in front of a node (ARP probes, tests, nodes of plain Python)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import WORKER
from vectorplane.dataplane.buffer import BUFFER, DATA, DATA_SIZE, NEXT_PRESENT, allocate, buffer_at, free
from vectorplane.dataplane.frame import enqueue
from vectorplane.jit.kernel import compiled
from vectorplane.jit.ops import copy, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane


@compiled
def _allocate_chain(worker: int, data: int, size: int) -> int:
    """A packet of ``size`` bytes copied from ``data``; -1 when buffers ran out (nothing is kept then)."""
    first = -1
    previous = -1
    done = 0
    while done < size or first < 0:
        index = allocate(worker)
        if index < 0:
            if first >= 0:
                free(worker, first)
            return -1
        part = min(DATA_SIZE, size - done)
        b = buffer_at(worker, index)
        copy(b + DATA, data + done, part)
        rec(b, BUFFER).current_length = part
        if first < 0:
            first = index
            rec(b, BUFFER).total_rest = size - part
        else:
            p = rec(buffer_at(worker, previous), BUFFER)
            p.next_buffer = index
            p.flags |= NEXT_PRESENT
        previous = index
        done += part
    rec(buffer_at(worker, first), BUFFER).time = rec(worker, WORKER).now
    return first


@compiled
def _enqueue(worker: int, node: int, index: int) -> int:
    enqueue(worker, node, index)
    return 0


@compiled
def _free(worker: int, index: int) -> int:
    free(worker, index)
    return 0


def make_packet(plane: Dataplane, data: bytes, worker: int = 0) -> int:
    """A packet of these bytes in the pool: its buffer index, or -1 when there are not enough buffers."""
    raw = np.frombuffer(data + bytes(32), np.uint8).copy()
    from vectorplane.jit import twin
    from vectorplane.jit.kernel import JIT

    if not JIT:
        twin.register(raw.ctypes.data, raw.size, "packet to be made")
    try:
        return _allocate_chain(plane.workers[worker].address, raw.ctypes.data, len(data))
    finally:
        if not JIT:
            twin.unregister(raw.ctypes.data)


def enqueue_packet(plane: Dataplane, node: str, index: int, worker: int = 0) -> None:
    """Let packet ``index`` wait for ``node``; the next dispatch runs it."""
    _enqueue(plane.workers[worker].address, plane.graph.add(node).index, index)


def free_packet(plane: Dataplane, index: int, worker: int = 0) -> None:
    """Free packet ``index``."""
    _free(plane.workers[worker].address, index)


def inject(plane: Dataplane, node: str, data: bytes, *, rx: int = 0, tx: int = -1, generated: bool = True) -> bool:
    """Send a packet made by the control side into the graph at ``node``; False when there was no buffer.

    It counts as generated here (DESIGN: balance of packets) unless told otherwise. No worker may be running.
    """
    index = make_packet(plane, data)
    if index < 0:
        return False
    meta = plane.pool.meta[index]
    meta["rx_sw_if"], meta["tx_sw_if"] = rx, tx
    if generated:
        plane.workers[0].record["generated"] += 1
    enqueue_packet(plane, node, index)
    return True
