"""A new session for a packet from outside, to the external address of a static mapping."""

from __future__ import annotations

from vectorplane.graph_nodes.nat44.affinity import find_local, remember
from vectorplane.graph_nodes.nat44.errors import (
    O_FAILED,
    O_HASH_ADD_FAILED,
    O_MAX_SESSIONS,
    O_NO_TRANSLATION,
    O_OUT_OF_PORTS,
)
from vectorplane.graph_nodes.nat44.flow_table import flow_hash
from vectorplane.graph_nodes.nat44.make import pair, publish_over, set_match, set_rewrite
from vectorplane.graph_nodes.nat44.make_in2out import refused, unsigned
from vectorplane.graph_nodes.nat44.mappings import by_external, draw_local, is_lb, local_port_of, number_of
from vectorplane.graph_nodes.nat44.match import key_of
from vectorplane.graph_nodes.nat44.nat import (
    LOCAL,
    MAPPING,
    NAT,
    POOL,
    POOL_SIZE,
    SM_EXACT,
    SM_SELF_TWICE_NAT,
    SM_TWICE_NAT,
)
from vectorplane.graph_nodes.nat44.owner import partition
from vectorplane.graph_nodes.nat44.ports import free_twice_port, twice_pool_address
from vectorplane.graph_nodes.nat44.session import (
    AFFINITY,
    COLD,
    EXACT_ADDRESS,
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
    STATIC,
    TWICE_NAT,
    cold_at,
    half_at,
)
from vectorplane.graph_nodes.nat44.session_table import end, new_session, too_many
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import rec, shr


@routine
def exact_address(nat: int, m: int) -> int:
    """The twice-NAT address that a mapping wants, if the pool has it; -1: it wants none, or none that is there."""
    n = rec(nat, NAT)
    r = rec(m, MAPPING)
    if r.flags & SM_EXACT:
        for k in range(n.n_twice_pool):
            if rec(n.twice_pool + k * POOL_SIZE, POOL).address == r.pool_address:
                return unsigned(r.pool_address)
    return -1


@helper
def _is_twice(m: int, client: int, local: int) -> bool:
    """Is the source to be translated, too?"""
    flags = rec(m, MAPPING).flags
    return (flags & SM_TWICE_NAT) != 0 or ((flags & SM_SELF_TWICE_NAT) != 0 and client == local)


