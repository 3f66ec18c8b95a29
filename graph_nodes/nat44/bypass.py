"""Forwarding mode: what is not translated still has a session, so that its answers are not translated either."""

from __future__ import annotations

from vectorplane.dataplane.buffer import BUFFER, length_in_chain
from vectorplane.graph_nodes.ip4_header import PROTOCOL, SOURCE
from vectorplane.graph_nodes.ip4_sv_buffer import INFO_WORD
from vectorplane.graph_nodes.nat44.flow_table import find
from vectorplane.graph_nodes.nat44.make import set_match
from vectorplane.graph_nodes.nat44.match import (
    MATCH,
    icmp_match,
    icmp_type,
    key_of,
    put_match,
    reversed_addresses,
    reversed_key,
)
from vectorplane.graph_nodes.nat44.nat import NAT
from vectorplane.graph_nodes.nat44.session import (
    COLD,
    FWD_BYPASS,
    HALF,
    I2O,
    O2I,
    OP_TXFIB,
    P_ICMP,
    P_TCP,
    P_UDP,
    cold_at,
    half_at,
)
from vectorplane.graph_nodes.nat44.session_table import end, new_session, publish, too_many
from vectorplane.graph_nodes.nat44.tcp_state import brings_news, see_flags
from vectorplane.graph_nodes.nat44.translate import is_icmp_error
from vectorplane.jit.kernel import routine
from vectorplane.jit.ops import ld8, ld64, rec, shr


@routine
def is_bypassed(nat: int, b: int, ip: int, left: int, match: int) -> bool:
    """Does the packet on its way out belong to such a session? It is counted for it. As in VPP, only of FIB 0."""
    proto = ld8(ip + PROTOCOL)
    if proto == P_ICMP:
        if not icmp_match(b, ip, left, 0, match):
            return False
    else:
        ports = ld64(b + INFO_WORD) & 0xFFFFFFFF if proto == P_UDP or proto == P_TCP else 0
        put_match(match, ld64(ip + SOURCE), key_of(ports, 0, proto))
    n = rec(nat, NAT)
    number = find(nat, rec(match, MATCH).addresses, rec(match, MATCH).key)
    if number < 0 or rec(cold_at(n.colds, number >> 1), COLD).flags & FWD_BYPASS == 0:
        return False
    half = half_at(n.halves, (number & -2) | I2O)
    now = rec(b, BUFFER).time
    if proto == P_TCP and brings_news(half, icmp_type(b)):
        see_flags(nat, (number & -2) | I2O, icmp_type(b), now)
    h = rec(half, HALF)
    h.active = now
    h.packets += 1
    h.bytes += length_in_chain(b)
    return True


@routine
def make_bypass(worker: int, nat: int, b: int, ip: int, left: int, fib: int, match: int) -> int:
    """A packet from outside that is not translated: have a session for its answers; gives its half for what comes from
    outside, -1: it has none. With the lock held."""
    proto = ld8(ip + PROTOCOL)
    r = rec(match, MATCH)
    m = rec(b, BUFFER)
    if proto == P_ICMP:
        if not icmp_match(b, ip, left, fib, match):
            return -1
    else:
        ports = ld64(b + INFO_WORD) & 0xFFFFFFFF if proto == P_UDP or proto == P_TCP else 0
        put_match(match, ld64(ip + SOURCE), key_of(ports, fib, proto))
    addresses = reversed_addresses(r.addresses)
    key = reversed_key(r.key)
    n = rec(nat, NAT)
    number = find(nat, addresses, key)
    if number < 0:
        if (proto == P_ICMP and is_icmp_error(icmp_type(b))) or too_many(nat, fib):
            return -1
        session = new_session(worker, nat, proto, m.time)
        if session < 0:
            return -1
        number = 2 * session + I2O
        c = rec(cold_at(n.colds, session), COLD)
        c.flags = FWD_BYPASS
        c.in_fib = fib
        c.out_fib = fib
        half = half_at(n.halves, number)
        set_match(half, addresses, shr(key, 32) & 0xFFFF, shr(key, 48), fib, proto)
        rec(half, HALF).ops = OP_TXFIB
        if not publish(nat, number):
            end(nat, session, m.time)
            return -1
    h = rec(half_at(n.halves, (number & -2) | O2I), HALF)
    h.active = m.time
    h.packets += 1
    return (number & -2) | O2I
