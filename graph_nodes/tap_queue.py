"""The queues of taps, as their kernels see them: a table of `QUEUE` a worker, and what a file descriptor tells.

A queue is a file descriptor of ``/dev/net/tun``, for both directions; worker ``q % workers`` reads queue q. A kernel
that is told that the host's interface is gone marks the queue and rings for Python.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import ATTENTION_SERVICE, WORKER
from vectorplane.dataplane.worker_tables import QueueTables
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import rec

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

QUEUE = np.dtype(
    [
        ("fd", "i8"),
        ("state", "i8"),  # CLOSED, OPEN, GONE
        ("sw_if_index", "i8"),
        ("iov", "i8"),  # address of struct iovec [MAX_IOV]
        ("header", "i8"),  # address of the vnet header of what is sent
        ("spill", "i8"),  # address of SPILL_BYTES for what does not fit into one buffer
        ("gso", "i8"),  # 1: the host cuts TCP
        ("gro", "i8"),  # 1: TCP is put together for it
    ]
)
QUEUE_SIZE = QUEUE.itemsize
IOVEC = np.dtype([("base", "i8"), ("size", "i8")])
"""``struct iovec``, a piece of what is read or written. The first one read is a buffer, the second the spill area; the
first one written is the vnet header."""
CLOSED, OPEN, GONE = range(3)
MAX_QUEUES = 1024
MAX_IOV = 64
"""A frame of 64 KB and its vnet header are not in more pieces."""
SPILL_BYTES = 1 << 17
EAGAIN, EINTR, EINVAL, EIO = errno.EAGAIN, errno.EINTR, errno.EINVAL, errno.EIO


@helper
def lose(worker: int, queue: int) -> None:
    """The host's interface is gone: leave the queue alone, and have Python look at it."""
    rec(queue, QUEUE).state = GONE
    rec(worker, WORKER).attention |= ATTENTION_SERVICE


class TapQueues(QueueTables):
    """The receive queues of a dataplane's taps: a table of `QUEUE` a worker."""

    what = "queues of taps"

    def __init__(self, plane: Dataplane) -> None:
        super().__init__(plane, QUEUE, MAX_QUEUES)
