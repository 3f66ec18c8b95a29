"""Slow-path events: how a kernel tells the control side that something has changed (an ARP reply came, say).

A worker has a ring of fixed slots. A kernel posts; the dispatcher returns to Python when the packets at
hand are through; Python drains the ring before the next packet is taken. A full ring refuses (and the
kernel counts that): events carry news that will come again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.abi import ATTENTION_EVENTS, WORKER
from vectorplane.dataplane.region import Region
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ld64, rec, st64

EVENT = np.dtype([("kind", "i4"), ("sw_if_index", "i4"), ("time", "i8"), ("data", "i8", (6,))], align=True)
CAPACITY = 4096
_SIZE = EVENT.itemsize
_HEAD = 64


@helper
def post(worker: int, kind: int, sw_if: int, time: int, a: int, b: int, c: int) -> int:
    """Add an event; 0 when the ring is full."""
    w = rec(worker, WORKER)
    ring = w.events
    n = ld64(ring)
    if n >= CAPACITY:
        return 0
    e = rec(ring + _HEAD + n * _SIZE, EVENT)
    e.kind = kind
    e.sw_if_index = sw_if
    e.time = time
    e.data[0] = a
    e.data[1] = b
    e.data[2] = c
    st64(ring, n + 1)
    w.attention |= ATTENTION_EVENTS
    return 1


class EventRing:
    """A worker's ring, from the control side. Read it only while the worker is not dispatching."""

    def __init__(self, worker: int) -> None:
        self._region = Region(_HEAD + CAPACITY * EVENT.itemsize, name=f"events {worker}")
        self.address = self._region.address
        self._count = self._region.view(np.dtype("i8"), 0, 1)
        self._events = self._region.view(EVENT, _HEAD, CAPACITY)

    def drain(self) -> npt.NDArray[Any]:
        """All events since the last call, oldest first (a copy)."""
        n = int(self._count[0])
        events: npt.NDArray[Any] = self._events[:n].copy()
        self._count[0] = 0
        return events

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
