"""pcapng: the compiled indexing of blocks.

Source: draft-ietf-opsawg-pcapng, section 3.1 (block structure), 4.1 (section header), 4.3 (enhanced packet),
4.4 (simple packet) and appendix A (the obsolete packet block). Blocks of other types are skipped. Section
headers and interface descriptions are checked for their outline and left to `vectorplane.pcap.sections`.
"""

from __future__ import annotations

from vectorplane.jit.kernel import compiled, helper
from vectorplane.jit.ops import bswap16, bswap32, ld16, ld32, rec
from vectorplane.pcap.deliver import deliver
from vectorplane.pcap.index import (
    BLOCK_LENGTH,
    BYTE_ORDER,
    CURSOR,
    DESCRIPTION,
    FULL,
    INTERFACE,
    INTERFACE_SIZE,
    LONG_BLOCK,
    MORE,
    NO_INTERFACE,
    PACKET_FIT,
    PACKET_LENGTH,
    RECORD_SIZE,
    SECTION,
    TRAILER,
)
from vectorplane.pcap.timestamp import to_ns

SECTION_BLOCK, DESCRIPTION_BLOCK, OLD_PACKET, SIMPLE_PACKET, PACKET = 0x0A0D0D0A, 1, 2, 3, 6
ORDER_MAGIC, ORDER_SWAPPED = 0x1A2B3C4D, 0x4D3C2B1A


@helper
def _u32(at: int, swapped: int) -> int:
    value: int = bswap32(ld32(at)) if swapped else ld32(at)
    return value


@helper
def _smallest(kind: int) -> int:
    """The least length of a block of that type; 12 for one that is not known."""
    if kind == PACKET or kind == OLD_PACKET:
        return 32
    if kind == SIMPLE_PACKET:
        return 16
    if kind == DESCRIPTION_BLOCK:
        return 20
    return 28 if kind == SECTION_BLOCK else 12


@compiled
def index_blocks(cursor: int) -> int:
    """Index blocks from ``cursor.start`` on; gives the event that ended it (see `vectorplane.pcap.index`)."""
    c = rec(cursor, CURSOR)
    data, at, end, base = c.data, c.start, c.end, c.base
    swapped, limit, block_limit = c.swapped, c.packet_limit, c.block_limit
    table, interfaces = c.interfaces, c.interface_count
    last_time, detail, skipped = c.last_time, c.detail, 0
    first = c.records
    out = first + c.count * RECORD_SIZE
    last = first + c.capacity * RECORD_SIZE
    event = MORE
    while at + 12 <= end:
        if out == last:
            event = FULL
            break
        p = data + at
        kind = _u32(p, swapped)
        order = swapped
        if kind == SECTION_BLOCK:  # its type reads the same in both orders, and it sets the order anew
            magic = ld32(p + 8)
            order = 1 if magic == ORDER_SWAPPED else 0
            if order == 0 and magic != ORDER_MAGIC:
                event, detail = BYTE_ORDER, magic
                break
        length = _u32(p + 4, order)
        smallest = _smallest(kind)
        if length < smallest or length & 3 != 0 or (length > block_limit and smallest > 12):
            event, detail = BLOCK_LENGTH, length
            break
        if length > block_limit:
            event, detail = LONG_BLOCK, length
            break
        if at + length > end:
            break
        trailer = _u32(p + length - 4, order)
        if trailer != length:
            event, detail = TRAILER, trailer
            break
        if kind == SECTION_BLOCK or kind == DESCRIPTION_BLOCK:
            event, detail = SECTION if kind == SECTION_BLOCK else DESCRIPTION, length
            break
        if smallest > 12:  # a packet
            interface, captured, room = 0, at + 28, length - 32
            if kind == PACKET:
                interface = _u32(p + 8, swapped)
            elif kind == OLD_PACKET:
                interface = bswap16(ld16(p + 8)) if swapped else ld16(p + 8)
            else:
                captured, room = at + 12, length - 16
            if interface >= interfaces:
                event, detail = NO_INTERFACE, interface
                break
            entry = table + interface * INTERFACE_SIZE
            if kind == SIMPLE_PACKET:
                wirelen = _u32(p + 8, swapped)
                snaplen = rec(entry, INTERFACE).snaplen
                caplen = min(wirelen, snaplen) if snaplen != 0 else wirelen
                time = last_time
            else:
                caplen, wirelen = _u32(p + 20, swapped), _u32(p + 24, swapped)
                time = to_ns(entry, _u32(p + 12, swapped) << 32 | _u32(p + 16, swapped))
            if caplen > limit:
                event, detail = PACKET_LENGTH, caplen
                break
            if caplen > room:
                event, detail = PACKET_FIT, caplen
                break
            last_time = time
            link = rec(entry, INTERFACE).link
            size = deliver(out, table, interface, link, data, captured, time, caplen, wirelen, base + at)
            if size == 0:
                skipped += 1
            out += size
        at += length
    c.start = at
    c.count = (out - first) // RECORD_SIZE
    c.skipped += skipped
    c.last_time = last_time
    c.detail = detail
    return event
