"""Writing classic pcap, nanoseconds by default (pcapng: `vectorplane.pcap.pcapng_writer`, also reachable here).

Source: draft-ietf-opsawg-pcap, sections 4 and 5. A file is readable at any time: only whole records reach it.
"""

from __future__ import annotations

import os
import struct
from typing import Any, BinaryIO

from vectorplane.pcap.errors import CaptureError
from vectorplane.pcap.pcapng_writer import PcapngWriter
from vectorplane.pcap.record_file import SNAPLEN, RecordFile

__all__ = ["CaptureWriter", "PcapngWriter"]


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
