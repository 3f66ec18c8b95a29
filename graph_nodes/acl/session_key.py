"""The key of a session: one for both directions of a flow on an interface.

VPP keeps two entries a session, the creating packet's 5-tuple and its reverse in the other direction of the same
interface. Both are the same flow seen from outside the router, so here a packet on its way out has its addresses and
ports swapped and there is one entry. For ICMP the key holds the type of the request and on which side of the
interface the requester is (`SIDE`); a reply lets itself through only where a request could have made the session
(`REPLY` in the session's `ways`): VPP enters the reverse of requests alone (echo, timestamp, information, address
mask; ICMPv6 echo and node information).
"""

from __future__ import annotations

from vectorplane.graph_nodes.acl.five_tuple import IS_INPUT, SLOW
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import mul, shr

SIDE = 4 << 40
REQUEST, REPLY = 1, 2
"""Ways of a session: which packets it lets through. All but ICMP replies are requests."""


@helper
def is_reply(kind: int, ip6: bool) -> bool:
    """Is this ICMP type the answer to a request that makes a session?"""
    if ip6:
        return (kind == 129) | (kind == 140)
    return (kind == 0) | (kind == 14) | (kind == 16) | (kind == 18)


@helper
def is_request(kind: int, ip6: bool) -> bool:
    """Is this ICMP type a request that makes a session for its answer?"""
    if ip6:
        return (kind == 128) | (kind == 139)
    return (kind == 8) | (kind == 13) | (kind == 15) | (kind == 17)


@helper
def _is_icmp(l4: int, ip6: bool) -> bool:
    return (shr(l4, 32) & 0xFF) == (58 if ip6 else 1)


@routine
def slow_key(l4: int, ip6: bool) -> int:
    """`session_key` of what is neither TCP nor UDP."""
    key = l4 & ~IS_INPUT
    if not _is_icmp(l4, ip6):
        return key
    kind = l4 & 0xFFFF
    inside = (l4 & IS_INPUT) != 0
    if is_reply(kind, ip6):
        inside = not inside
        kind = 8 if kind == 0 else kind - 1
    return (key & ~0xFFFF) | kind | (SIDE if inside else 0)


@helper
def session_key(l4: int, ip6: bool) -> int:
    """The L4 word of the session that the packet with this L4 word belongs to."""
    if l4 & SLOW:
        return slow_key(l4, ip6)
    if l4 & IS_INPUT:
        return l4 & ~IS_INPUT
    return (l4 & ~0xFFFFFFFF) | ((l4 >> 16) & 0xFFFF) | ((l4 & 0xFFFF) << 16)


@routine
def slow_way(l4: int, ip6: bool) -> int:
    """`way_of` of what is neither TCP nor UDP."""
    return REPLY if _is_icmp(l4, ip6) and is_reply(l4 & 0xFFFF, ip6) else REQUEST


@helper
def way_of(l4: int, ip6: bool) -> int:
    """Which way of a session the packet takes."""
    return slow_way(l4, ip6) if l4 & SLOW else REQUEST


@routine
def ways_made(l4: int, ip6: bool) -> int:
    """The ways of the session that this packet makes: both, but that of an ICMP message which is no request is one."""
    if (l4 & SLOW) == 0 or not _is_icmp(l4, ip6) or is_request(l4 & 0xFFFF, ip6):
        return REQUEST | REPLY
    return slow_way(l4, ip6)


@helper
def address_key(addresses: int, direction: int) -> int:
    """IPv4 addresses as the session's key has them."""
    # a product, since the shifted word would have more than 64 bits where Python runs this itself
    return addresses if direction else shr(addresses, 32) | mul(addresses, 1 << 32)
