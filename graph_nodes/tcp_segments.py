"""Cutting one TCP packet over IPv4 into segments: what the nodes gso-ip4 and gso-l2-ip4 do with a packet that is `GSO`.

Each segment is one new buffer, as in VPP: the headers, and as much payload as `GSO_SIZE` allows and the buffer holds;
the first one has no more than the packet's first buffer. Sequence numbers go on, FIN and PSH are left to the last
segment (RFC 9293 3.1), the identification stays the packet's. Checksums are computed. In a tunnel's packet (IPIP, GRE,
VXLAN, Geneve) each segment gets the outer headers, with its own lengths.
"""

from __future__ import annotations

from vectorplane.dataplane.buffer import (
    BUFFER,
    DATA,
    DATA_SIZE,
    GSO,
    GSO_SIZE,
    L4_CHECKSUM_COMPUTED,
    L4_CHECKSUM_CORRECT,
    NEXT_PRESENT,
    OFFLOAD_IP_CHECKSUM,
    OFFLOAD_L4_CHECKSUM,
    buffer_at,
    length_in_chain,
)
from vectorplane.graph_nodes.checksum_offload import pseudo_header
from vectorplane.graph_nodes.ip4_fragment import gather
from vectorplane.graph_nodes.ip4_header import LENGTH, PROTOCOL, add_words, fold
from vectorplane.graph_nodes.l2.header import behind_tags
from vectorplane.graph_nodes.linked import free_linked
from vectorplane.graph_nodes.rare import allocate, copy, set_checksum
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import be16, bswap16, bswap32, ld8, ld16, ld32, ld64, move32, rec, st8, st16, st32

NOT_TCP, NO_BUFFERS = -1, -2
"""What `cut` gives instead of a buffer."""
_IPIP, _TCP, _UDP, _GRE = 4, 6, 17, 47
_IP4_LE, _TEB_LE = 0x0008, 0x5865
_VXLAN, _GENEVE = 4789, 6081
_FIN_PSH = 0x09
_NOT_A_SEGMENTS = GSO | NEXT_PRESENT | OFFLOAD_IP_CHECKSUM | OFFLOAD_L4_CHECKSUM
_SEQUENCE, _TCP_OFFSET, _FLAGS, _CHECKSUM = 4, 12, 13, 16


@helper
def behind_ethernet(frame: int, at: int, room: int) -> int:
    """Where the IPv4 header lies behind the Ethernet header at byte ``at`` and up to two tags; -1: there is none."""
    at = behind_tags(frame, at + 12, room)
    return at + 2 if at + 2 <= room and ld16(frame + at) == _IP4_LE else -1


@helper
def inner_ip(frame: int, ip: int, header: int, room: int) -> int:
    """Where the IPv4 header lies in the tunnel whose outer one is at byte ``ip``; -1: it is no tunnel that is known."""
    at = ip + header
    protocol = ld8(frame + ip + PROTOCOL)
    if protocol == _IPIP:
        return at
    if at + 16 > room:
        return -1
    if protocol == _GRE:
        if ld32(frame + at) == _IP4_LE << 16:
            return at + 4
        return behind_ethernet(frame, at + 4, room) if ld32(frame + at) == _TEB_LE << 16 else -1
    if protocol != _UDP:
        return -1
    port = be16(frame + at + 2)
    if port == _VXLAN:
        return behind_ethernet(frame, at + 16, room)
    if port != _GENEVE:
        return -1
    at += 8
    kind = ld16(frame + at + 2)
    at += 8 + (ld8(frame + at) & 0x3F) * 4
    return behind_ethernet(frame, at, room) if kind == _TEB_LE else at if kind == _IP4_LE else -1


