"""What a packet's session is found by: addresses, ports, protocol and FIB; of an ICMP error those of what it quotes."""

from __future__ import annotations

import numpy as np

from vectorplane.graph_nodes.ip4_header import DESTINATION, PROTOCOL, SOURCE
from vectorplane.graph_nodes.ip4_sv_buffer import FLAGS, INFO_WORD
from vectorplane.graph_nodes.nat44.session import P_ICMP, P_TCP, P_UDP
from vectorplane.graph_nodes.nat44.translate import is_icmp_error
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import ld8, ld16, ld32, ld64, mul, rec, shr, st64

MATCH = np.dtype([("addresses", "i8"), ("key", "i8")])
"""Where a match is put that is more than a return value can be."""
MATCH_SIZE = MATCH.itemsize


@helper
def key_of(ports: int, fib: int, proto: int) -> int:
    """The second word of a match; ``ports`` as in a packet."""
    return proto | fib << 8 | mul(ports, 1 << 32)


@helper
def reversed_addresses(addresses: int) -> int:
    """Source and destination the other way round."""
    return shr(addresses, 32) | mul(addresses & 0xFFFFFFFF, 1 << 32)


@helper
def reversed_key(key: int) -> int:
    """The same of a key's ports."""
    return (key & 0xFFFFFFFF) | mul(shr(key, 48), 1 << 32) | mul(shr(key, 32) & 0xFFFF, 1 << 48)


@helper
def icmp_type(b: int) -> int:
    """ICMP type of a packet, or TCP flags, as shallow reassembly left it."""
    return shr(ld64(b + INFO_WORD), FLAGS) & 0xFF


@routine
def icmp_match(b: int, ip: int, left: int, fib: int, match: int) -> bool:
    """Write the match of an ICMP packet to ``match`` (`MATCH`). False: what an error quotes has no ports, or is not
    there."""
    r = rec(match, MATCH)
    if not is_icmp_error(icmp_type(b)):
        r.addresses = ld64(ip + SOURCE)
        r.key = key_of(ld64(b + INFO_WORD) & 0xFFFFFFFF, fib, P_ICMP)
        return True
    at = (ld8(ip) & 15) * 4 + 8
    inner = ip + at
    if left < at + 20 or left < at + (ld8(inner) & 15) * 4 + 8:
        return False
    l4 = inner + (ld8(inner) & 15) * 4
    proto = ld8(inner + PROTOCOL)
    if proto == P_ICMP:
        identifier = ld16(l4 + 4)
        ports = identifier | identifier << 16
    elif proto == P_TCP or proto == P_UDP:
        ports = ld16(l4 + 2) | ld16(l4) << 16
    else:
        return False
    r.addresses = ld32(inner + DESTINATION) | mul(ld32(inner + SOURCE), 1 << 32)
    r.key = key_of(ports, fib, proto)
    return True


@helper
def put_match(match: int, addresses: int, key: int) -> None:
    """Write a match."""
    st64(match, addresses)
    st64(match + 8, key)
