"""Writing pcapng: one section, several named interfaces, nanosecond time stamps.

Source: draft-ietf-opsawg-pcapng, sections 4.1 (section header), 4.2 (interface description), 4.3 (enhanced packet).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from typing import BinaryIO

from vectorplane.pcap.errors import CaptureError
from vectorplane.pcap.record_file import SNAPLEN, RecordFile

_NAME, _RESOLUTION, _END = 2, 9, 0


def _block(kind: int, body: bytes) -> bytes:
    size = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + size + body + size


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def _description(name: str, linktype: int) -> bytes:
    options = _option(_NAME, name.encode()) if name else b""
    options += _option(_RESOLUTION, b"\x09") + _option(_END, b"")
    return _block(1, struct.pack("<HHI", linktype, 0, SNAPLEN) + options)


class PcapngWriter(RecordFile):
    """A little-endian pcapng of one section with the given ``interfaces``, by name, all of one ``linktype``.

    ``path`` is overwritten ("-": standard output; endings .gz and .zst compress). Raises CaptureError when
    it can't be opened or written.
    """

    def __init__(
        self, path: str | os.PathLike[str] | BinaryIO, interfaces: Sequence[str] = ("",), *, linktype: int = 1
    ) -> None:
        section = _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
        super().__init__(path, section + b"".join(_description(name, linktype) for name in interfaces))
        self.interfaces = tuple(interfaces)

    def write(self, time_ns: int, data: bytes, interface: int = 0, wirelen: int | None = None) -> None:
        """Append one packet of the interface with that number. Raises CaptureError when the format can't hold it.

        ``time_ns`` is nanoseconds since the epoch; ``wirelen`` the original length when ``data`` is only its
        beginning.
        """
        wirelen = self._check(time_ns, data, wirelen)
        if not 0 <= interface < len(self.interfaces):
            raise CaptureError(self.name, f"no interface {interface} (there are {len(self.interfaces)})")
        fixed = struct.pack("<IIIII", interface, time_ns >> 32, time_ns & 0xFFFF_FFFF, len(data), wirelen)
        self._add(_block(6, fixed + data + b"\0" * (-len(data) % 4)))
