"""Handoff: a worker passes packets to another worker's graph.

`worker-handoff` is a feature of the device-input arc: it hashes each frame that an interface receives and gives it to
the worker that its hash belongs to, where it goes on at ethernet-input. Frames without a hash (all but IPv4) stay. Any
other node may pass packets too (`handoff`), reassembly for one.

Between each two workers lies a ring of one producer and one consumer: buffer index and slot, published by a
release store, drained by the target's `handoff-input`, worker by worker. A full ring refuses: "congestion drop".

In virtual time a worker sees what it was given only at the end of an epoch, when all workers have run everything that
was due in it (`Handoffs.publish`): what arrives, and in which order (sending worker, then as sent), depends on
the packets alone. Otherwise it sees it at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import F_N as FRAME_N
from vectorplane.dataplane.abi import (
    INPUT,
    KEPT,
    NEVER,
    NODE,
    POLLING,
    VIRTUAL,
    WORKER,
    buffer_index,
    frame_n,
    put,
    set_next,
)
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.feature import Feature
from vectorplane.dataplane.interface import MAX_INTERFACES
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.region import Region
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.toeplitz import NO_HASH, queue_of, rss_hash
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import ld32s, ld64, load_acquire, offsets, rec, st32, store_release

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "ethernet-input")
DROP, ETHERNET = range(2)
ERRORS = named_by_text(
    "congestion drop",
)
E_CONGESTION_DROP = 0

SLOTS = 8192
ATTENTION_HANDOFF = 16
"""A ring is half full: come back, so that the target's worker, which may sleep, is woken."""
EPOCH = 100_000
"""Default length of an epoch in virtual time, ns."""

RING = np.dtype(
    [
        ("tail", "i8"),  # entries written, by the producer
        ("pad1", "i8", (7,)),
        ("head", "i8"),  # entries read, by the consumer
        ("pad2", "i8", (7,)),
        ("limit", "i8"),  # virtual time: the consumer may read up to here
        ("slots", "i8"),  # a power of two
        ("pad3", "i8", (6,)),
        ("entries", "i4", (SLOTS, 2)),  # buffer index, slot in handoff-input's next table
    ],
    align=True,
)
RING_SIZE = RING.itemsize
_TAIL, _HEAD, _ENTRIES = offsets(RING, "tail", "head", "entries")

INPUT_RUNTIME = np.dtype([("rings", "i8"), ("stride", "i8"), ("workers", "i8")])
RUNTIME = np.dtype([("rings", "i8"), ("slot", "i8"), ("hashes", "i8")])
TRACE = np.dtype([("sw_if_index", "i4"), ("next_worker", "i4"), ("buffer_index", "i4")])


@helper
def handoff(worker: int, rings: int, target: int, slot: int, bi: int) -> int:
    """Pass packet ``bi`` to worker ``target``; 0 when the ring is full and the packet still ours, else 1.

    ``rings`` is `Handoffs.rings` of this worker, ``slot`` comes from `Handoffs.slot`.
    """
    ring = rings + target * RING_SIZE
    r = rec(ring, RING)
    tail = r.tail
    used = tail - load_acquire(ring + _HEAD)
    if used >= r.slots:
        return 0
    at = ring + _ENTRIES + 8 * (tail & (r.slots - 1))
    st32(at, bi)
    st32(at + 4, slot)
    store_release(ring + _TAIL, tail + 1)
    w = rec(worker, WORKER)
    if used >= r.slots >> 1 and w.clock != VIRTUAL:
        w.attention |= ATTENTION_HANDOFF
    return 1


@helper
def target_of(worker: int, hashes: int, b: int) -> int:
    """The worker that the received frame at ``b`` belongs to."""
    m = rec(b, BUFFER)
    toeplitz = ld64(hashes + 8 * m.rx_sw_if)
    value = NO_HASH
    if toeplitz != 0:
        value = rss_hash(b + DATA + m.current_data, m.current_length, toeplitz)
    if value == NO_HASH:
        return int(rec(worker, WORKER).index)
    return queue_of(value, toeplitz)


