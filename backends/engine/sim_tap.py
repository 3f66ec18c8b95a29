"""A tap on a simulated port: both directions into one capture, in order of time."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable
from itertools import count
from typing import BinaryIO

from vectorplane.dataplane.abi import NEVER
from vectorplane.pcap.writer import CaptureWriter


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
