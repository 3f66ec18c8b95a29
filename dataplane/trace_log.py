"""The packet trace from the control side: switch it on, read the workers' logs, show them as text or data.

Packets are numbered by the worker that took them in: worker i's numbers begin at i << 24, so a packet that
changes its worker keeps its number, and its records are found in both logs. After `clear` numbers go on, and
what packets still under way record with an older number is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from vectorplane.dataplane.abi import INPUT
from vectorplane.dataplane.region import Region
from vectorplane.dataplane.show.columns import thread_name
from vectorplane.dataplane.trace import SLOTS, TRACE, TRACE_LOG, TRACE_SIZE
from vectorplane.dataplane.trace_record import Record, read_record, time_text

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

RECORDS = 1 << 18
"""Most records of a worker's log (48 MB, taken as they are written)."""
PACKETS = 1 << 16
"""Most packets that a worker traces until `TraceLog.clear`."""
_WORKER_SHIFT = 24


class TraceLog:
    """The packet trace of one dataplane; get it with ``plane.shared(TraceLog)``.

    Read it while no worker runs, or some records may be half written. ``start`` is the time (ns) that texts count
    from; None: the time of the earliest packet that was traced.
    """

    def __init__(self, plane: Dataplane, *, records: int = RECORDS, packets: int = PACKETS) -> None:
        self._plane = plane
        self._records, self._packets = records, packets
        self._regions: list[Region] = []
        self._heads: list[npt.NDArray[Any]] = []
        self._slots: list[npt.NDArray[Any]] = []
        self._first: list[int] = []
        self.start: int | None = None

    def add(self, node: str, count: int = 50) -> None:
        """Trace the next ``count`` packets that an input node takes, in each worker; 0 stops it there.

        Raises:
            KeyError: the graph has no such node.
            ValueError: it is not an input node.
        """
        found = self._plane.graph[node]
        if found.type.kind != INPUT:
            raise ValueError(f"node '{node}' doesn't support per-node tracing: packets are marked by input nodes")
        if not self._regions:
            self._allocate()
        for i, worker in enumerate(self._plane.workers):
            worker.record["trace"] = self._regions[i].address
            record = found.record(i)
            record["trace_left"] = int(record["trace_left"]) + count if count > 0 else 0

    def take_number(self, worker: int = 0) -> int:
        """The number of a packet that the control side marks itself (flag `TRACED`, field ``trace`` of its buffer)."""
        if not self._regions:
            self._allocate()
        for i, each in enumerate(self._plane.workers):
            each.record["trace"] = self._regions[i].address
        number = int(self._heads[worker]["packets"])
        self._heads[worker]["packets"] = number + 1
        return number

    def count(self, worker: int) -> int:
        """Records in a worker's log."""
        return int(self._heads[worker]["count"]) if self._heads else 0

    def records(self, worker: int, first: int) -> list[Record]:
        """The records of a worker's log from number ``first`` on, as they were made."""
        slots = self._slots[worker][first : self.count(worker)].copy()
        return [read_record(self._plane, worker, slot) for slot in slots]

    def _allocate(self) -> None:
        for i in range(len(self._plane.workers)):
            region = Region(SLOTS + self._records * TRACE_SIZE, name=f"trace {i}")
            self._regions.append(region)
            self._heads.append(region.view(TRACE_LOG, 0, 1)[0])
            self._slots.append(region.view(TRACE, SLOTS, self._records))
            self._first.append(i << _WORKER_SHIFT)
            self._heads[i]["packets"] = self._first[i]
            self._heads[i]["max_packets"] = self._first[i] + self._packets
            self._heads[i]["capacity"] = self._records

    def clear(self) -> None:
        """Stop tracing and forget all records."""
        for i, worker in enumerate(self._plane.workers[: len(self._regions)]):
            worker.record["trace"] = 0
            for node in self._plane.graph:
                node.record(i)["trace_left"] = 0
            head, base = self._heads[i], i << _WORKER_SHIFT
            head["count"] = head["lost"] = 0
            used = int(head["packets"]) - base
            self._first[i] = base + used if used + self._packets < 1 << _WORKER_SHIFT else base
            head["packets"] = self._first[i]
            head["max_packets"] = self._first[i] + self._packets

    @property
    def lost(self) -> int:
        """Records that found their log full."""
        return sum(int(h["lost"]) for h in self._heads)

    def packets(self) -> list[list[Record]]:
        """The records of each packet in the order in which they were made; packets by time, then number."""
        found: dict[int, list[Record]] = {}
        for i, head in enumerate(self._heads):
            for slot in self._slots[i][: int(head["count"])].copy():
                number = int(slot["packet"])
                owner = number >> _WORKER_SHIFT
                if 0 <= owner < len(self._first) and number >= self._first[owner]:
                    found.setdefault(number, []).append(read_record(self._plane, i, slot))
        for records in found.values():
            if len({r.worker for r in records}) > 1:
                records.sort(key=lambda r: r.clock)
        return sorted(found.values(), key=lambda records: (records[0].time, records[0].packet))

    def text(self, limit: int = 50) -> str:
        """VPP's ``show trace``: a section a worker, at most ``limit`` packets in each."""
        everything = self.packets()
        start = self.start
        if start is None:
            start = min((records[0].time for records in everything), default=0)
        parts = []
        for i in range(len(self._plane.workers)):
            parts.append(f"------------------- Start of thread {i} {thread_name(i)} -------------------\n")
            mine = [p for p in everything if p[0].packet >> _WORKER_SHIFT == i]
            if not mine:
                parts.append("No packets in trace buffer\n")
            for k, records in enumerate(mine):
                if k == limit:
                    parts.append(f"Limiting display to {limit} packets. To display more specify max.\n")
                    break
                parts.append(f"Packet {k + 1}\n{self._packet_text(records, start)}\n\n")
        if self.lost:
            parts.append(f"The trace buffer was full: {self.lost} records are missing.\n")
        return "".join(parts)

    def _packet_text(self, records: list[Record], start: int) -> str:
        lines = []
        previous = ""
        for record in records:
            for name, text in record.text(self._plane):
                if name != previous:
                    lines.append(f"\n{time_text(record.time - start)}: {name}")
                previous = name
                lines += [f"\n  {line}" for line in text.split("\n") if line]
        return "".join(lines)

    def json(self) -> list[dict[str, Any]]:
        """Each packet with what every node saw of it: node, time (ns), next node, fields, text."""
        result = []
        for packet in self.packets():
            records = []
            for r in packet:
                text = "\n".join(t for _, t in r.text(self._plane))
                records.append(
                    {"node": r.node.name, "time": r.time, "next": r.next, "fields": r.fields(), "text": text}
                )
            result.append({"packet": packet[0].packet, "worker": packet[0].packet >> _WORKER_SHIFT, "records": records})
        return result

    def close(self) -> None:
        """Give the memory back. No worker may be running."""
        for worker in self._plane.workers[: len(self._regions)]:
            worker.record["trace"] = 0
        for region in self._regions:
            region.close()
        self._regions, self._heads, self._slots, self._first = [], [], [], []
