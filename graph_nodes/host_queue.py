"""Queues of interfaces of the host, whatever they are made of: a table a worker, states, and how one is lost.

A record begins with its file descriptor and its state. Worker ``q % workers`` reads queue q. A kernel that is told that
the host's interface is gone marks the queue and rings for Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import ATTENTION_SERVICE, WORKER
from vectorplane.dataplane.worker_tables import QueueTables
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import rec, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

CLOSED, OPEN, GONE = range(3)
STATE = 8
"""Where a queue's record has its state."""
MAX_QUEUES = 1024
IOVEC = np.dtype([("base", "i8"), ("size", "i8")])
"""``struct iovec``, a piece of what is read or written."""


@helper
def lose(worker: int, queue: int) -> None:
    """The host's interface is gone: leave the queue alone, and have Python look at it."""
    st64(queue + STATE, GONE)
    rec(worker, WORKER).attention |= ATTENTION_SERVICE


class HostQueues(QueueTables):
    """The receive queues of a dataplane's interfaces of one kind: a table of their records a worker."""

    what = "queues of the host"

    def __init__(self, plane: Dataplane, dtype: np.dtype[Any]) -> None:
        assert dtype.fields is not None and dtype.fields["state"][1] == STATE
        super().__init__(plane, dtype, MAX_QUEUES)
