"""The flow hash of a frame that goes into a tunnel: what its outer UDP source port is made of.

The values are VPP's (`vnet_l2_compute_flow_hash`), so that a flow gets the same port: of an IPv4, IPv6 or MPLS packet
its own flow hash, of other frames one of the two addresses and the type. A packet that ends before what is hashed
counts as "other". See `vectorplane.graph_nodes.flow_hash` for lookup3.
"""

from __future__ import annotations

from vectorplane.graph_nodes.flow_hash import ip4_flow_hash, mix3
from vectorplane.graph_nodes.forwarding import HASH_DEFAULT
from vectorplane.graph_nodes.l2.header import IP4_LE, IP6_LE, is_tag
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import add, be32, bswap16, ld8, ld16, ld32, ld64, mul, shr

_MPLS_LE = 0x4788
_M = (1 << 32) - 1
_ENTROPY_LABEL = 14
"""VPP's; the one of RFC 6790 is 7."""
_TCP, _UDP, _HOP_BY_HOP, _FRAGMENT = 6, 17, 0, 44


@helper
def _step(a: int, b: int, c: int, shift: int) -> int:
    """``a - b - c``, with the high bits of ``c`` folded in."""
    return add(add(a, -b), -c) ^ shr(c, shift)


@helper
def _step_left(a: int, b: int, c: int, shift: int) -> int:
    return add(add(a, -b), -c) ^ mul(c, 1 << shift)


@routine
def _mix64(a: int, b: int, c: int) -> int:
    """Bob Jenkins' 64-bit mix; its lower 32 bits."""
    a = _step(a, b, c, 43)
    b = _step_left(b, c, a, 9)
    c = _step(c, a, b, 8)
    a = _step(a, b, c, 38)
    b = _step_left(b, c, a, 23)
    c = _step(c, a, b, 5)
    a = _step(a, b, c, 35)
    b = _step_left(b, c, a, 49)
    c = _step(c, a, b, 11)
    a = _step(a, b, c, 12)
    b = _step_left(b, c, a, 18)
    c = _step(c, a, b, 22)
    return c & _M


@routine
def ip6_flow_hash(ip: int, length: int, router_id: int) -> int:
    """Flow hash of the IPv6 packet at ``ip``, at least 40 bytes, of which ``length`` are in the buffer."""
    protocol = ld8(ip + 6)
    at = 40
    ports = protocol == _TCP or protocol == _UDP
    if protocol == _HOP_BY_HOP and length >= 48:
        protocol = ld8(ip + 40)
        at = 40 + (ld8(ip + 41) + 1) * 8
        ports = protocol == _TCP or protocol == _UDP
    if protocol == _FRAGMENT and length >= at + 8:
        protocol = ld8(ip + at)
        ports = False
    c = 0
    if ports and length >= at + 4:
        c = ld16(ip + at + 2) << 16 | ld16(ip + at)
    c ^= (router_id << 32) | (be32(ip) & 0xFFFFF)
    return _mix64(ld64(ip + 8) ^ ld64(ip + 16), ld64(ip + 24) ^ ld64(ip + 32) ^ protocol, c)


@routine
def mpls_flow_hash(at: int, length: int, router_id: int) -> int:
    """Flow hash of the labels at ``at`` and of the packet behind them."""
    word = be32(at)
    h = (word >> 12) ^ router_id
    left = length
    entropy = False
    while word & 0x100 == 0 and left >= 8:
        at += 4
        left -= 4
        word = be32(at)
        if entropy:
            return word
        if word >> 12 == _ENTROPY_LABEL:
            entropy = True
        else:
            h ^= word >> 12
    at += 4
    left -= 4
    if left >= 20 and ld8(at) >> 4 == 4:
        h ^= ip4_flow_hash(at, left, HASH_DEFAULT, router_id)
    elif left >= 40 and ld8(at) >> 4 == 6:
        h ^= ip6_flow_hash(at, left, router_id)
    return h & _M


@routine
def _other(d: int, at: int, length: int, kind: int, router_id: int) -> int:
    if kind == IP6_LE and length >= at + 40:
        return ip6_flow_hash(d + at, length - at, router_id)
    if kind == _MPLS_LE and length >= at + 4:
        return mpls_flow_hash(d + at, length - at, router_id)
    return mix3(ld32(d + 2), ld32(d + 8), bswap16(kind))


@helper
def frame_hash(d: int, length: int, router_id: int) -> int:
    """Flow hash (32 bits) of the Ethernet frame at ``d``, at least 14 bytes, of which ``length`` are in the buffer."""
    kind = ld16(d + 12)
    at = 14
    if is_tag(kind) and length >= 18:
        kind = ld16(d + 16)
        at = 18
        if kind == 0x0081 and length >= 22:
            kind = ld16(d + 20)
            at = 22
    if kind == IP4_LE and length >= at + 20:
        return ip4_flow_hash(d + at, length - at, HASH_DEFAULT, router_id)
    return _other(d, at, length, kind, router_id)


@helper
def packet_hash(ip: int, length: int, router_id: int) -> int:
    """The same of an IP packet without an Ethernet header."""
    if length >= 20 and ld8(ip) >> 4 == 4:
        return ip4_flow_hash(ip, length, HASH_DEFAULT, router_id)
    if length >= 40 and ld8(ip) >> 4 == 6:
        return ip6_flow_hash(ip, length, router_id)
    return router_id & _M