@kernel
def worker_handoff(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    pool = w.pool
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        bi = buffer_index(frame, i)
        b = pool + bi * CELL
        target = target_of(worker, r.hashes, b)
        if target == w.index:
            set_next(frame, i, ETHERNET)
        elif handoff(worker, r.rings, target, r.slot, bi) != 0:
            set_next(frame, i, KEPT)
        else:
            rec(b, BUFFER).error = d.err_base + E_CONGESTION_DROP
            set_next(frame, i, DROP)
    return n


@kernel
def handoff_input(worker: int, node: int, frame: int) -> int:
    """Take what other workers passed to this one, in order of their numbers."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    r = rec(d.data, INPUT_RUNTIME)
    want = w.vector_size
    n = 0
    d.next_time = NEVER
    for k in range(r.workers):
        ring = r.rings + k * r.stride
        g = rec(ring, RING)
        head = g.head
        end = g.limit
        if w.clock != VIRTUAL:
            end = load_acquire(ring + _TAIL)
        while head < end and n < want:
            at = ring + _ENTRIES + 8 * (head & (g.slots - 1))
            put(frame, n, ld32s(at), ld32s(at + 4))
            n += 1
            head += 1
        store_release(ring + _HEAD, head)
        if head < end:
            d.next_time = w.now
    st32(frame + FRAME_N, n)
    return n


@kernel
def trace(worker: int, node: int, frame: int) -> int:
    """Interface, target worker and buffer; it runs before the packets are given away."""
    pool = rec(worker, WORKER).pool
    hashes = rec(rec(node, NODE).data, RUNTIME).hashes
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            bi = buffer_index(frame, i)
            b = pool + bi * CELL
            x = rec(t, TRACE)
            x.sw_if_index = rec(b, BUFFER).rx_sw_if
            x.next_worker = target_of(worker, hashes, b)
            x.buffer_index = bi
    return n


def format_trace(record: Any, plane: Dataplane) -> str:
    """VPP's one line."""
    index, worker = int(record["sw_if_index"]), int(record["next_worker"])
    return f"worker-handoff: sw_if_index {index}, next_worker {worker}, buffer 0x{int(record['buffer_index']):x}"


class Handoffs:
    """The rings between the workers of a dataplane. Making it joins `handoff-input` to the graph."""

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        self._count = count = len(plane.workers)
        self._region = Region(count * count * RING_SIZE, name="handoff rings")
        self.matrix: Any = self._region.view(RING, 0, count * count).reshape(count, count)
        """`RING` by sending worker, then receiving worker."""
        self.matrix["slots"] = SLOTS
        self.rings = [self._region.address + w * count * RING_SIZE for w in range(count)]
        """For each worker: the address of the rings that it fills."""
        self._hashes = Region(8 * MAX_INTERFACES, name="handoff hashes")
        self.hashes = self._hashes.view(np.dtype("i8"))
        """By sw_if_index: address of the `TOEPLITZ` whose table names workers; 0: packets stay where they are."""
        self.hashes_address = self._hashes.address
        self.epoch = EPOCH
        """Length of an epoch in virtual time, ns."""
        self._node = plane.graph.add("handoff-input")
        for w, worker in enumerate(plane.workers):
            data = self._node.data[w]
            data["rings"], data["stride"] = self._region.address + w * RING_SIZE, count * RING_SIZE
            data["workers"] = count
            self._node.record(w)["state"] = POLLING
            worker.add_input(self._node.index)

    @classmethod
    def of(cls, plane: Dataplane) -> Handoffs | None:
        """Those of a dataplane; None while nothing uses them."""
        return plane.shared(cls) if "handoff-input" in plane.graph else None

    def slot(self, node: str) -> int:
        """What to give `handoff` so that packets go on at ``node``."""
        return self._plane.graph.add_next(self._node, node)

    def publish(self) -> bool:
        """No worker runs: let all see what they were given; False when nobody was given anything."""
        if not (self.matrix["tail"] != self.matrix["head"]).any():
            return False
        self.matrix["limit"] = self.matrix["tail"]
        for w, worker in enumerate(self._plane.workers):
            if (self.matrix["tail"][:, w] != self.matrix["head"][:, w]).any():
                self._node.record(w)["next_time"] = worker.record["now"]
        return True

    def under_way(self) -> list[tuple[int, int, str]]:
        """What workers have passed on and nobody has taken yet: each packet's new worker, buffer and next node."""
        names = self._node.next_names()
        found = []
        for giver, worker in zip(*(self.matrix["tail"] != self.matrix["head"]).nonzero(), strict=True):
            ring = self.matrix[giver, worker]
            for at in range(int(ring["head"]), int(ring["tail"])):
                buffer, slot = ring["entries"][at & (SLOTS - 1)]
                found.append((int(worker), int(buffer), names[int(slot)]))
        return found

    def take_all(self) -> list[tuple[int, int, str]]:
        """The same; nobody else gets them then. No worker may be running."""
        found = self.under_way()
        self.matrix["head"] = self.matrix["limit"] = self.matrix["tail"]
        return found

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
        self._hashes.close()


def bind(plane: Dataplane, node: Node) -> None:
    """Rings, the way to ethernet-input, and the interfaces' hashes."""
    handoffs = plane.shared(Handoffs)
    node.data["rings"] = handoffs.rings
    node.data["slot"] = handoffs.slot("ethernet-input")
    node.data["hashes"] = handoffs.hashes_address


WORKER_HANDOFF = NodeType(
    name="worker-handoff",
    kernel=worker_handoff,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=Trace(TRACE, trace, format_trace, before=True),
    bind=bind,
    features=(Feature("device-input"),),
    doc=__doc__ or "",
)
HANDOFF_INPUT = NodeType(
    name="handoff-input", kernel=handoff_input, kind=INPUT, nexts=("error-drop",), runtime=INPUT_RUNTIME
)
