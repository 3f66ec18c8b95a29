"""The capture file of a packet-generator interface. As VPP's: made with the first packet, up to 9,216 bytes of each."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from vectorplane.pcap.errors import CaptureError
from vectorplane.pcap.record import HEADER
from vectorplane.pcap.writer import CaptureWriter

MAX_BYTES = 9216
"""Longest packet that is kept whole (VPP's ETHERNET_MAX_PACKET_BYTES)."""


class PgCapture:
    """Packets into a file until ``count`` were written (0: all)."""

    def __init__(self, path: str | os.PathLike[str], *, linktype: int, count: int = 0) -> None:
        self.path = os.path.abspath(path)
        self.count = count
        self.written = 0
        self.error = ""
        """Why nothing is written any more, when that is so."""
        self._linktype = linktype
        self._writer: CaptureWriter | None = None

    def write(self, records: npt.NDArray[np.uint8]) -> None:
        """Append whole nanosecond records (`vectorplane.pcap.record`); the file has them when this returns."""
        if self.error or (self.count and self.written >= self.count):
            return
        try:
            if self._writer is None:
                self._writer = CaptureWriter(self.path, linktype=self._linktype)
            self._writer.write_records(self._chosen(records))
            self._writer.flush()
        except (CaptureError, OSError) as error:
            self.error = str(error)

    def _chosen(self, records: npt.NDArray[np.uint8]) -> Any:
        """Those that still fit into the count, long ones cut."""
        raw = memoryview(records.data).cast("B")
        parts: list[bytes | memoryview] = []
        start = at = 0
        while at < len(raw) and not (self.count and self.written >= self.count):
            size = int.from_bytes(raw[at + 8 : at + 12], "little")
            if size > MAX_BYTES:
                head = bytes(raw[at : at + 8]) + MAX_BYTES.to_bytes(4, "little") + bytes(raw[at + 12 : at + HEADER])
                parts += [raw[start:at], head, raw[at + HEADER : at + HEADER + MAX_BYTES]]
                start = at + HEADER + size
            at += HEADER + size
            self.written += 1
        if not parts and at == len(raw):
            return raw
        return memoryview(b"".join([*parts, raw[start:at]]))

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._writer is not None:
            self._writer.close()
