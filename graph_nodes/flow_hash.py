"""The flow hash that spreads packets over the paths of a load-balance.

Bob Jenkins' lookup3 mix over addresses, ports and protocol, as they stand in the packet, with the same
inputs in the same places as VPP's `ip4_compute_flow_hash`, so that the same flow takes the same path. The router's id
goes in too, so that routers behind each other choose differently.
"""

from __future__ import annotations

from vectorplane.graph_nodes.forwarding import (
    HASH_DST,
    HASH_DST_PORT,
    HASH_GTPV1_TEID,
    HASH_PROTO,
    HASH_REVERSE,
    HASH_SRC,
    HASH_SRC_PORT,
    HASH_SYMMETRIC,
)
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ld8, ld16, ld32

_M = 0xFFFFFFFF
_GTP_PORT = 0x6808
"""2152 (GTP-U), as a little-endian load of it sees it; the tunnel's id follows 4 bytes behind the UDP header."""


@helper
def _rotate(x: int, n: int) -> int:
    return ((x << n) | (x >> (32 - n))) & _M


@helper
def mix3(a: int, b: int, c: int) -> int:
    """lookup3's mix and final of three 32-bit words; gives 32 bits."""
    a = ((a - c) & _M) ^ _rotate(c, 4)
    c = (c + b) & _M
    b = ((b - a) & _M) ^ _rotate(a, 6)
    a = (a + c) & _M
    c = ((c - b) & _M) ^ _rotate(b, 8)
    b = (b + a) & _M
    a = ((a - c) & _M) ^ _rotate(c, 16)
    c = (c + b) & _M
    b = ((b - a) & _M) ^ _rotate(a, 19)
    a = (a + c) & _M
    c = ((c - b) & _M) ^ _rotate(b, 4)
    b = (b + a) & _M
    # final
    c = ((c ^ b) - _rotate(b, 14)) & _M
    a = ((a ^ c) - _rotate(c, 11)) & _M
    b = ((b ^ a) - _rotate(a, 25)) & _M
    c = ((c ^ b) - _rotate(b, 16)) & _M
    a = ((a ^ c) - _rotate(c, 4)) & _M
    b = ((b ^ a) - _rotate(a, 14)) & _M
    return ((c ^ b) - _rotate(b, 24)) & _M


@helper
def ip4_flow_hash(ip: int, length: int, config: int, router_id: int) -> int:
    """Flow hash (32 bits) of the IPv4 packet at ``ip`` of which ``length`` bytes are in the buffer."""
    protocol = ld8(ip + 9)
    source = ld32(ip + 12) if config & HASH_SRC else 0
    destination = ld32(ip + 16) if config & HASH_DST else 0
    t1 = 0
    t2 = 0
    # as VPP, the ports are where they are without options; a packet without options always has room for them
    if (protocol == 6 or protocol == 17) and length >= 24:
        t1 = ld16(ip + 20) if config & HASH_SRC_PORT else 0
        t2 = ld16(ip + 22) if config & HASH_DST_PORT else 0
    a = source
    b = destination
    if config & HASH_REVERSE:
        a = destination
        b = source
    if config & HASH_SYMMETRIC:
        low = min(a, b)
        b = max(a, b)
        a = low
        low = min(t1, t2)
        t2 = max(t1, t2)
        t1 = low
    if config & HASH_PROTO:
        b ^= protocol
    c = (t1 << 16) | t2 if config & HASH_REVERSE else (t2 << 16) | t1
    if config & HASH_GTPV1_TEID and protocol == 17 and length >= 36 and ld16(ip + 22) == _GTP_PORT:
        c ^= ld32(ip + 32)
    return mix3(a ^ router_id, b, c)
