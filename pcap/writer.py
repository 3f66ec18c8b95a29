"""Writing captures: classic pcap (nanoseconds by default) and pcapng.

Source: draft-ietf-opsawg-pcap, sections 4 and 5. A file is readable at any time: only whole records reach it.
"""

from __future__ import annotations

import os
import struct
from types import TracebackType
from typing import Any, BinaryIO, Self

from vectorplane.pcap.errors import CaptureError
from vectorplane.pcap.output import Output

SNAPLEN = 262144
CHUNK = 65536
"""Bytes that the slow path gathers before it writes them."""


class RecordFile:
    """What the writers have in common: whole records gathered, then written in one go. A context manager."""

    def __init__(self, path: str | os.PathLike[str] | BinaryIO, header: bytes) -> None:
        self._output = Output(path)
        self.name = self._output.name
        self._pending = bytearray()
        self._output.put(header)  # at once, so that an empty run leaves a readable file

    def _add(self, record: bytes) -> None:
        self._pending += record
        if len(self._pending) >= CHUNK:
            self.flush()

    def _check(self, time_ns: int, data: bytes, wirelen: int | None) -> int:
        """The original length; raises CaptureError for a packet that the format can't hold."""
        if len(data) > SNAPLEN:
            raise CaptureError(self.name, f"a packet of {len(data)} bytes is too long (at most {SNAPLEN})")
        wirelen = len(data) if wirelen is None else wirelen
        if not len(data) <= wirelen < 1 << 32:
            raise CaptureError(self.name, f"a packet of {len(data)} bytes can't have had {wirelen} on the wire")
        if time_ns < 0:
            raise CaptureError(self.name, f"a time before the epoch ({time_ns} ns) can't be written")
        return wirelen

    def flush(self) -> None:
        """Have all records in the file. Raises CaptureError when it can't be written."""
        if self._pending:
            pending, self._pending = self._pending, bytearray()
            self._output.put(pending)

    def close(self) -> None:
        """Write what is pending and close the file."""
        try:
            self.flush()
        finally:
            self._output.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class CaptureWriter(RecordFile):
    """A little-endian classic pcap, snap length 262,144.

    ``path`` is overwritten ("-": standard output; endings .gz and .zst compress). Raises CaptureError when
    it can't be opened or written.
    """

    def __init__(self, path: str | os.PathLike[str] | BinaryIO, *, linktype: int = 1, nanoseconds: bool = True) -> None:
        magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
        super().__init__(path, struct.pack("<IHHiIII", magic, 2, 4, 0, 0, SNAPLEN, linktype))
        self._unit = 1 if nanoseconds else 1000

    def write(self, time_ns: int, data: bytes, wirelen: int | None = None) -> None:
        """Append one packet (for tools and tests). Raises CaptureError when the format can't hold it.

        ``time_ns`` is nanoseconds since the epoch, below 2**32 seconds; ``wirelen`` the original length when
        ``data`` is only its beginning.
        """
        wirelen = self._check(time_ns, data, wirelen)
        seconds, rest = divmod(time_ns, 1_000_000_000)
        if seconds >> 32:
            raise CaptureError(self.name, f"a time of {seconds} s can't be written (32 bits)")
        self._add(struct.pack("<IIII", seconds, rest // self._unit, len(data), wirelen) + data)

    def write_records(self, memory: memoryview | Any) -> None:
        """Append whole records that are already formatted, in this file's time unit (`vectorplane.pcap.record`).

        ``memory`` is contiguous bytes (a memoryview or an array of uint8), written at once and not kept.
        """
        self.flush()
        self._output.put(memory)


def __getattr__(name: str) -> Any:
    if name == "PcapngWriter":  # lives in its own file, which needs this one
        from vectorplane.pcap.pcapng_writer import PcapngWriter

        return PcapngWriter
    raise AttributeError(name)
