"""Do two captures hold the same packets? In order, in constant memory; or as sets (``unordered``).

Frames are compared byte by byte, but for the masked ones (`vectorplane.pcap.masks`); packets of raw IP, loopback
and cooked captures as Ethernet frames whose made-up header has zero addresses. Original lengths and interfaces
are not compared.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np

from vectorplane.pcap.comparison import Comparison, Difference
from vectorplane.pcap.differ import FOUND, PAIR, differences
from vectorplane.pcap.frames import make_ethernet
from vectorplane.pcap.index import RECORD_SIZE
from vectorplane.pcap.masks import RANGE, Mask, table
from vectorplane.pcap.memory import Memory, peek
from vectorplane.pcap.reader import CaptureReader, Window

Source = str | os.PathLike[str] | BinaryIO


def compare(
    a: Source,
    b: Source,
    *,
    masks: Sequence[Mask] = (),
    unordered: bool = False,
    ignore_time: bool = True,
    limit: int = 10,
) -> Comparison:
    """Compare the packets of two captures.

    Ordered, packet i of one is compared with packet i of the other. ``unordered``, each packet wants an equal one
    anywhere in the other capture (16 bytes of memory a packet, and as much again a few times for sorting; equality
    is that of a 128-bit hash). ``ignore_time=False`` wants equal time stamps too. ``limit`` is how many
    differences are kept. Raises CaptureError when one can't be read; damage becomes a warning.
    """
    if unordered:
        from vectorplane.pcap.compare_sets import compare_sets

        return compare_sets(a, b, masks, ignore_time, limit)
    with CaptureReader(a) as reader_a, CaptureReader(b) as reader_b:
        result = Comparison()
        job = Job(masks, not ignore_time, limit)
        side_a, side_b = Side(reader_a), Side(reader_b)
        while side_a.left and side_b.left:
            count = min(side_a.left, side_b.left)
            room = limit - len(result.differences)
            total, found = job.run(side_a, side_b, count, room)
            result.different += total
            result.differences += [_difference(side_a, side_b, *one) for one in found]
            side_a.step(count)
            side_b.step(count)
        for side, kind in ((side_a, "only in a"), (side_b, "only in b")):
            _rest(result, side, kind, limit)
        result.packets_a, result.packets_b = side_a.done, side_b.done
        result.warnings = reader_a.warnings + reader_b.warnings
        job.close()
    return result


class Side:
    """One capture as it is walked through: its window and where in it we are; ``done`` packets before that."""

    def __init__(self, reader: CaptureReader) -> None:
        self._reader = reader
        self._window: Window | None = None
        self.at = 0
        self.done = 0
        self.step(0)

    @property
    def left(self) -> int:
        """Packets of the window that are not done; 0 at the end of the capture."""
        return 0 if self._window is None else len(self._window.records) - self.at

    @property
    def addresses(self) -> tuple[int, int]:
        """Of the window's data, and of the next record."""
        assert self._window is not None
        return self._window.address, int(self._window.records.ctypes.data) + self.at * RECORD_SIZE

    def frame(self, index: int) -> bytes:
        """The packet ``index`` places on, which must be in the window."""
        assert self._window is not None
        record = self._window.records[self.at + index]
        return peek(self._window.address + int(record["offset"]), int(record["caplen"]))

    def step(self, count: int) -> None:
        """Leave ``count`` packets behind; go to the next window at the end of this one."""
        self.at += count
        self.done += count
        if self.left == 0:
            self._window, self.at = self._reader.next_window(), 0
            if self._window is not None:
                make_ethernet(self._window)


class Job:
    """The memory of the compiled comparison: a PAIR with its masks and its list of findings."""

    def __init__(self, masks: Sequence[Mask], timed: bool, limit: int) -> None:
        ranges = table(masks)
        n = len(ranges)
        self._memory = Memory(PAIR.itemsize + n * (RANGE.itemsize + 16) + limit * FOUND.itemsize, "comparison")
        self.pair: Any = self._memory.array(PAIR, 1)[0]
        at = PAIR.itemsize
        self._memory.bytes[at : at + ranges.nbytes] = np.frombuffer(ranges.tobytes(), np.uint8)
        address = self._memory.address
        self.pair["ranges"], self.pair["range_count"] = address + at, n
        self.pair["spans"] = address + at + ranges.nbytes
        self.pair["found"] = address + at + ranges.nbytes + 16 * n
        self.pair["timed"] = timed
        first = at + ranges.nbytes + 16 * n
        self._found = self._memory.bytes[first : first + limit * FOUND.itemsize].view(FOUND)
        self.address = address

    def run(self, a: Side, b: Side, count: int, room: int) -> tuple[int, list[tuple[int, int]]]:
        """Compare the next ``count`` packets: how many differ, and (index, offset) of the first ``room`` of them."""
        p = self.pair
        (p["data_a"], p["records_a"]), (p["data_b"], p["records_b"]) = a.addresses, b.addresses
        p["count"], p["capacity"] = count, room
        total = differences(self.address)
        return total, self._found[: int(p["found_count"])].tolist()

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()


def _difference(side_a: Side, side_b: Side, index: int, offset: int) -> Difference:
    a, b = side_a.frame(index), side_b.frame(index)
    kind = "time" if offset < 0 else "bytes" if len(a) == len(b) else "length"
    return Difference(side_a.done + index + 1, kind, offset, a, b)


def _rest(result: Comparison, side: Side, kind: str, limit: int) -> None:
    """Count what only one capture has, behind the end of the other."""
    while side.left:
        count = side.left
        for index in range(min(count, limit - len(result.differences))):
            frame = side.frame(index)
            a, b = (frame, b"") if kind == "only in a" else (b"", frame)
            result.differences.append(Difference(side.done + index + 1, kind, 0, a, b))
        if kind == "only in a":
            result.only_a += count
        else:
            result.only_b += count
        side.step(count)
