"""A packet becomes what its session's half says: addresses, ports, checksums; of an ICMP error what it quotes, too.

As in VPP. Fragments but the first have no ports; the header checksum is never 0xFFFF; an ICMP error from a router on
the way keeps that router's address on its way in. Where VPP's sums are wrong ours are right: of an error that quotes an
ICMP message whose identifier changes (RFC 5508 4.2), and a UDP checksum that would become 0, "none", is 0xFFFF
(RFC 768).
"""

from __future__ import annotations

from vectorplane.dataplane.buffer import BUFFER
from vectorplane.graph_nodes.ip4_header import CHECKSUM, DESTINATION, LENGTH, PROTOCOL, SOURCE, set_checksum, sum_words
from vectorplane.graph_nodes.ip4_sv_buffer import BITS, FLAGS, INFO_WORD, NOT_FIRST
from vectorplane.graph_nodes.nat44.checksums import adjusted, difference
from vectorplane.graph_nodes.nat44.mss import clamp
from vectorplane.graph_nodes.nat44.session import HALF, OP_ICMP_ID, OP_TXFIB, P_ICMP, P_TCP, P_UDP
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import be16, ld8, ld16, ld32, ld64, rec, shr, st16, st32, st64

SUCCESS, FAILED, FLOW_MISMATCH, TRUNCATED, INNER_CORRUPT, INVALID_CHECKSUM = range(6)
"""What became of a translation; VPP's numbers."""


@helper
def is_icmp_error(kind: int) -> bool:
    """Does this ICMP type quote a packet?"""
    return (kind == 3) | (kind == 4) | (kind == 5) | (kind == 11) | (kind == 12)


@helper
def not_first_fragment(b: int) -> bool:
    """Does the packet have no L4 header?"""
    return (shr(ld64(b + INFO_WORD), BITS) & NOT_FIRST) != 0


@helper
def set_header_checksum(ip: int, change: int) -> None:
    """Adjust the header's checksum for other addresses."""
    checksum = adjusted(ld16(ip + CHECKSUM), change)
    st16(ip + CHECKSUM, 0 if checksum == 0xFFFF else checksum)


@helper
def translate_l4(b: int, ip: int, left: int, half: int, proto: int, mss: int) -> int:
    """A TCP, UDP or other packet that is no ICMP; ``left``: bytes of it in the buffer."""
    h = rec(half, HALF)
    sums = h.sums
    l3 = sums & 0xFFFF
    if (proto == P_TCP or proto == P_UDP) and not not_first_fragment(b):
        at = (ld8(ip) & 15) * 4
        l4 = ip + at
        if left < at + (20 if proto == P_TCP else 8):
            return TRUNCATED
        st32(l4, h.new_ports)
        change = l3 + (shr(sums, 16) & 0xFFFF)
        change = (change & 0xFFFF) + (change >> 16)
        if proto == P_TCP:
            st16(l4 + 16, adjusted(ld16(l4 + 16), change))
            if mss != 0:
                clamp(l4, left - at, mss)
        elif ld16(l4 + 6) != 0:
            st16(l4 + 6, adjusted(ld16(l4 + 6), change))
    st64(ip + SOURCE, h.new_addresses)
    set_header_checksum(ip, l3)
    return SUCCESS


@routine
def _replaced(checksum_at: int, old: int, new: int) -> int:
    """Put ``new`` for a word ``old`` into the checksum at an address; gives what changes in the checksum itself."""
    was = ld16(checksum_at)
    now = adjusted(was, difference(old, new))
    st16(checksum_at, now)
    return difference(was, now)


