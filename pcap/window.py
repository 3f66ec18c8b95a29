"""The sliding window: one buffer that never moves, filled from a source, what is left over carried to its front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vectorplane.pcap.index import CURSOR, INTERFACE, RECORD
from vectorplane.pcap.memory import Memory
from vectorplane.pcap.source import Source

RECORDS_PER_WINDOW = 65536
HEADROOM = 64  # readable and writable bytes in front of the window, for a made-up header
INTERFACES_MAX = 65536  # a table entry is only touched when a file describes that many


@dataclass(frozen=True)
class Limits:
    """Lengths beyond which a file is taken for damaged, in bytes: captured bytes of a packet, options of a block."""

    packet: int = 262144
    options: int = 131072

    @property
    def block(self) -> int:
        """The longest pcapng block of a known type: its fields, the packet, the options."""
        return 64 + self.packet + self.options


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Window:
    """Packets of one window; valid until the reader's next ``next_window`` or ``close``.

    ``address`` is that of the data, ``records`` a contiguous array of `vectorplane.pcap.index.RECORD`, shape
    (n,), n of 1 to 65,536, in the order of the file; their offsets count from ``address``. A window never spans
    two pcapng sections: the reader's ``interfaces`` are those of its packets.
    """

    address: int
    records: np.ndarray[Any, Any]


class Buffer:
    """The memory of a reader: window, records, cursor and interface table, all at fixed addresses.

    ``cursor`` is the CURSOR record that the indexers work on (fields by name), ``records`` an array of
    RECORD, ``interfaces`` one of INTERFACE. ``at_end`` is set when the source has no more bytes.
    """

    def __init__(self, source: Source, window_bytes: int, limits: Limits) -> None:
        self._source = source
        window_bytes = max(window_bytes, limits.block)
        self._data = Memory(HEADROOM + window_bytes, "capture window")
        self._view = self._data.view[HEADROOM:]
        self._bytes = self._data.bytes[HEADROOM:]
        self._records = Memory(RECORDS_PER_WINDOW * RECORD.itemsize, "capture records")
        self._control = Memory(CURSOR.itemsize, "capture cursor")
        self._table = Memory(INTERFACES_MAX * INTERFACE.itemsize, "capture interfaces")
        self.size = window_bytes
        self.at_end = False
        self.address = self._data.address + HEADROOM
        self.records: np.ndarray[Any, Any] = self._records.array(RECORD, RECORDS_PER_WINDOW)
        self.interfaces: np.ndarray[Any, Any] = self._table.array(INTERFACE, INTERFACES_MAX)
        self.cursor_address = self._control.address
        self.cursor: Any = self._control.array(CURSOR, 1)[0]
        c = self.cursor
        c["data"], c["records"], c["interfaces"] = self.address, self._records.address, self._table.address
        c["capacity"], c["packet_limit"], c["block_limit"] = RECORDS_PER_WINDOW, limits.packet, limits.block

    @property
    def place(self) -> int:
        """Offset in the capture of the first byte not yet indexed."""
        return int(self.cursor["base"] + self.cursor["start"])

    @property
    def left(self) -> int:
        """Bytes in the window that are not yet indexed."""
        return int(self.cursor["end"] - self.cursor["start"])

    def head(self, count: int) -> bytes:
        """The first ``count`` of the bytes not yet indexed (fewer when there are not so many)."""
        start = int(self.cursor["start"])
        return bytes(self._view[start : min(start + count, int(self.cursor["end"]))])

    def advance(self, count: int) -> None:
        """Leave ``count`` bytes behind; they must be in the window."""
        self.cursor["start"] += count

    def fill(self) -> bool:
        """Carry what is left to the front and read behind it; False when the source had nothing more.

        A file fills the whole window; a pipe gives what it has, so that live packets do not wait.
        """
        start, end = int(self.cursor["start"]), int(self.cursor["end"])
        if start:
            left = end - start
            data = self._bytes
            data[:left] = data[start:end]  # numpy copes with the overlap
            self.cursor["base"] += start
            self.cursor["start"], end = 0, left
        before = end
        while end < self.size and not self.at_end:
            got = self._source.read_into(self._view[end : self.size])
            self.at_end = got == 0
            end += got
            if self._source.live:
                break
        self.cursor["end"] = end
        return end > before

    def want(self, count: int) -> bool:
        """Have ``count`` bytes in the window (no more than its size); False when the source ends before."""
        while self.left < count:
            if not self.fill():
                return False
        return True

    def discard(self, count: int) -> bool:
        """Read through ``count`` bytes, however many; False when the source ends before."""
        while count > 0:
            if not self.left and not self.fill():
                return False
            step = min(count, self.left)
            self.advance(step)
            count -= step
        return True

    def close(self) -> None:
        """Give the memory up; arrays of records that are still referenced stay valid."""
        for memory in (self._data, self._records, self._control, self._table):
            memory.close()
