"""What the writers have in common: whole records, gathered, checked, and handed to the file in one go."""

from __future__ import annotations

import os
from types import TracebackType
from typing import BinaryIO, Self

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