@routine
def tcp_at(b: int, ip: int, outer: int) -> int:
    """Where TCP is: bytes to its IPv4 header, << 16 to its own, << 32 to the outer IPv4 header and one; 0: nowhere.

    ``ip``: bytes to the first IPv4 header; ``outer``: to one in front of that which it is already known to be in; -1.
    """
    m = rec(b, BUFFER)
    room = m.current_length
    frame = b + DATA + m.current_data
    for _ in range(2):
        if ip < 0 or ip + 20 > room or (ld8(frame + ip) >> 4) != 4:
            return 0
        header = (ld8(frame + ip) & 15) * 4
        if header < 20 or ip + header > room:
            return 0
        if ld8(frame + ip + PROTOCOL) == _TCP:
            tcp = ip + header
            size = (ld8(frame + tcp + _TCP_OFFSET) >> 4) * 4 if tcp + 20 <= room else 0
            return ip | tcp << 16 | (outer + 1) << 32 if size >= 20 and tcp + size <= room else 0
        if outer >= 0:
            return 0
        outer = ip
        ip = inner_ip(frame, ip, header, room)
    return 0


@helper
def set_lengths(frame: int, ip: int, length: int) -> None:
    """Of the IPv4 header at byte ``ip`` of a packet of ``length`` bytes, and of UDP behind it."""
    at = frame + ip
    st16(at + LENGTH, bswap16(length - ip))
    set_checksum(at)
    if ld8(at + PROTOCOL) == _UDP:
        header = (ld8(at) & 15) * 4
        st16(at + header + 4, bswap16(length - ip - header))


@routine
def cut(worker: int, b: int, where: int) -> int:
    """Make all segments of the packet at ``b``: the first one's index, the others linked by `next_buffer` (-1: last).

    ``where``: as `tcp_at` gives it. `NO_BUFFERS`: there were not enough, nothing of it is left; `NOT_TCP`: the sizes
    can't be. The packet stays as it is.
    """
    if where == 0:
        return NOT_TCP
    ip, tcp, outer = where & 0xFFFF, (where >> 16) & 0xFFFF, (where >> 32) - 1
    m = rec(b, BUFFER)
    frame = b + DATA + m.current_data
    header = tcp + (ld8(frame + tcp + _TCP_OFFSET) >> 4) * 4
    most = ld64(b + GSO_SIZE) - (header - ip)
    room = DATA_SIZE - m.current_data - header
    rest = length_in_chain(b) - header
    if most <= 0 or room <= 0 or rest <= 0:
        return NOT_TCP
    flags = ld8(frame + tcp + _FLAGS)
    sequence = bswap32(ld32(frame + tcp + _SEQUENCE))
    here = m.current_length - header
    size = min(most, here if here > 0 else room, rest)
    at = header
    first = -1
    last = -1
    while rest > 0:
        index = allocate(worker)
        if index < 0:
            free_linked(worker, first)
            return NO_BUFFERS
        to = buffer_at(worker, index)
        for k in range(4):
            move32(to + 32 * k, b + 32 * k)
        n = rec(to, BUFFER)
        n.flags = (m.flags & ~_NOT_A_SEGMENTS) | L4_CHECKSUM_COMPUTED | L4_CHECKSUM_CORRECT
        n.current_length = header + size
        n.total_rest = 0
        n.ref_count = 1
        n.next_buffer = -1
        data = to + DATA + m.current_data
        copy(data, frame, header)
        gather(worker, b, at, data + header, size)
        rest -= size
        st32(data + tcp + _SEQUENCE, bswap32(sequence & 0xFFFFFFFF))
        st8(data + tcp + _FLAGS, flags & ~_FIN_PSH if rest > 0 else flags)
        set_lengths(data, ip, header + size)
        if outer >= 0:
            set_lengths(data, outer, header + size)
        st16(data + tcp + _CHECKSUM, 0)
        bytes_ = header + size - tcp
        total = add_words(pseudo_header(data + ip, bytes_), data + tcp, bytes_)
        st16(data + tcp + _CHECKSUM, ~fold(total) & 0xFFFF)
        if first < 0:
            first = index
        else:
            rec(buffer_at(worker, last), BUFFER).next_buffer = index
        last = index
        at += size
        sequence += size
        size = min(most, room, rest)
    return first