@routine
def _quoted(icmp: int, left: int, half: int) -> int:
    """The packet that an ICMP error quotes: the session's other direction, so it is rewritten the other way round."""
    h = rec(half, HALF)
    inner = icmp + 8
    if left < 8 + 20:
        return TRUNCATED
    if (ld8(inner) & 15) < 5 or left < 8 + (ld8(inner) & 15) * 4 or sum_words(inner, (ld8(inner) & 15) * 4) != 0xFFFF:
        return INNER_CORRUPT
    proto = ld8(inner + PROTOCOL)
    l4 = inner + (ld8(inner) & 15) * 4
    room = left - (l4 - icmp)
    needed = 20 if proto == P_TCP else 8
    if proto != P_TCP and proto != P_UDP and proto != P_ICMP:
        return FAILED
    if room < needed:
        return TRUNCATED
    # the quoted packet's words change, its checksums by as much the other way: what is left over is the outer one's
    change = 0
    l3 = h.sums & 0xFFFF
    new = shr(h.new_addresses, 32) | ((h.new_addresses & 0xFFFFFFFF) << 32)
    before = sum_words(icmp + 4, left - 4)
    st64(inner + SOURCE, new)
    set_header_checksum(inner, l3)
    if proto == P_ICMP:
        if h.ops & OP_ICMP_ID and ld16(l4 + 4) != h.new_id:
            _replaced(l4 + 2, ld16(l4 + 4), h.new_id)
            st16(l4 + 4, h.new_id)
    else:
        ports = h.new_ports & 0xFFFFFFFF
        st32(l4, shr(ports, 16) | (ports & 0xFFFF) << 16)
        change = l3 + (shr(h.sums, 16) & 0xFFFF)
        change = (change & 0xFFFF) + (change >> 16)
        at = l4 + (16 if proto == P_TCP else 6)
        if proto == P_TCP or ld16(at) != 0:
            st16(at, adjusted(ld16(at), change))
    st16(icmp + 2, adjusted(ld16(icmp + 2), difference(before, sum_words(icmp + 4, left - 4))))
    return SUCCESS


@routine
def translate_icmp(b: int, ip: int, left: int, half: int, inward: bool) -> int:
    """An ICMP packet. ``inward``: from outside, where a router's address in front of an error stays what it is.

    VPP leaves the source of queries alone, too, when it becomes another: those of twice-NAT, and in forwarding mode
    those whose session was made on their way out of another interface.
    """
    h = rec(half, HALF)
    kind = shr(ld64(b + INFO_WORD), FLAGS) & 0xFF
    if inward and is_icmp_error(kind) and ld32(ip + SOURCE) != h.new_addresses & 0xFFFFFFFF:
        st32(ip + DESTINATION, shr(h.new_addresses, 32))
        set_checksum(ip)
        if ld16(ip + CHECKSUM) == 0xFFFF:
            st16(ip + CHECKSUM, 0)
    else:
        change = difference(_sum_of(ld64(ip + SOURCE)), _sum_of(h.new_addresses))
        st64(ip + SOURCE, h.new_addresses)
        set_header_checksum(ip, change)
    if ld8(ip + PROTOCOL) != P_ICMP:
        return FAILED
    if not_first_fragment(b):
        return SUCCESS
    at = (ld8(ip) & 15) * 4
    icmp = ip + at
    if left < at + 4:
        return TRUNCATED
    if not is_icmp_error(ld8(icmp)):
        if h.ops & OP_ICMP_ID and left >= at + 8 and ld16(icmp + 4) != h.new_id:
            _replaced(icmp + 2, ld16(icmp + 4), h.new_id)
            st16(icmp + 4, h.new_id)
        return SUCCESS
    length = be16(ip + LENGTH) - at
    if length < 8 or length > left - at:
        return TRUNCATED
    if sum_words(icmp, length) != 0xFFFF:
        return INVALID_CHECKSUM
    return _quoted(icmp, length, half)


@helper
def _sum_of(addresses: int) -> int:
    return (addresses & 0xFFFF) + (shr(addresses, 16) & 0xFFFF) + (shr(addresses, 32) & 0xFFFF) + shr(addresses, 48)


@helper
def translate(b: int, ip: int, left: int, half: int, proto: int, mss: int, output: bool, inward: bool) -> int:
    """Translate the packet at ``b``, whose header is at ``ip`` and of which ``left`` bytes are in the buffer."""
    h = rec(half, HALF)
    if not output and h.ops & OP_TXFIB:
        rec(b, BUFFER).tx_sw_if = h.tx_fib
    if proto == P_ICMP:
        return translate_icmp(b, ip, left, half, inward)
    return translate_l4(b, ip, left, half, proto, mss)
