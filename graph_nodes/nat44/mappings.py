"""Static mappings as nodes look them up: by local or by external address, with a port or without one.

``address`` and ``port`` are as they stand in a packet. What is found is the address of a MAPPING, 0: nothing.
"""

from __future__ import annotations

from vectorplane.dataplane.tables.hash_map import search_16
from vectorplane.graph_nodes.nat44.nat import (
    LOCAL,
    LOCAL_SIZE,
    MAPPING,
    MAPPING_SIZE,
    NAT,
    SM_ADDR_ONLY,
    SM_LB,
)
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import mul, rec, shr


@routine
def by_local(nat: int, address: int, port: int, fib: int, proto: int) -> int:
    """The mapping of a local address and port in a FIB."""
    n = rec(nat, NAT)
    index = search_16(n.static_map, address, port << 32 | fib << 8 | proto)
    return int(n.mappings + index * MAPPING_SIZE) if index >= 0 else 0


@routine
def by_external(nat: int, address: int, port: int, proto: int) -> int:
    """The mapping of an external address and port."""
    n = rec(nat, NAT)
    index = search_16(n.static_map, mul(address, 1 << 32), mul(port, 1 << 48) | proto)
    return int(n.mappings + index * MAPPING_SIZE) if index >= 0 else 0


@routine
def match_external(nat: int, address: int, port: int, proto: int) -> int:
    """The mapping that a packet to this address and port meets: with its port, or without one."""
    if rec(nat, NAT).n_mappings == 0:
        return 0
    m = by_external(nat, address, port, proto)
    return m if m != 0 else by_external(nat, address, 0, 0)


@routine
def _match_local_in(nat: int, address: int, port: int, fib: int, proto: int) -> int:
    m = by_local(nat, address, port, fib, proto)
    return m if m != 0 else by_local(nat, address, 0, fib, 0)


@routine
def match_local(nat: int, address: int, port: int, fib: int, proto: int) -> int:
    """The mapping that a packet from this address and port meets, of its FIB, the inside or the outside one."""
    n = rec(nat, NAT)
    if n.n_mappings == 0:
        return 0
    m = _match_local_in(nat, address, port, fib, proto)
    if m == 0 and n.inside_fib != fib:
        m = _match_local_in(nat, address, port, n.inside_fib, proto)
    if m == 0 and n.outside_fib != fib:
        m = _match_local_in(nat, address, port, n.outside_fib, proto)
    return m


@helper
def number_of(nat: int, m: int) -> int:
    """A mapping's number."""
    return (m - rec(nat, NAT).mappings) // MAPPING_SIZE


@helper
def external_port_of(m: int, port: int) -> int:
    """The port that a mapping gives a packet from its local address; without ports the packet's own."""
    r = rec(m, MAPPING)
    return port if r.flags & SM_ADDR_ONLY else r.external_port


@helper
def local_port_of(m: int, port: int) -> int:
    """The port that a mapping gives a packet to its external address."""
    r = rec(m, MAPPING)
    return port if r.flags & SM_ADDR_ONLY else r.local_port


@routine
def draw_local(nat: int, m: int, h: int) -> int:
    """Address of the LOCAL of a load-balanced mapping that a new flow gets by chance; 0: there is none.

    The chance is the flow's hash ``h``, so that it is the same for any number of workers.
    """
    n = rec(nat, NAT)
    r = rec(m, MAPPING)
    if r.n_locals <= 0:
        return 0
    total = rec(n.locals + (r.first_local + r.n_locals - 1) * LOCAL_SIZE, LOCAL).prefix
    if total <= 0:
        return 0
    drawn = 1 + shr(h, 20) % total
    for k in range(r.n_locals):
        at = n.locals + (r.first_local + k) * LOCAL_SIZE
        if drawn <= rec(at, LOCAL).prefix:
            return int(at)
    return 0


@helper
def is_lb(m: int) -> bool:
    """Is it load-balanced?"""
    return (rec(m, MAPPING).flags & SM_LB) != 0
