"""Packets as whole Ethernet frames: the made-up header put in front of those that have none; and, for tools and
tests, one by one as Python bytes (slow).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from vectorplane.jit.kernel import compiled
from vectorplane.jit.ops import bswap16, rec, st16, st32
from vectorplane.pcap.index import RECORD, RECORD_SIZE
from vectorplane.pcap.memory import peek
from vectorplane.pcap.reader import CaptureReader, Window

HEADER = 14


@compiled
def _put_headers(data: int, records: int, count: int) -> int:
    for i in range(count):
        r = rec(records + i * RECORD_SIZE, RECORD)
        kind = r.ethertype
        if kind != 0:
            at = data + r.offset - HEADER  # over the link header that was indexed, or the window's headroom
            st32(at, 0)
            st32(at + 4, 0)
            st32(at + 8, 0)
            st16(at + 12, bswap16(kind))
            r.offset -= HEADER
            r.caplen += HEADER
            r.wirelen = min(r.wirelen, 0x7FFFFFFF - HEADER) + HEADER
            r.ethertype = 0
    return count


def make_ethernet(window: Window) -> None:
    """Turn all records of a window into Ethernet frames, in place; made-up headers have zero addresses."""
    _put_headers(window.address, window.records.ctypes.data, len(window.records))


@dataclass(frozen=True)
class Frame:
    """One Ethernet frame: ``time`` in ns since the epoch, ``data`` as captured, ``wirelen`` its original length."""

    time: int
    data: bytes
    wirelen: int
    interface: int


def frames(source: str | os.PathLike[str] | BinaryIO | CaptureReader) -> Iterator[Frame]:
    """All packets of a capture, one by one: Python per packet, for tools and tests. Raises CaptureError."""
    reader = source if isinstance(source, CaptureReader) else CaptureReader(source)
    try:
        while window := reader.next_window():
            make_ethernet(window)
            for offset, time, caplen, wirelen, _, _, interface in window.records.tolist():
                yield Frame(time, peek(window.address + offset, caplen), wirelen, interface)
    finally:
        if reader is not source:
            reader.close()
