"""A new session for a packet from inside: by a static mapping of its source, else with an address of the pool."""

from __future__ import annotations

from vectorplane.dataplane.abi import WORKER
from vectorplane.graph_nodes.nat44.errors import I_FAILED, I_MAX_SESSIONS, I_NON_SYN, I_OUT_OF_PORTS
from vectorplane.graph_nodes.nat44.flow_table import find, flow_hash
from vectorplane.graph_nodes.nat44.make import pair, publish_only, publish_over, set_match, set_rewrite
from vectorplane.graph_nodes.nat44.mappings import (
    by_external,
    by_local,
    draw_local,
    external_port_of,
    is_lb,
    local_port_of,
    match_external,
    match_local,
)
from vectorplane.graph_nodes.nat44.match import key_of
from vectorplane.graph_nodes.nat44.nat import LOCAL, MAPPING, NAT, POOL, POOL_SIZE, SM_IDENTITY
from vectorplane.graph_nodes.nat44.ports import free_port, pool_address
from vectorplane.graph_nodes.nat44.reach import tx_fib_of
from vectorplane.graph_nodes.nat44.session import (
    COLD,
    HAIRPINNING,
    HALF,
    I2O,
    LOAD_BALANCING,
    O2I,
    OP_DADDR,
    OP_DPORT,
    OP_ICMP_ID,
    OP_SADDR,
    OP_SPORT,
    OP_TXFIB,
    P_ICMP,
    P_TCP,
    STATIC,
    cold_at,
    half_at,
)
from vectorplane.graph_nodes.nat44.session_table import end, free_any, new_session, too_many
from vectorplane.graph_nodes.nat44.tcp_state import ACK, SYN
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import ld64, rec, shr, st64

UNTOUCHED = -1
"""The packet has no session and goes on as it is; a number below is `refused`."""


@helper
def refused(error: int) -> int:
    """The packet is dropped for this reason (a code of the node's errors)."""
    return -2 - error


@helper
def reason(result: int) -> int:
    """The error code of a `refused`."""
    return -2 - result


@helper
def unsigned(address: int) -> int:
    """An address from a field of four bytes."""
    return address & 0xFFFFFFFF


@helper
def begins_connection(flags: int) -> bool:
    """A SYN, without ACK?"""
    return (flags & (SYN | ACK)) == SYN


@helper
def _low(at: int) -> int:
    return ld64(at) & 0xFFFFFFFF


@helper
def _high(at: int) -> int:
    return shr(ld64(at), 32)


@routine
def _go_on_in(half: int, fib: int) -> None:
    """The FIB in which what it translates goes on."""
    rec(half, HALF).tx_fib = fib


@routine
def _free_address(nat: int, fib: int, tx_fib: int, source: int, destination: int, proto: int) -> int:
    """An outside address that no session of this protocol has with the destination: the one that other sessions from
    this source get, else the last of the pool (VPP: one that any session with the destination has). 0: none."""
    n = rec(nat, NAT)
    a = pool_address(nat, fib, -1, source, destination)
    if a != 0 and find(nat, pair(destination, unsigned(rec(a, POOL).address)), key_of(0, tx_fib, proto)) < 0:
        return unsigned(rec(a, POOL).address)
    for k in range(n.n_pool - 1, -1, -1):
        address = unsigned(rec(n.pool + k * POOL_SIZE, POOL).address)
        if find(nat, pair(destination, address), key_of(0, tx_fib, proto)) < 0:
            return address
    return 0


@routine
def hairpin(nat: int, destination: int, port: int, proto: int, h: int, now: int, out: int) -> int:
    """The mapping of a destination that is another inside host's external address; 0: it is none's.

    The local address and port are written to ``out`` (address, port << 32).
    """
    if rec(nat, NAT).n_mappings == 0:
        return 0
    m = match_external(nat, destination, port, proto)
    if m == 0:
        return 0
    if is_lb(m):
        local = draw_local(nat, m, h)
        if local == 0:
            return 0
        st64(out, unsigned(rec(local, LOCAL).address) | rec(local, LOCAL).port << 32)
    else:
        st64(out, unsigned(rec(m, MAPPING).local) | local_port_of(m, port) << 32)
    return m