@routine
def make_out2in(
    worker: int, nat: int, m: int, addresses: int, ports: int, proto: int, fib: int, now: int, plain: bool
) -> int:
    """The half for packets from outside of a new session by mapping ``m``, or `refused`. With the lock held.

    ``plain``: neither twice-NAT nor load balancing (ICMP).
    """
    n = rec(nat, NAT)
    if too_many(nat, fib):
        return refused(O_MAX_SESSIONS)
    client = addresses & 0xFFFFFFFF
    external = shr(addresses, 32)
    client_port = ports & 0xFFFF
    external_port = (ports >> 16) & 0xFFFF
    query = proto == P_ICMP
    h = flow_hash(nat, addresses, key_of(ports, fib, proto))
    balanced = is_lb(m)
    kept = False
    if balanced:
        local_at = 0
        if rec(m, MAPPING).affinity > 0:
            local_at = find_local(nat, number_of(nat, m), client, now)
            kept = local_at != 0
        if local_at == 0:
            local_at = draw_local(nat, m, h)
        if local_at == 0:
            return refused(O_NO_TRANSLATION)
        local = unsigned(rec(local_at, LOCAL).address)
        local_port = rec(local_at, LOCAL).port
        local_fib = rec(local_at, LOCAL).fib
        if rec(m, MAPPING).affinity > 0 and not kept:
            kept = remember(nat, number_of(nat, m), client, local_at)
    else:
        local = unsigned(rec(m, MAPPING).local)
        local_port = local_port_of(m, external_port)
        local_fib = rec(m, MAPPING).fib
    session = new_session(worker, nat, proto, now)
    if session < 0:
        return refused(O_MAX_SESSIONS)
    i2o = half_at(n.halves, 2 * session + I2O)
    o2i = half_at(n.halves, 2 * session + O2I)
    c = rec(cold_at(n.colds, session), COLD)
    c.in_fib = local_fib
    c.out_fib = fib
    c.flags = STATIC
    if balanced and not plain:
        c.flags |= LOAD_BALANCING
    set_match(o2i, addresses, client_port, external_port, fib, proto)
    if kept:
        c.mapping = number_of(nat, m)
        c.flags |= AFFINITY

    shown = client
    shown_port = client_port
    twice = not plain and _is_twice(m, client, local)
    if twice:
        shown = exact_address(nat, m)
        if shown >= 0:
            c.flags |= EXACT_ADDRESS
        else:
            a = twice_pool_address(nat, local_fib, local)
            if a == 0:
                end(nat, session, now)
                return refused(O_OUT_OF_PORTS)
            shown = unsigned(rec(a, POOL).address)
        shown_port = free_twice_port(
            nat, shown, local, local_port, local_fib, proto, partition(nat, addresses, ports, proto), h
        )
        if shown_port < 0:
            end(nat, session, now)
            return refused(O_OUT_OF_PORTS)
        c.flags |= TWICE_NAT

    set_rewrite(
        o2i,
        OP_DADDR | OP_TXFIB | (OP_ICMP_ID if query else OP_DPORT) | (OP_SADDR | OP_SPORT if twice else 0),
        pair(shown, local),
        local_port if query else shown_port,
        local_port,
    )
    rec(o2i, HALF).tx_fib = local_fib
    if not publish_over(nat, 2 * session + O2I):
        end(nat, session, now)
        return refused(O_HASH_ADD_FAILED)

    set_match(i2o, pair(local, shown), local_port, local_port if query else shown_port, local_fib, proto)
    set_rewrite(
        i2o,
        OP_SADDR | (OP_ICMP_ID if query else OP_SPORT) | (OP_DADDR | OP_DPORT if twice else 0),
        pair(external, client),
        external_port,
        client_port,
    )
    if not publish_over(nat, 2 * session + I2O):
        end(nat, session, now)
        return refused(O_HASH_ADD_FAILED)
    return 2 * session + O2I


@routine
def make_unknown_out2in(worker: int, nat: int, addresses: int, proto: int, fib: int, now: int) -> int:
    """The same for a protocol without ports: only addresses change."""
    n = rec(nat, NAT)
    if too_many(nat, fib):
        return refused(O_MAX_SESSIONS)
    client = addresses & 0xFFFFFFFF
    external = shr(addresses, 32)
    m = by_external(nat, external, 0, proto) if n.n_mappings != 0 else 0
    if m == 0:
        return refused(O_NO_TRANSLATION)
    session = new_session(worker, nat, proto, now)
    if session < 0:
        return refused(O_MAX_SESSIONS)
    i2o = half_at(n.halves, 2 * session + I2O)
    o2i = half_at(n.halves, 2 * session + O2I)
    local = unsigned(rec(m, MAPPING).local)
    local_fib = rec(m, MAPPING).fib
    c = rec(cold_at(n.colds, session), COLD)
    c.in_fib = local_fib
    c.out_fib = fib
    c.proto = 0
    c.flags = STATIC
    set_match(o2i, addresses, 0, 0, fib, proto)
    set_rewrite(o2i, OP_DADDR | OP_TXFIB, pair(client, local), 0, 0)
    rec(o2i, HALF).tx_fib = local_fib
    set_match(i2o, pair(local, client), 0, 0, local_fib, proto)
    set_rewrite(i2o, OP_SADDR, pair(external, client), 0, 0)
    if not publish_over(nat, 2 * session + I2O) or not publish_over(nat, 2 * session + O2I):
        end(nat, session, now)
        return refused(O_FAILED)
    return 2 * session + O2I
