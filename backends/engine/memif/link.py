"""A memif connection that is up: its memory, its rings in the hands of the kernels, its eventfds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.memif.bell import Bell
from vectorplane.backends.engine.memif.regions import MappedRegion
from vectorplane.backends.engine.memif.rings import Layout
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.memif_bell import BELL_SIZE
from vectorplane.graph_nodes.memif_input import arm_queue
from vectorplane.graph_nodes.memif_queue import (
    BROKEN,
    OPEN,
    QUEUE,
    QUEUE_SIZE,
    REASONS,
    REGION,
    REGION_SIZE,
    MemifQueues,
)

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


@dataclass(frozen=True)
class RingPlace:
    """A ring that was found to be one: its address, its slots, its eventfd."""

    address: int
    log2_size: int
    fd: int


def _clear(q: Any) -> None:
    for name in QUEUE.names or ():
        q[name] = 0


class MemifLink:
    """Gives the rings ``rx`` and ``tx`` of an interface to the kernels; owns ``regions`` and the rings' eventfds.

    ``layout`` is that of our own region 0 when we are the client, None when we are the server.
    """

    def __init__(
        self,
        engine: Engine,
        sw_if_index: int,
        regions: Sequence[MappedRegion],
        rx: Sequence[RingPlace],
        tx: Sequence[RingPlace],
        layout: Layout | None,
    ) -> None:
        self._sw_if_index, self._layout = sw_if_index, layout
        self._regions, self._rings = list(regions), [*rx, *tx]
        self.rx_fds = [r.fd for r in rx]
        """Eventfds that the peer signals."""
        self._workers = len(engine.plane.workers)
        self._tables = engine.plane.shared(MemifQueues)
        self._input = engine.plane.graph["memif-input"]
        self._tx_node = engine.plane.graph[f"{engine.interfaces[sw_if_index].name}-tx"]
        self._slots: list[tuple[int, int]] = []
        self._bells: list[Bell] = []
        size = max(1, len(self._regions) * REGION_SIZE + len(tx) * (QUEUE_SIZE + BELL_SIZE))
        self._memory = Region(size, name="memif queues of an interface")
        self._fill_regions()
        self._tx = self._memory.view(QUEUE, self._tx_at, len(tx))
        try:
            self._give(rx, tx)
        except BaseException:
            self.close()
            raise

    def _give(self, rx: Sequence[RingPlace], tx: Sequence[RingPlace]) -> None:
        for number, ring in enumerate(tx):
            self._open(self._tx[number], ring, number, sending=True)
        for number, ring in enumerate(rx):
            worker = number % self._workers
            slot = self._tables.free_slot(worker)
            self._open(self._tables.tables[worker][slot], ring, number, sending=False)
            self._slots.append((worker, slot))
        self._count()
        for worker, r in enumerate(self._tx_node.data):
            r["queues"] = self._memory.address + self._tx_at + worker % len(tx) * QUEUE_SIZE if tx else 0
            r["shared"] = len(tx) < self._workers

    @property
    def _tx_at(self) -> int:
        return len(self._regions) * REGION_SIZE

    def _fill_regions(self) -> None:
        if self._regions:
            table = self._memory.view(REGION, 0, len(self._regions))
            for record, region in zip(table, self._regions, strict=True):
                record["address"], record["size"] = region.address, region.size

    def _open(self, q: Any, ring: RingPlace, number: int, *, sending: bool) -> None:
        _clear(q)
        q["ring"], q["mask"], q["queue"] = ring.address, (1 << ring.log2_size) - 1, number
        q["regions"], q["n_regions"] = self._memory.address, len(self._regions)
        q["sw_if_index"], q["seen"], q["bell_fd"] = self._sw_if_index, -1, -1
        q["server"] = self._layout is None
        if self._layout is not None:
            place = number if sending else self._layout.s2m + number
            q["base"], q["buffer_size"] = self._regions[0].address, self._layout.buffer_size
            q["buffers"] = self._layout.buffers(place)
            q["given"] = 0 if sending else 1 << ring.log2_size
        if sending:
            at = self._tx_at + len(self._tx) * QUEUE_SIZE + number * BELL_SIZE
            bell = Bell(ring.fd, self._memory.bytes[at : at + BELL_SIZE], self._memory.address + at)
            self._bells.append(bell)
            q["bell_fd"], q["bell_context"], q["bell_submit"] = ring.fd, bell.context, bell.address
        q["state"] = OPEN

    def _count(self) -> None:
        for worker, record in enumerate(self._input.data):
            record["n_queues"] = self._tables.count(worker)

    def _rx(self) -> list[Any]:
        return [self._tables.tables[w][s] for w, s in self._slots]

    def broken(self) -> str | None:
        """What the peer did wrong; None while it behaves."""
        for way, queues in (("rx", self._rx()), ("tx", list(self._tx))):
            for q in queues:
                if int(q["state"]) == BROKEN:
                    return f"{way} queue {int(q['queue'])}: {REASONS[int(q['reason'])]}"
        return None

    def arm(self) -> bool:
        """Ask the peer for interrupts; True when it has sent something in the meantime."""
        return sum(arm_queue(self._tables.addresses[w] + s * QUEUE_SIZE) for w, s in self._slots) > 0

    @property
    def interrupts(self) -> int:
        """How many the peer was sent."""
        return int(self._tx["interrupts"].sum())

    def close(self) -> None:
        """Take the rings from the kernels (no worker may be in them) and give everything back."""
        for r in self._tx_node.data:
            r["queues"] = 0
        for q in self._rx():
            _clear(q)
        self._count()
        for bell in self._bells:
            bell.close()
        for region in self._regions:
            region.close()
        for ring in self._rings:
            os.close(ring.fd)
        self._tx = self._tx[:0]
        self._memory.close()
