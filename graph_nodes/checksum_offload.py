"""Checksums that a network card takes off the host's hands: filled in on transmit, checked on receive.

On transmit a packet whose buffer says `OFFLOAD_IP_CHECKSUM` or `OFFLOAD_L4_CHECKSUM` gets its IPv4 header checksum
(RFC 791) and its TCP (RFC 9293), UDP (RFC 768) or ICMP (RFC 792) checksum, which is summed over the whole chain.
On receive an unfragmented IPv4 packet is checked, below up to two VLAN tags.
"""

from __future__ import annotations

from vectorplane.dataplane.buffer import (
    BUFFER,
    DATA,
    L4_CHECKSUM_COMPUTED,
    L4_CHECKSUM_CORRECT,
    OFFLOAD_IP_CHECKSUM,
    OFFLOAD_L4_CHECKSUM,
)
from vectorplane.graph_nodes.ip4_header import fold, payload_length, set_checksum, sum_words
from vectorplane.graph_nodes.l2.header import behind_tags
from vectorplane.graph_nodes.l4_checksum import chain_sum
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import bswap16, ld8, ld16, ld32, rec, st16

_ICMP, _TCP, _UDP = 1, 6, 17
_FRAGMENT_LE = 0xFF3F  # more fragments, or an offset
_IP4_LE = 0x0008


@helper
def checksum_offset(protocol: int) -> int:
    """Where the checksum lies in a header of this protocol; -1 when it has none that is known."""
    if protocol == _UDP:
        return 6
    if protocol == _TCP:
        return 16
    if protocol == _ICMP:
        return 2
    return -1


@helper
def pseudo_header(ip: int, size: int) -> int:
    """Unfolded sum of the pseudo header of ``size`` bytes of TCP or UDP; 0 for ICMP, which has none."""
    protocol = ld8(ip + 9)
    if protocol == _ICMP:
        return 0
    return ld32(ip + 12) + ld32(ip + 16) + bswap16(protocol) + bswap16(size)


def _finish_checksums(worker: int, b: int) -> int:
    """Fill in what the buffer's offload flags ask for, and clear them; 0 when its headers make that impossible."""
    m = rec(b, BUFFER)
    flags = m.flags
    m.flags = flags & ~(OFFLOAD_IP_CHECKSUM | OFFLOAD_L4_CHECKSUM)
    at = m.l3_offset - m.current_data
    room = m.current_length - at
    if at < 0 or room < 20:
        return 0
    ip = b + DATA + m.l3_offset
    header = (ld8(ip) & 15) * 4
    if header < 20 or room < header:
        return 0
    if flags & OFFLOAD_IP_CHECKSUM:
        set_checksum(ip)
    if flags & OFFLOAD_L4_CHECKSUM:
        place = checksum_offset(ld8(ip + 9))
        size = payload_length(ip)
        if place < 0 or size < place + 2 or room < header + place + 2:
            return 0
        l4 = ip + header
        st16(l4 + place, 0)
        total = chain_sum(worker, b, at + header, size, pseudo_header(ip, size))
        if total < 0:
            return 0  # the packet ends before
        value = ~total & 0xFFFF
        if value == 0 and ld8(ip + 9) == _UDP:
            value = 0xFFFF  # 0 would say that there is none
        st16(l4 + place, value)
    return 1


finish_checksums = routine(_finish_checksums)


def _received_flags(frame: int, length: int) -> int:
    """Buffer flags for the frame at ``frame``: `L4_CHECKSUM_COMPUTED`, `L4_CHECKSUM_CORRECT`; 0: not checked."""
    at = behind_tags(frame, 12, length)
    if at + 22 > length or ld16(frame + at) != _IP4_LE:
        return 0
    ip = frame + at + 2
    header = (ld8(ip) & 15) * 4
    place = checksum_offset(ld8(ip + 9))
    if (ld8(ip) >> 4) != 4 or header < 20 or place < 0 or (ld16(ip + 6) & _FRAGMENT_LE) != 0:
        return 0
    size = payload_length(ip)
    if size < place + 2 or at + 2 + header + size > length:
        return 0
    if ld8(ip + 9) == _UDP and ld16(ip + header + place) == 0:
        return L4_CHECKSUM_COMPUTED | L4_CHECKSUM_CORRECT
    total = fold(pseudo_header(ip, size) + sum_words(ip + header, size))
    if total == 0xFFFF:
        return L4_CHECKSUM_COMPUTED | L4_CHECKSUM_CORRECT
    return L4_CHECKSUM_COMPUTED


received_flags = routine(_received_flags)
