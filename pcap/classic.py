"""Classic pcap: its file header (Python, once a file) and the indexing of its records (compiled).

Source: draft-ietf-opsawg-pcap, section 4 (file header) and 5 (packet record); for versions before 2.4
libpcap's sf-pcap.c. Files of microsecond (0xA1B2C3D4) and nanosecond (0xA1B23C4D) resolution, in both
byte orders.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from vectorplane.jit.kernel import compiled
from vectorplane.jit.ops import bswap32, ld32, rec
from vectorplane.pcap.deliver import deliver
from vectorplane.pcap.index import (
    CURSOR,
    FULL,
    INTERFACE,
    LENGTHS_MAYBE_SWAPPED,
    LENGTHS_NORMAL,
    LENGTHS_SWAPPED,
    MORE,
    PACKET_LENGTH,
    RECORD_SIZE,
)

HEADER_SIZE = 24
_MAGICS = {  # first four bytes: struct's byte order, ns in a unit of the fraction
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}


@dataclass(frozen=True)
class ClassicHeader:
    """What the file header says. ``scale`` is ns in a unit of the time's fraction, ``lengths`` a LENGTHS_ code."""

    big_endian: bool
    scale: int
    version: tuple[int, int]
    lengths: int
    snaplen: int
    linktype: int


def is_classic(magic: bytes) -> bool:
    """True when the first four bytes of a file are those of a classic pcap."""
    return magic[:4] in _MAGICS


def parse_header(raw: bytes) -> ClassicHeader:
    """The file header in the first 24 bytes, whose magic `is_classic` has seen.

    Raises ValueError with the reason when the version is unknown. The time zone field is ignored, as
    everybody does. The link type is the low 26 bits of its field, as in libpcap; the bits above say
    whether frames carry an FCS, and frames are delivered with it, as they are.
    """
    order, scale = _MAGICS[raw[:4]]
    major, minor, _zone, _figures, snaplen, link = struct.unpack(order + "HHiIII", raw[4:HEADER_SIZE])
    if major == 543:  # a very old tcpdump's 2.1, its number in the wrong base
        lengths = LENGTHS_SWAPPED
    elif major == 2:
        lengths = LENGTHS_SWAPPED if minor < 3 else LENGTHS_MAYBE_SWAPPED if minor == 3 else LENGTHS_NORMAL
    else:
        raise ValueError(f"pcap version {major}.{minor} is not known")
    return ClassicHeader(order == ">", scale, (major, minor), lengths, snaplen, link & 0x03FF_FFFF)


@compiled
def index_classic(cursor: int) -> int:
    """Index packet records from ``cursor.start`` on; gives the event that ended it (see `vectorplane.pcap.index`)."""
    c = rec(cursor, CURSOR)
    data, at, end, base = c.data, c.start, c.end, c.base
    swapped, scale, lengths, limit = c.swapped, c.scale, c.lengths, c.packet_limit
    table = c.interfaces
    kind = rec(table, INTERFACE).link
    first = c.records
    out = first + c.count * RECORD_SIZE
    last = first + c.capacity * RECORD_SIZE
    skipped = 0
    event = MORE
    while at + 16 <= end:
        if out == last:
            event = FULL
            break
        p = data + at
        seconds, fraction, caplen, wirelen = ld32(p), ld32(p + 4), ld32(p + 8), ld32(p + 12)
        if swapped != 0:
            seconds, fraction = bswap32(seconds), bswap32(fraction)
            caplen, wirelen = bswap32(caplen), bswap32(wirelen)
        if lengths == LENGTHS_SWAPPED or (lengths == LENGTHS_MAYBE_SWAPPED and caplen > wirelen):
            caplen, wirelen = wirelen, caplen
        if caplen > limit:
            event = PACKET_LENGTH
            c.detail = caplen
            break
        following = at + 16 + caplen
        if following > end:
            break
        time = seconds * 1_000_000_000 + fraction * scale
        size = deliver(out, table, 0, kind, data, at + 16, time, caplen, wirelen, base + at)
        if size == 0:
            skipped += 1
        out += size
        at = following
    c.start = at
    c.count = (out - first) // RECORD_SIZE
    c.skipped += skipped
    return event
