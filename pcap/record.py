"""Making one packet record of a nanosecond pcap in memory: what a transmit kernel calls per packet."""

from __future__ import annotations

from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import copy, st32

HEADER = 16
"""Bytes of a packet record in front of the data (draft-ietf-opsawg-pcap, section 5)."""


@helper
def put_record(to: int, time_ns: int, source: int, caplen: int, wirelen: int) -> int:
    """Write one little-endian nanosecond record at ``to`` and give its size, ``16 + caplen`` bytes.

    ``source`` is the address of ``caplen`` captured bytes (not overlapping the destination), ``time_ns`` the
    nanoseconds since the epoch, 0 to 2**32 seconds (what the format can hold), ``wirelen`` the original length.
    """
    seconds = time_ns // 1_000_000_000
    st32(to, seconds)
    st32(to + 4, time_ns - seconds * 1_000_000_000)
    st32(to + 8, caplen)
    st32(to + 12, wirelen)
    copy(to + HEADER, source, caplen)
    return HEADER + caplen
