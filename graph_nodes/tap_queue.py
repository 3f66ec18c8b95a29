"""The queues of taps, as their kernels see them, and what a file descriptor tells.

A queue is a file descriptor of ``/dev/net/tun``, for both directions.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import numpy as np

from vectorplane.graph_nodes.host_queue import HostQueues

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
"""Of the pieces at ``iov`` the first one read is a buffer, the second the spill area; the first one written is the vnet
header."""
QUEUE_SIZE = QUEUE.itemsize
MAX_IOV = 64
"""A frame of 64 KB and its vnet header are not in more pieces."""
SPILL_BYTES = 1 << 17
EAGAIN, EINTR, EINVAL, EIO = errno.EAGAIN, errno.EINTR, errno.EINVAL, errno.EIO


class TapQueues(HostQueues):
    """The receive queues of a dataplane's taps: a table of `QUEUE` a worker."""

    what = "queues of taps"

    def __init__(self, plane: Dataplane) -> None:
        super().__init__(plane, QUEUE)
