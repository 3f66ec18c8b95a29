"""Which backend a client keeps (RFC-less; VPP's ``affinity``): a record by client and load-balanced service.

It is held by the client's sessions; for the mapping's time after the last one has ended the client still gets the same
backend. A full table means no affinity for new clients, not a drop. All with the table's lock held.
"""

from __future__ import annotations

from vectorplane.dataplane.tables.hash_map import FULL, insert_16, remove_16, search_16
from vectorplane.graph_nodes.nat44.nat import (
    AFFINITY,
    AFFINITY_POOL,
    AFFINITY_RECORDS,
    AFFINITY_SIZE,
    LOCAL,
    LOCAL_SIZE,
    MAPPING,
    MAPPING_SIZE,
    NAT,
)
from vectorplane.graph_nodes.nat44.session import COLD, HALF, O2I, cold_at, half_at
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import mul, rec, shr


@helper
def affinity_at(nat: int, index: int) -> int:
    """Address of a record."""
    return rec(nat, NAT).affinity_pool + AFFINITY_RECORDS + index * AFFINITY_SIZE


@helper
def client_word(client: int, service: int) -> int:
    """First word of a record's key; addresses as they stand in a packet."""
    return client | mul(service, 1 << 32)


@helper
def service_word(proto: int, port: int) -> int:
    """Second word of a record's key."""
    return proto | port << 32


@routine
def forget(nat: int, index: int) -> None:
    """Free a record."""
    a = rec(affinity_at(nat, index), AFFINITY)
    remove_16(rec(nat, NAT).affinities, a.client, a.service)
    pool = rec(rec(nat, NAT).affinity_pool, AFFINITY_POOL)
    a.mapping = -1
    a.next = pool.free
    pool.free = index
    pool.live -= 1


@helper
def _is_current(nat: int, index: int, now: int) -> bool:
    """Does the record still say anything?"""
    a = rec(affinity_at(nat, index), AFFINITY)
    m = rec(rec(nat, NAT).mappings + a.mapping * MAPPING_SIZE, MAPPING)
    return m.generation == a.generation and (a.references > 0 or a.expires >= now)


@routine
def find_local(nat: int, mapping: int, client: int, now: int) -> int:
    """Address of the LOCAL that a client has of a service, its record held once more; 0: it may have any."""
    n = rec(nat, NAT)
    m = rec(n.mappings + mapping * MAPPING_SIZE, MAPPING)
    service = m.external & 0xFFFFFFFF
    index = search_16(n.affinities, client_word(client, service), service_word(m.proto, m.external_port))
    if index < 0:
        return 0
    a = rec(affinity_at(nat, index), AFFINITY)
    if _is_current(nat, index, now):
        for k in range(m.n_locals):
            at = n.locals + (m.first_local + k) * LOCAL_SIZE
            if rec(at, LOCAL).address == a.address and rec(at, LOCAL).port == a.port:
                a.references += 1
                return int(at)
    forget(nat, index)
    return 0


@routine
def remember(nat: int, mapping: int, client: int, local: int) -> bool:
    """The client has this LOCAL from now on; False: there is no room for a record."""
    n = rec(nat, NAT)
    m = rec(n.mappings + mapping * MAPPING_SIZE, MAPPING)
    pool = rec(n.affinity_pool, AFFINITY_POOL)
    index = pool.free
    if index >= 0:
        pool.free = rec(affinity_at(nat, index), AFFINITY).next
    elif pool.top < pool.capacity:
        index = pool.top
        pool.top = index + 1
    else:
        return False
    pool.live += 1
    a = rec(affinity_at(nat, index), AFFINITY)
    a.address = rec(local, LOCAL).address
    a.port = rec(local, LOCAL).port
    a.mapping = mapping
    a.generation = m.generation
    a.references = 1
    a.client = client_word(client, m.external & 0xFFFFFFFF)
    a.service = service_word(m.proto, m.external_port)
    if insert_16(n.affinities, a.client, a.service, index) == FULL:
        a.mapping = -1
        a.next = pool.free
        pool.free = index
        pool.live -= 1
        return False
    return True


@routine
def let_go(nat: int, session: int, now: int) -> None:
    """A session with a record ends: when it was the last one, the client keeps its backend for the service's time."""
    n = rec(nat, NAT)
    c = rec(cold_at(n.colds, session), COLD)
    half = rec(half_at(n.halves, 2 * session + O2I), HALF)
    client = half.addresses & 0xFFFFFFFF
    service = shr(half.addresses, 32)
    port = shr(half.key, 48)
    index = search_16(n.affinities, client_word(client, service), service_word(half.key & 0xFF, port))
    mapping = c.mapping
    c.mapping = -1
    if index < 0:
        return
    a = rec(affinity_at(nat, index), AFFINITY)
    m = rec(n.mappings + a.mapping * MAPPING_SIZE, MAPPING)
    if a.mapping != mapping or a.generation != m.generation:
        return
    a.references -= 1
    if a.references <= 0:
        a.references = 0
        a.expires = now + m.affinity
