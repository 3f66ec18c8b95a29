"""Putting TCP segments over IPv4 together again (GRO): for a tap whose host takes TCP in large pieces.

Within one vector: packets that follow each other, of one connection, each going on where the one before ended, become
one packet that is `GSO`, as if the host's own stack had sent it. No packet waits for another one, so nothing is
delayed. (VPP keeps packets of up to 256 flows for a time.)

Only what can be cut again into the same packets: headers alike but for sequence number, identification, lengths and
checksums (and PSH, which ends a piece); all segments of the first one's size, the last may be shorter; whole, right
checksums, no fragments, no options of IPv4. Buffers are linked, nothing is copied.
"""

from __future__ import annotations

from vectorplane.dataplane.abi import WORKER, buffer_index, frame_n
from vectorplane.dataplane.buffer import (
    BUFFER,
    CELL,
    DATA,
    GSO,
    GSO_SIZE,
    L4_CHECKSUM_COMPUTED,
    L4_CHECKSUM_CORRECT,
    NEXT_PRESENT,
    TRACED,
)
from vectorplane.graph_nodes.checksum_offload import pseudo_header
from vectorplane.graph_nodes.ip4_header import add_words, fold, set_checksum
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import be16, bswap16, bswap32, ld8, ld16, ld32, rec, st8, st16, st64

_ETHERNET, _IP4_LE, _TCP = 14, 0x0008, 6
_ACK, _PSH = 0x10, 0x08
_L4 = _ETHERNET + 20
MAX_SEGMENTS = 44
"""As many buffers as one piece may have: with the vnet header well below what one ``writev`` takes."""
_MAX_LENGTH = 65535


@helper
def payload_size(b: int) -> int:
    """Bytes of TCP payload of a packet that may be put together with others; 0: it may not."""
    m = rec(b, BUFFER)
    size = m.current_length
    frame = b + DATA + m.current_data
    if (m.flags & (GSO | NEXT_PRESENT | TRACED)) != 0 or m.ref_count > 1 or size <= _L4 + 20:
        return 0
    ip = frame + _ETHERNET
    # version and header length; ethertype; not a fragment; TCP
    if ld16(frame + 12) != _IP4_LE or ld8(ip) != 0x45 or (ld16(ip + 6) & 0xFFBF) != 0 or ld8(ip + 9) != _TCP:
        return 0
    header = (ld8(frame + _L4 + 12) >> 4) * 4
    if be16(ip + 2) != size - _ETHERNET or header < 20 or size <= _L4 + header:
        return 0
    return int(size - _L4 - header) if (ld8(frame + _L4 + 13) & ~_PSH) == _ACK else 0


@helper
def is_whole(b: int) -> bool:
    """Are the checksums of a packet that has a `payload_size` right?"""
    m = rec(b, BUFFER)
    ip = b + DATA + m.current_data + _ETHERNET
    if fold(add_words(0, ip, 20)) != 0xFFFF:
        return False
    if (m.flags & (L4_CHECKSUM_COMPUTED | L4_CHECKSUM_CORRECT)) == (L4_CHECKSUM_COMPUTED | L4_CHECKSUM_CORRECT):
        return True
    size = m.current_length - _L4
    return bool(fold(add_words(pseudo_header(ip, size), ip + 20, size)) == 0xFFFF)


@helper
def alike(one: int, other: int) -> bool:
    """Have both frames headers that differ only in what differs between segments?"""
    header = (ld8(one + _L4 + 12) >> 4) * 4
    # Ethernet; TOS; DF; TTL and protocol; addresses; ports; acknowledgement; offset; window and what is behind
    same = ld32(one) == ld32(other) and ld32(one + 4) == ld32(other + 4) and ld32(one + 8) == ld32(other + 8)
    ip = one + _ETHERNET
    to = other + _ETHERNET
    same = same and ld8(ip + 1) == ld8(to + 1) and ld8(ip + 6) == ld8(to + 6) and ld8(ip + 8) == ld8(to + 8)
    same = same and ld32(ip + 12) == ld32(to + 12) and ld32(ip + 16) == ld32(to + 16)
    same = same and ld32(ip + 20) == ld32(to + 20) and ld32(ip + 28) == ld32(to + 28)
    same = same and ld8(ip + 32) == ld8(to + 32) and ld16(ip + 34) == ld16(to + 34)
    at = 20
    while same and at < header:
        same = ld32(one + _L4 + at) == ld32(other + _L4 + at)
        at += 4
    return bool(same)


@routine
def coalesce(worker: int, frame: int, i: int) -> int:
    """Put the frame's packet ``i`` and those behind it together; gives how many they are (1: nothing was done).

    The packet is then the first of a chain of all of them, the others are no packets of their own any more.
    """
    pool = rec(worker, WORKER).pool
    n = min(frame_n(frame), i + MAX_SEGMENTS)
    b = pool + buffer_index(frame, i) * CELL
    m = rec(b, BUFFER)
    size = payload_size(b)
    if size == 0:
        return 1
    head = b + DATA + m.current_data
    header = m.current_length - size
    sequence = bswap32(ld32(head + _L4 + 4))
    total = m.current_length
    last = b
    k = i + 1
    pushed = ld8(head + _L4 + 13) & _PSH
    here = size
    while k < n and pushed == 0 and here == size:
        index = buffer_index(frame, k)
        c = pool + index * CELL
        o = rec(c, BUFFER)
        other = c + DATA + o.current_data
        here = payload_size(c)
        sequence = (sequence + size) & 0xFFFFFFFF
        if here == 0 or here > size or total + here > _MAX_LENGTH or o.current_length - here != header:
            break
        if not alike(head, other) or bswap32(ld32(other + _L4 + 4)) & 0xFFFFFFFF != sequence:
            break
        if (k == i + 1 and not is_whole(b)) or not is_whole(c):
            break
        pushed = ld8(other + _L4 + 13) & _PSH
        o.current_data = o.current_data + header
        o.current_length = here
        rec(last, BUFFER).next_buffer = index
        rec(last, BUFFER).flags |= NEXT_PRESENT
        last = c
        total += here
        k += 1
    if k == i + 1:
        return 1
    m.total_rest = total - m.current_length
    m.flags |= GSO
    st64(b + GSO_SIZE, size + header - _ETHERNET)
    st8(head + _L4 + 13, ld8(head + _L4 + 13) | pushed)
    st16(head + _ETHERNET + 2, bswap16(total - _ETHERNET))
    set_checksum(head + _ETHERNET)
    return k - i
