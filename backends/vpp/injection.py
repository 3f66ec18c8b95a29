"""Captures made ready for VPP's packet generator: classic pcap files, each to be sent into one interface.

VPP's reader knows classic pcap in microseconds, whole and uncompressed, and holds a file in memory; ours reads the rest
(pcapng, gzip, damage) and hands over pieces. A piece ends where the next packet belongs to another interface, so that
what arrives on several interfaces keeps its order, or when it is large.

Routed interfaces of VPP take only frames with their own MAC, promiscuous or not, so for a promiscuous one the frames of
other stations are readdressed here; packets that were captured without an Ethernet header get one as in the engine.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter

from vectorplane.pcap.frames import make_ethernet
from vectorplane.pcap.memory import peek
from vectorplane.pcap.reader import CaptureReader
from vectorplane.pcap.writer import CaptureWriter

PIECE = 65536
"""Most packets of a piece."""


@dataclass(frozen=True)
class Port:
    """An interface that packets are sent into."""

    mac: bytes
    promiscuous: bool


@dataclass(frozen=True)
class Piece:
    """A file of packets for one interface."""

    interface: str
    path: str
    packets: int


class Captures:
    """The captures for each interface, merged by time. ``warnings`` is complete when the pieces are used up."""

    def __init__(
        self,
        files: Mapping[str, Sequence[str]],
        ports: Mapping[str, Port],
        *,
        strict: bool = False,
        loops: int = 1,
        limit: int | None = None,
    ) -> None:
        self._files, self._ports = files, ports
        self._strict, self._loops, self._limit = strict, loops, limit
        self.warnings: list[str] = []

    def pieces(self, folder: str) -> Iterator[Piece]:
        """Write one piece after the other into a folder; who takes it may remove it.

        Raises:
            CaptureError: a file can't be read (or, if strict, is damaged).
        """
        waiting: list[tuple[int, bytes]] = []
        at = ""
        for number, (time, interface, data) in enumerate(self._limited()):
            if waiting and (interface != at or len(waiting) >= PIECE):
                yield self._write(folder, number, at, waiting)
                waiting = []
            at = interface
            waiting.append((time, data))
        if waiting:
            yield self._write(folder, -1, at, waiting)

    def _write(self, folder: str, number: int, interface: str, packets: Iterable[tuple[int, bytes]]) -> Piece:
        path = os.path.join(folder, f"in-{number}.pcap")
        count = 0
        writer = CaptureWriter(path, nanoseconds=False)
        try:
            for time, data in packets:
                writer.write(time, data)
                count += 1
        finally:
            writer.close()
        return Piece(interface, path, count)

    def _limited(self) -> Iterator[tuple[int, str, bytes]]:
        for number, frame in enumerate(self._merged()):
            if self._limit is not None and number >= self._limit:
                return
            yield frame

    def _merged(self) -> Iterator[tuple[int, str, bytes]]:
        each = [partial(self._read, name, path) for name, paths in self._files.items() for path in paths]
        for _ in range(self._loops):
            yield from heapq.merge(*(read() for read in each), key=itemgetter(0))

    def _read(self, interface: str, path: str) -> Iterator[tuple[int, str, bytes]]:
        port = self._ports[interface]
        last = 0
        with CaptureReader(path, strict=self._strict) as reader:
            while window := reader.next_window():
                bare = window.records["ethertype"] != 0
                make_ethernet(window)
                records = window.records[["offset", "time", "caplen"]].tolist()
                for (offset, time, size), no_header in zip(records, bare.tolist(), strict=True):
                    data = peek(window.address + offset, size)
                    if no_header or (port.promiscuous and data and not data[0] & 1):
                        data = port.mac + data[6:]
                    last = max(last, time)  # a file is played in its own order
                    yield last, interface, data
            self.warnings += [w for w in reader.warnings if w not in self.warnings]
