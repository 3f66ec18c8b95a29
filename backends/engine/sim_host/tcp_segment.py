"""TCP segments (RFC 9293): read and written. Of options only the maximum segment size is known."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from vectorplane.backends.engine.sim_host.checksums import transport_checksum, transport_correct
from vectorplane.backends.engine.sim_host.dropped import Dropped
from vectorplane.backends.engine.sim_host.ip4 import TCP, Packet

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
DEFAULT_MSS = 536
WORDS = 1 << 32
_HEADER = struct.Struct("!HHIIBBHHH")


@dataclass(slots=True)
class Segment:
    """A segment, as it came or as it is to be sent."""

    source_port: int
    destination_port: int
    seq: int
    ack: int
    flags: int
    window: int
    data: bytes = b""
    mss: int | None = None

    @property
    def length(self) -> int:
        """Sequence numbers that it takes."""
        return len(self.data) + (self.flags & SYN > 0) + (self.flags & FIN > 0)

    def packed(self, source: bytes, destination: bytes) -> bytes:
        """Its bytes between these addresses, with checksum."""
        options = b"" if self.mss is None else b"\x02\x04" + self.mss.to_bytes(2, "big")
        offset = (20 + len(options)) << 2
        head = _HEADER.pack(
            self.source_port,
            self.destination_port,
            self.seq % WORDS,
            self.ack % WORDS,
            offset,
            self.flags,
            self.window,
            0,
            0,
        )
        raw = head + options + self.data
        return raw[:16] + transport_checksum(source, destination, TCP, raw).to_bytes(2, "big") + raw[18:]


def read(packet: Packet) -> Segment:
    """The segment in a packet.

    Raises:
        Dropped: it is malformed, or its checksum is wrong.
    """
    raw = packet.payload
    if len(raw) < 20:
        raise Dropped("truncated TCP")
    sport, dport, seq, ack, offset, flags, window, _, _ = _HEADER.unpack_from(raw)
    size = (offset >> 4) * 4
    if not 20 <= size <= len(raw):
        raise Dropped("bad TCP header length")
    if not transport_correct(packet.source, packet.destination, TCP, raw):
        raise Dropped("bad TCP checksum")
    mss = _mss(raw[20:size]) if flags & SYN else None
    return Segment(sport, dport, seq, ack, flags, window, raw[size:], mss)


def _mss(options: bytes) -> int | None:
    at = 0
    while at < len(options) and options[at] != 0:
        if options[at] == 1:
            at += 1
            continue
        size = options[at + 1] if at + 1 < len(options) else 0
        if size < 2:
            return None
        if options[at] == 2 and size == 4 and at + 4 <= len(options):
            return int.from_bytes(options[at + 2 : at + 4], "big")
        at += size
    return None