@routine
def make_in2out(
    worker: int,
    nat: int,
    addresses: int,
    ports: int,
    proto: int,
    flags: int,
    fib: int,
    tx_sw_if: int,
    now: int,
    out: int,
) -> int:
    """The half for packets from inside of the new session; else `UNTOUCHED` or `refused`. With the lock held.

    ``tx_sw_if`` -1: not as an output feature. ``out``: 8 bytes to work with.
    """
    n = rec(nat, NAT)
    if too_many(nat, fib) and not free_any(nat, rec(worker, WORKER).index, now):
        return refused(I_MAX_SESSIONS)
    source = addresses & 0xFFFFFFFF
    destination = shr(addresses, 32)
    source_port = ports & 0xFFFF
    destination_port = (ports >> 16) & 0xFFFF
    m = match_local(nat, source, source_port, fib, proto)
    if m != 0 and rec(m, MAPPING).flags & SM_IDENTITY:
        return UNTOUCHED
    if proto == P_TCP and not begins_connection(flags):
        return refused(I_NON_SYN)
    session = new_session(worker, nat, proto, now)
    if session < 0:
        return refused(I_MAX_SESSIONS)
    tx_fib = tx_fib_of(nat, fib, destination)
    h = flow_hash(nat, addresses, key_of(ports, fib, proto))
    i2o = half_at(n.halves, 2 * session + I2O)
    o2i = half_at(n.halves, 2 * session + O2I)
    c = rec(cold_at(n.colds, session), COLD)
    c.in_fib = fib
    c.out_fib = tx_fib

    # towards another inside host's external address the packet goes to that host
    to = destination
    to_port = destination_port
    reply_port = destination_port
    st64(out, 0)
    other = hairpin(nat, destination, destination_port, proto, h, now, out)
    if other != 0:
        c.flags |= HAIRPINNING
        to = unsigned(_low(out))
        to_port = _high(out)
        reply_port = to_port
        if is_lb(other):
            c.flags |= LOAD_BALANCING
            reply_port = destination_port

    if m == 0:
        a = pool_address(nat, fib, tx_sw_if, source, destination)
        if a == 0:
            end(nat, session, now)
            return refused(I_OUT_OF_PORTS)
        outside = unsigned(rec(a, POOL).address)
        port = free_port(nat, outside, to, to_port, source_port, tx_fib, proto, h)
        if port < 0:
            end(nat, session, now)
            return refused(I_OUT_OF_PORTS)
    else:
        outside = unsigned(rec(m, MAPPING).external)
        port = external_port_of(m, source_port)
        c.flags |= STATIC
    query = proto == P_ICMP

    set_match(o2i, pair(to, outside), port if query else to_port, port, tx_fib, proto)
    set_rewrite(
        o2i,
        OP_DADDR
        | OP_TXFIB
        | OP_SADDR
        | (OP_ICMP_ID if query else OP_DPORT)
        | (0 if reply_port == to_port else OP_SPORT),
        pair(destination, source),
        source_port if query else reply_port,
        source_port,
    )
    _go_on_in(o2i, fib)
    if not publish_only(nat, 2 * session + O2I):
        end(nat, session, now)
        return refused(I_FAILED)

    set_match(i2o, addresses, source_port, destination_port, fib, proto)
    set_rewrite(
        i2o,
        OP_SADDR | OP_DADDR | OP_TXFIB | (OP_ICMP_ID if query else OP_SPORT | OP_DPORT),
        pair(outside, to),
        port,
        to_port,
    )
    _go_on_in(i2o, tx_fib)
    if not publish_over(nat, 2 * session + I2O):
        end(nat, session, now)
        return refused(I_FAILED)
    return 2 * session + I2O


@routine
def make_unknown_in2out(worker: int, nat: int, addresses: int, proto: int, fib: int, now: int, out: int) -> int:
    """The same for a protocol without ports: only addresses change."""
    n = rec(nat, NAT)
    if too_many(nat, fib):
        return refused(I_MAX_SESSIONS)
    source = addresses & 0xFFFFFFFF
    destination = shr(addresses, 32)
    tx_fib = tx_fib_of(nat, fib, destination)
    m = by_local(nat, source, 0, fib, proto) if n.n_mappings != 0 else 0
    outside = (
        unsigned(rec(m, MAPPING).external) if m != 0 else _free_address(nat, fib, tx_fib, source, destination, proto)
    )
    if outside == 0:
        return refused(I_OUT_OF_PORTS)
    session = new_session(worker, nat, proto, now)
    if session < 0:
        return refused(I_MAX_SESSIONS)
    i2o = half_at(n.halves, 2 * session + I2O)
    o2i = half_at(n.halves, 2 * session + O2I)
    c = rec(cold_at(n.colds, session), COLD)
    c.in_fib = fib
    c.out_fib = tx_fib
    c.proto = 0
    if m != 0:
        c.flags |= STATIC
    to = destination
    other = 0
    if n.n_mappings != 0:
        other = by_external(nat, destination, 0, proto)
        if other == 0:
            other = by_external(nat, destination, 0, 0)
    if other != 0 and not is_lb(other):
        c.flags |= HAIRPINNING
        to = unsigned(rec(other, MAPPING).local)
    set_match(i2o, addresses, 0, 0, fib, proto)
    set_rewrite(i2o, OP_SADDR | OP_DADDR | OP_TXFIB, pair(outside, to), 0, 0)
    _go_on_in(i2o, tx_fib)
    set_match(o2i, pair(to, outside), 0, 0, tx_fib, proto)
    set_rewrite(o2i, OP_SADDR | OP_DADDR | OP_TXFIB, pair(destination, source), 0, 0)
    _go_on_in(o2i, fib)
    if not publish_over(nat, 2 * session + I2O) or not publish_over(nat, 2 * session + O2I):
        end(nat, session, now)
        return refused(I_FAILED)
    return 2 * session + I2O
