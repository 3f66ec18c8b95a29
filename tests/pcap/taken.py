"""What the compiled reader makes of a capture, in the terms of the naive one."""

from __future__ import annotations

import io
from typing import Any

from tests.naive.pcap_reader import Capture, Packet
from vectorplane.pcap.errors import CaptureError
from vectorplane.pcap.memory import peek
from vectorplane.pcap.reader import CaptureReader, Limits

SMALL = Limits(packet=96, options=64)
"""So that a window is a few hundred bytes and records straddle its end."""


class Dribble(io.RawIOBase):
    """A pipe (it can't seek) that gives a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data, self._step, self._at = data, step, 0

    def readable(self) -> bool:
        return True

    def readinto(self, view: Any) -> int:
        piece = self._data[self._at : self._at + min(self._step, len(view))]
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def drain(reader: CaptureReader) -> list[Packet]:
    """All packets that are left."""
    packets = []
    while window := reader.next_window():
        assert len(window.records) > 0
        for offset, time, caplen, wirelen, ethertype, queue, interface in window.records.tolist():
            assert queue == 0
            packets.append(Packet(time, peek(window.address + offset, caplen), wirelen, ethertype & 0xFFFF, interface))
    return packets


def take(source: Any, limits: Limits = SMALL, window_bytes: int = 0) -> Capture:
    """Read it all."""
    try:
        with CaptureReader(source, limits=limits, window_bytes=window_bytes) as reader:
            packets = drain(reader)
            assert reader.next_window() is None
            assert reader.delivered == len(packets)
            damage = None if reader.damage is None else reader.damage.offset
            if reader.damage:
                assert reader.damage.packets == len(packets)
            return Capture(packets, reader.skipped, damage)
    except CaptureError:
        return Capture(refused=True)
