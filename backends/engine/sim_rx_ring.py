"""The receive side of a simulated NIC: RSS, bounded descriptor rings, and the frames that wait in them.

Each queue has a ring of N descriptors. A frame that arrives takes one; the host gives it back when it takes the
packet. In virtual time the host takes a packet when it arrives, or `service` ns after the queue's last one, whichever
is later; a frame that arrives while the N packets accepted before it have not all been taken (what arrives in the
same nanosecond is there before the host looks) finds the ring full: it is lost and counted as rx-miss. The ring thus
needs nothing but the times at which its last N packets were taken. In real time the ring is full when N packets wait
for `sim-input`; with clock `fast` the wire waits for the host and nothing is lost.

The frames of all queues lie in one run of records in order of arrival, which workers walk as they walk a capture's
window, each taking those of its own queues: arrival numbers are then the same whatever the number of workers.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.abi import FAST, REAL, VIRTUAL
from vectorplane.dataplane.buffer import L4_CHECKSUM_COMPUTED, L4_CHECKSUM_CORRECT
from vectorplane.dataplane.region import Region, lent
from vectorplane.graph_nodes.checksum_offload import received_flags
from vectorplane.graph_nodes.packet_source import ENDED, MAX_SOURCES, PARTITION_SHIFT, READY
from vectorplane.graph_nodes.sim_input import SimSources
from vectorplane.graph_nodes.toeplitz import queue_of, rss_hash
from vectorplane.jit.kernel import compiled
from vectorplane.jit.ops import copy, ld64, rec, st64
from vectorplane.pcap.index import RECORD, RECORD_SIZE

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.rss import Rss

QUEUE = np.dtype(
    [
        ("accepted", "i8"),  # packets, since the beginning
        ("last_take", "i8"),
        ("waiting", "i8"),  # real time: packets that the host has not taken
        ("miss", "i8"),  # address of the rx-miss counter
        ("worker", "i8"),
    ]
)
QUEUE_SIZE = QUEUE.itemsize
RX = np.dtype(
    [
        ("data", "i8"),
        ("records", "i8"),
        ("used", "i8"),  # bytes
        ("count", "i8"),  # records
        ("toeplitz", "i8"),
        ("n_queues", "i8"),
        ("queues", "i8"),  # address of the QUEUEs
        ("slots", "i8"),  # descriptors of a ring
        ("taken", "i8"),  # int64 [queues, slots]: when the packets in the descriptors are taken
        ("service", "i8"),
        ("clock", "i8"),
        ("offload", "i8"),
        ("trust", "i8"),
        ("last", "i8"),  # arrival of the last frame: a wire keeps its order
        ("latest", "i8"),  # the latest time in the records
        ("unsorted", "i8"),  # one of another queue was taken earlier: the records must be sorted
    ]
)
DATA_BYTES = 1 << 28
MAX_RECORDS = DATA_BYTES // 64
QUEUE_SHIFT = PARTITION_SHIFT
"""`RECORD.interface` of a received frame holds buffer flags, and above them its queue."""


@compiled
def arrive(rx: int, data: int, records: int, count: int, latency: int) -> int:
    """Receive ``count`` frames (`RECORD`, offsets from ``data``) ``latency`` ns after their times.

    Gives how many found their ring full.
    """
    x = rec(rx, RX)
    lost = 0
    for i in range(count):
        f = rec(records + i * RECORD_SIZE, RECORD)
        at = data + f.offset
        size = f.caplen
        arrival = max(f.time + latency, x.last)
        x.last = arrival
        number = 0
        if x.n_queues > 1:
            number = queue_of(rss_hash(at, size, x.toeplitz), x.toeplitz)
        q = rec(x.queues + number * QUEUE_SIZE, QUEUE)
        when = arrival
        full = False
        if x.clock == VIRTUAL:
            slot = x.taken + 8 * (number * x.slots + q.accepted % x.slots)
            full = q.accepted >= x.slots and ld64(slot) >= arrival
            if not full:
                if q.accepted > 0:
                    when = max(when, q.last_take + x.service)
                st64(slot, when)
        elif x.clock == REAL:
            full = q.waiting >= x.slots
        if full:
            st64(q.miss, ld64(q.miss) + 1)
            lost += 1
            continue
        q.accepted += 1
        q.waiting += 1
        q.last_take = when
        if when < x.latest:
            x.unsorted = 1
        else:
            x.latest = when
        r = rec(x.records + x.count * RECORD_SIZE, RECORD)
        r.offset = x.used
        r.time = when
        r.caplen = size
        r.wirelen = f.wirelen
        r.ethertype = 0
        r.queue = q.worker
        flags = number << QUEUE_SHIFT
        if x.trust:
            flags |= L4_CHECKSUM_COMPUTED | L4_CHECKSUM_CORRECT
        elif x.offload:
            flags |= received_flags(at, size)
        r.interface = flags
        copy(x.data + x.used, at, size)
        x.used += size
        x.count += 1
    return lost


class RxRings:
    """The receive rings of one port, and its entries among the sources of `sim-input`.

    Raises:
        OverflowError: too many ports.
    """

    def __init__(
        self,
        engine: Engine,
        sw_if_index: int,
        *,
        queues: int,
        slots: int,
        service: int,
        offload: bool,
        trust: bool,
        rss: Rss,
    ) -> None:
        plane = engine.plane
        self._queues, self._slots = queues, slots
        self._data = Region(DATA_BYTES, name=f"rx {sw_if_index} data")
        self._records = Region(MAX_RECORDS * RECORD_SIZE, name=f"rx {sw_if_index} records")
        self._rings = Region(RX.itemsize + queues * (QUEUE_SIZE + 8 * slots), name=f"rx {sw_if_index} rings")
        self.address = self._rings.address
        self.state: Any = self._rings.view(RX, 0, 1)[0]
        self.queues: Any = self._rings.view(QUEUE, RX.itemsize, queues)
        x = self.state
        x["data"], x["records"], x["toeplitz"] = self._data.address, self._records.address, rss.address
        x["n_queues"], x["slots"], x["service"], x["offload"] = queues, slots, service, offload
        x["trust"] = trust
        x["queues"] = self._rings.address + RX.itemsize
        x["taken"] = int(x["queues"]) + queues * QUEUE_SIZE
        x["clock"] = plane.workers[0].record["clock"]
        for number, q in enumerate(self.queues):
            q["worker"] = number % len(plane.workers)
            q["miss"] = plane.if_stats["rx-miss"].addresses[int(q["worker"])] + 8 * sw_if_index
        self._join(engine, sw_if_index)

    def _join(self, engine: Engine, sw_if_index: int) -> None:
        plane = engine.plane
        self._node = node = plane.graph.add("sim-input")
        engine.poll_node(node)
        self._entries = entries = plane.shared(SimSources)
        if entries.free:
            self._number = heapq.heappop(entries.free)
        else:
            self._number = int(node.data["n_sources"][0])
            if self._number >= MAX_SOURCES:
                raise OverflowError(f"more than {MAX_SOURCES} simulated ports")
            node.data["n_sources"] = self._number + 1
        several = len(plane.workers) > 1
        self._sources = [t[self._number] for t in entries.tables]
        for worker, s in enumerate(self._sources):
            s["sw_if_index"], s["state"], s["queue"] = sw_if_index, ENDED, worker if several else -1
            s["data"], s["records"] = self._data.address, self._records.address
            s["position"] = s["count"] = s["remaining"] = 0
            s["flag_mask"] = L4_CHECKSUM_COMPUTED | L4_CHECKSUM_CORRECT

    @property
    def waiting(self) -> int:
        """Records that not every worker has passed yet: packets in the rings, or known to arrive."""
        return int(self.state["count"]) - self._passed()

    def _passed(self) -> int:
        return min(int(s["position"]) for s in self._sources)

    def receive(self, data: int, records: npt.NDArray[Any], latency: int = 0) -> int:
        """Frames (`RECORD`, offsets from address ``data``, in order of time) arrive; gives how many found a full ring.

        No worker may be running.

        Raises:
            OverflowError: more frames are on their way to this port than it has memory for.
        """
        x = self.state
        self._make_room(len(records), int(records["caplen"].sum()))
        if int(x["clock"]) == REAL:
            self._count_waiting()
        before = int(x["count"])
        with lent(records) as (base,):
            lost = arrive(self.address, data, base, len(records), latency)
        if int(x["count"]) > before:
            first = int(self._view(before, int(x["count"]))["time"].min())
            if int(x["unsorted"]):
                self._sort()
            self._post(first if int(x["clock"]) != FAST else 0)
        return lost

    def _sort(self) -> None:
        # what a worker has passed lies before all that arrives now, so only the rest can be out of order
        left = self._view(max(int(s["position"]) for s in self._sources), int(self.state["count"]))
        left[:] = left[np.argsort(left["time"], kind="stable")]
        self.state["unsorted"] = 0

    def _view(self, start: int, end: int) -> npt.NDArray[Any]:
        return self._records.view(RECORD, start * RECORD_SIZE, end - start)

    def _make_room(self, count: int, size: int) -> None:
        x = self.state
        passed = self._passed()
        if passed == int(x["count"]):
            x["count"] = x["used"] = 0
            for s in self._sources:
                s["position"] = s["count"] = 0
        if int(x["count"]) + count <= MAX_RECORDS and int(x["used"]) + size + 64 <= DATA_BYTES:
            return
        left = self._view(passed, int(x["count"]))
        start = int(left["offset"].min()) if len(left) else int(x["used"])
        self._data.bytes[: int(x["used"]) - start] = self._data.bytes[start : int(x["used"])]
        left["offset"] -= start
        self._view(0, len(left))[:] = left
        x["count"], x["used"] = len(left), int(x["used"]) - start
        for s in self._sources:
            s["position"] -= passed
            s["count"] = len(left)
        if len(left) + count > MAX_RECORDS or int(x["used"]) + size + 64 > DATA_BYTES:
            raise OverflowError(f"more than {len(left)} frames on their way to a simulated port")

    def _count_waiting(self) -> None:
        self.queues["waiting"] = 0
        count = int(self.state["count"])
        for worker, s in enumerate(self._sources):
            left = self._view(int(s["position"]), count)
            own = left["interface"][left["queue"] == worker] >> QUEUE_SHIFT
            self.queues["waiting"] += np.bincount(own, minlength=self._queues)

    def _post(self, first: int) -> None:
        count = int(self.state["count"])
        for worker, s in enumerate(self._sources):
            s["count"], s["remaining"], s["state"] = count, count - int(s["position"]), READY
            record = self._node.record(worker)
            record["next_time"] = min(int(record["next_time"]), first)

    def close(self) -> None:
        """Give the memory back; no more packets come."""
        for s in self._sources:
            s["state"] = ENDED
        heapq.heappush(self._entries.free, self._number)
        for region in (self._data, self._records, self._rings):
            region.close()
