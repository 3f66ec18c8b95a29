"""What is remembered of a simulated port: a tap (both directions into one capture), and frames for `transmitted`."""

from __future__ import annotations

import heapq
import os
from collections import deque
from collections.abc import Iterable
from itertools import count
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.abi import NEVER
from vectorplane.dataplane.region import lent
from vectorplane.jit.kernel import compiled
from vectorplane.jit.ops import copy, rec
from vectorplane.pcap.index import RECORD, RECORD_SIZE
from vectorplane.pcap.writer import CaptureWriter


@compiled
def gather(records: int, count: int, to: int) -> int:
    """Copy the frames of ``count`` records (`RECORD`, offsets are addresses) one behind the other; gives the bytes."""
    at = to
    for i in range(count):
        r = rec(records + i * RECORD_SIZE, RECORD)
        copy(at, r.offset, r.caplen)
        at += r.caplen
    return at - to


class Kept:
    """The last ``most`` frames that were added; they become Python objects only when they are asked for."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._blocks: deque[tuple[npt.NDArray[Any], npt.NDArray[np.uint8]]] = deque()

    def add(self, records: npt.NDArray[Any]) -> None:
        """Keep frames (`RECORD`, offsets are addresses)."""
        if not len(records):
            return
        data = np.empty(int(records["caplen"].sum()) + 1, np.uint8)
        with lent(records, data) as (base, to):
            gather(base, len(records), to)
        self._blocks.append((records[["time", "caplen"]].copy(), data))
        self._count += len(records)
        while self._count - len(self._blocks[0][0]) >= self._most:
            self._count -= len(self._blocks.popleft()[0])

    def take(self) -> list[tuple[int, bytes]]:
        """(time in ns, frame), oldest first; nothing is kept then."""
        made = []
        for records, data in self._blocks:
            raw, at = data.tobytes(), 0
            for time, size in zip(records["time"].tolist(), records["caplen"].tolist(), strict=True):
                made.append((time, raw[at : at + size]))
                at += size
        self._blocks.clear()
        self._count = 0
        return made[-self._most :]


class Tap:
    """Frames are known before they arrive and after they departed; they wait here until nothing older can come."""

    def __init__(self, path: str | os.PathLike[str] | BinaryIO) -> None:
        self._writer = CaptureWriter(path)
        self._waiting: list[tuple[int, int, bytes]] = []
        self._order = count()

    def add(self, frames: Iterable[tuple[int, bytes]]) -> None:
        """Frames, each with its time in ns."""
        for time, data in frames:
            heapq.heappush(self._waiting, (time, next(self._order), data))

    def write(self, until: int) -> None:
        """Write what has a time before ``until`` ns."""
        while self._waiting and self._waiting[0][0] < until:
            time, _, data = heapq.heappop(self._waiting)
            self._writer.write(time, data)

    def close(self) -> None:
        """Write all and close the file."""
        self.write(NEVER)
        self._writer.close()
