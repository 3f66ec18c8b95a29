"""The queues of memif interfaces, as their kernels see them, and where in shared memory they may reach.

A ring of memif 2.0: cookie (32 bits), flags (16) and head (16) in the first cache line, tail (16) in the second, and
from byte 128 on 16 bytes a descriptor: flags, region (16 bits each), length, offset, metadata (32 each). Heads and
tails count on and on, modulo 65,536. The side named client has made the memory. On a ring from client to server the
client fills descriptors from head on and the server gives them back by moving tail; from server to client, the client
puts empty buffers in by moving head and the server fills them from tail on.

The other process may write anything at any time. So a kernel keeps its own head or tail in private memory (`QUEUE`),
loads what the other side wrote once, and uses only what it has checked: `locate` gives an address only for bytes that
lie within a region that is mapped. Who finds something that can't be calls `break_queue`: the queue is left alone
from then on, and Python takes the link down.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import ATTENTION_SERVICE, WORKER
from vectorplane.dataplane.worker_tables import QueueTables
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import rec
from vectorplane.jit.shared_memory import load16_acquire

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

COOKIE = 0x3E31F20
FLAGS, HEAD, TAIL, DESCRIPTORS = 4, 6, 64, 128
"""Places in a ring."""
DESCRIPTOR_SIZE = 16
MASK_INT = 1
"""Flag of a ring: its receiver polls and wants no interrupts."""
NEXT = 1
"""Flag of a descriptor: the packet goes on in the one behind it."""
MAX_PACKET = 65535

REGION = np.dtype([("address", "i8"), ("size", "i8")])
"""A mapped shared memory."""
REGION_SIZE = REGION.itemsize

QUEUE = np.dtype(
    [
        ("ring", "i8"),  # address
        ("mask", "i8"),  # slots - 1
        ("regions", "i8"),  # address of the REGIONs
        ("n_regions", "i8"),
        ("last", "i8"),  # our place in the ring: the first slot that we have not dealt with
        ("given", "i8"),  # client, receiving: our head, behind the last empty buffer
        ("seen", "i8"),  # receiving: where the other side stood when its last packet was not complete; -1: it was
        ("state", "i8"),  # CLOSED ...
        ("reason", "i8"),  # of a BROKEN one
        ("sw_if_index", "i8"),
        ("server", "i8"),  # 1: we are the server
        ("queue", "i8"),  # its number
        ("armed", "i8"),  # receiving: 1 while we ask for interrupts
        ("base", "i8"),  # client: address of region 0
        ("buffers", "i8"),  # client: where in it slot 0's buffer lies
        ("buffer_size", "i8"),  # client
        ("lock", "i8"),  # sending: workers take turns
        ("bell_fd", "i8"),  # sending: the receiver's eventfd; -1: it has none
        ("bell_context", "i8"),  # see memif_bell
        ("bell_submit", "i8"),
        ("interrupts", "i8"),  # sending: how many were raised
        ("pad", "i8", (3,)),
    ]
)
QUEUE_SIZE = QUEUE.itemsize
assert QUEUE_SIZE == 192
CLOSED, OPEN, BROKEN = range(3)

WILD, BAD_REGION, OVERRUN, ZERO_LENGTH, TOO_LONG, ENDLESS = range(1, 7)
REASONS = MappingProxyType(
    {
        WILD: "head or tail is further away than the ring is long",
        BAD_REGION: "a descriptor names a region that is not there",
        OVERRUN: "a descriptor reaches beyond the end of its region",
        ZERO_LENGTH: "a descriptor has no bytes",
        TOO_LONG: f"a packet has more than {MAX_PACKET} bytes",
        ENDLESS: "a packet has more descriptors than the ring",
    }
)
"""Why a queue was broken, in words."""
MAX_QUEUES = 1024


@helper
def others_place(queue: int) -> int:
    """The head or tail that the other side moves."""
    q = rec(queue, QUEUE)
    # a server looks at heads, whichever way the packets go; a client at tails
    if q.server:
        return load16_acquire(q.ring + HEAD)
    return load16_acquire(q.ring + TAIL)


@helper
def locate(queue: int, region: int, offset: int, length: int) -> int:
    """Address of ``length`` bytes in a region; when they do not lie in it, minus the reason. None of them negative."""
    q = rec(queue, QUEUE)
    if length == 0:
        return -ZERO_LENGTH
    if region >= q.n_regions:
        return -BAD_REGION
    r = rec(q.regions + region * REGION_SIZE, REGION)
    if offset + length > r.size:
        return -OVERRUN
    return r.address + offset


@helper
def break_queue(worker: int, queue: int, reason: int) -> None:
    """The other side broke the rules: leave the queue alone, and have Python take the link down."""
    q = rec(queue, QUEUE)
    q.state = BROKEN
    q.reason = reason
    rec(worker, WORKER).attention |= ATTENTION_SERVICE


class MemifQueues(QueueTables):
    """The receive queues of a dataplane's memif interfaces: a table of `QUEUE` a worker."""

    what = "queues of memif interfaces"

    def __init__(self, plane: Dataplane) -> None:
        super().__init__(plane, QUEUE, MAX_QUEUES)
