"""The last step of both indexers: one packet becomes a `RECORD`, or is counted as skipped."""

from __future__ import annotations

from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ld64, rec, st64
from vectorplane.pcap.index import FIRST_AT, INTERFACE_SIZE, RECORD, RECORD_SIZE, SKIPPED_AT
from vectorplane.pcap.link import link_header

_WIRELEN_MAX = 0x7FFFFFFF


@helper
def deliver(
    out: int, table: int, interface: int, kind: int, data: int, at: int, time: int, caplen: int, wire: int, place: int
) -> int:
    """Write the record of one packet at address ``out``; give its size, 0 when the packet is skipped.

    ``caplen`` captured bytes of a packet of ``wire`` lie at ``data + at``. ``table`` is the address of the
    INTERFACE table and ``kind`` the link layer of its entry ``interface``; ``place`` is the offset in the
    capture that a warning names.
    """
    header = link_header(kind, data + at, caplen)
    if header < 0:
        entry = table + interface * INTERFACE_SIZE
        slot = 8 * (-header - 1)
        seen = ld64(entry + SKIPPED_AT + slot)
        if seen == 0:
            st64(entry + FIRST_AT + slot, place)
        st64(entry + SKIPPED_AT + slot, seen + 1)
        return 0
    size = header >> 16
    r = rec(out, RECORD)
    r.offset = at + size
    r.time = time
    r.caplen = caplen - size
    r.wirelen = min(max(wire, caplen) - size, _WIRELEN_MAX)
    r.ethertype = header & 0xFFFF
    r.queue = 0
    r.interface = interface
    return RECORD_SIZE
