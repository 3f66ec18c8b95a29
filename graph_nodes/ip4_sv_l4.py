"""The L4 header of an IPv4 packet as shallow virtual reassembly sees it (VPP's ip4_get_port and what goes with it)."""

from __future__ import annotations

from vectorplane.graph_nodes.ip4_header import LENGTH
from vectorplane.graph_nodes.ip4_sv_buffer import BITS, FLAGS, INFO_WORD, PROTOCOL, SEQ_WORD, TRUNCATED
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import be16, ld8, ld16, ld32, ld64, st64

ICMP, TCP, UDP = 1, 6, 17
_ECHO_REPLY, _ECHO_REQUEST = 0, 8
_PLAIN = 0x45
_ERROR_HEADER = 20 + 8
"""IP and ICMP header in front of the packet that an ICMP error quotes."""


@helper
def _is_error(kind: int) -> bool:
    """Does this ICMP type quote a packet?"""
    return (kind == 3) | (kind == 4) | (kind == 5) | (kind == 11) | (kind == 12)


@helper
def _echo(kind: int) -> bool:
    return (kind == _ECHO_REPLY) | (kind == _ECHO_REQUEST)


@routine
def icmp_ports(ip: int, length: int) -> int:
    """Ports of an ICMP message without IP options; ``length``: bytes of the packet that are in the buffer."""
    kind = ld8(ip + 20)
    if _echo(kind):
        identifier = ld16(ip + 24)
        return identifier | identifier << 16
    total = min(be16(ip + LENGTH), length)
    if not _is_error(kind) or total < _ERROR_HEADER + 28:
        return 0
    inner = ip + _ERROR_HEADER
    protocol = ld8(inner + 9)
    if protocol == TCP or protocol == UDP:
        ports = ld32(inner + 20)
        return (ports >> 16) | (ports & 0xFFFF) << 16
    if protocol == ICMP and _echo(ld8(inner + 20)):
        identifier = ld16(inner + 24)
        return identifier | identifier << 16
    return 0


@helper
def read_l4(b: int, ip: int, length: int) -> None:
    """Write what the L4 header of an unfragmented packet (or first fragment) says to its buffer's metadata.

    As in VPP a packet with IP options has no ports. A header that is not there whole, in the datagram or in the first
    ``length`` bytes that are in the buffer, says nothing.
    """
    protocol = ld8(ip + 9)
    size = (ld8(ip) & 15) * 4
    left = min(be16(ip + LENGTH), length) - size
    l4 = ip + size
    word = protocol << PROTOCOL
    if protocol == TCP:
        if left < 20 or left < (ld8(l4 + 12) >> 4) * 4:
            st64(b + INFO_WORD, word | TRUNCATED << BITS)
            return
        st64(b + SEQ_WORD, ld64(l4 + 4))
        word |= ld8(l4 + 13) << FLAGS
    elif protocol == UDP:
        if left < 8:
            st64(b + INFO_WORD, word | TRUNCATED << BITS)
            return
    elif protocol == ICMP:
        if left < 4:
            st64(b + INFO_WORD, word | TRUNCATED << BITS)
            return
        ports = icmp_ports(ip, length) if ld8(ip) == _PLAIN and left >= 8 else 0
        st64(b + INFO_WORD, word | ld8(l4) << FLAGS | ports)
        return
    else:
        st64(b + INFO_WORD, word)
        return
    st64(b + INFO_WORD, word | (ld32(l4) if size == 20 else 0))
