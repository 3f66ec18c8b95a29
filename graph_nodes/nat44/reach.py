"""Where a destination would go by a FIB: what decides on the FIB that a translated packet goes on in."""

from __future__ import annotations

from vectorplane.dataplane.tables.hash_map import search_8
from vectorplane.dataplane.tables.mtrie import lookup, root_of
from vectorplane.graph_nodes.forwarding import (
    ADJ_SIZE,
    ADJACENCY,
    DPO,
    DPO_ADJACENCY,
    DPO_ADJACENCY_INCOMPLETE,
    DPO_GLEAN,
    DPO_INTERFACE_RX,
    DPO_LOAD_BALANCE,
    DPO_MIDCHAIN,
    DPO_RECEIVE,
    DPO_SIZE,
    INLINE_DPO,
    LB_SIZE,
    LOAD_BALANCE,
)
from vectorplane.graph_nodes.nat44.nat import NAT, ROLE_OUTSIDE, VRF_TABLE, VRF_TABLE_SIZE
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import bswap32, ld8, ld32s, rec

_DEPTH = 8
"""Recursive routes are followed so far."""


@routine
def resolving_interface(nat: int, fib: int, address: int) -> int:
    """The interface that a FIB's route to an address (as it stands in a packet) leads to; -1: none."""
    n = rec(nat, NAT)
    lb = lookup(root_of(n.roots, fib), n.plies, bswap32(address))
    for _ in range(_DEPTH):
        head = rec(n.lbs + lb * LB_SIZE, LOAD_BALANCE)
        dpo = n.lbs + lb * LB_SIZE + INLINE_DPO
        if head.n_minus_1 != 0:
            dpo = n.buckets + head.buckets * DPO_SIZE
        kind = rec(dpo, DPO).type
        index = rec(dpo, DPO).index
        if kind == DPO_LOAD_BALANCE:
            lb = index
            continue
        if kind == DPO_RECEIVE or kind == DPO_INTERFACE_RX:
            return int(index)
        if kind == DPO_ADJACENCY or kind == DPO_ADJACENCY_INCOMPLETE or kind == DPO_GLEAN or kind == DPO_MIDCHAIN:
            return int(rec(n.adjacencies + index * ADJ_SIZE, ADJACENCY).sw_if_index)
        return -1
    return -1


@helper
def _vrf_table(nat: int, fib: int) -> int:
    """The routes between VRFs of a FIB; 0: it has none of its own."""
    n = rec(nat, NAT)
    for k in range(n.n_vrf_tables):
        at = n.vrf_tables + k * VRF_TABLE_SIZE
        if rec(at, VRF_TABLE).fib == fib:
            return int(at)
    return 0


@routine
def tx_fib_of(nat: int, fib: int, address: int) -> int:
    """The FIB that a packet from ``fib`` to this destination goes on in."""
    n = rec(nat, NAT)
    table = _vrf_table(nat, fib)
    if table != 0:
        t = rec(table, VRF_TABLE)
        for k in range(t.n):
            other = ld32s(n.vrf_routes + 4 * (t.first + k))
            if resolving_interface(nat, other, address) >= 0:
                return int(other)
        return fib
    for k in range(n.n_outside_fibs):
        other = ld32s(n.outside_fibs + 4 * k)
        if resolving_interface(nat, other, address) >= 0:
            return int(other)
    return int(n.outside_fib)


@routine
def is_resolvable(nat: int, fib: int, address: int) -> bool:
    """Does the destination lie outside: behind a VRF's routes, or behind an outside interface?"""
    n = rec(nat, NAT)
    table = _vrf_table(nat, fib)
    if table != 0:
        t = rec(table, VRF_TABLE)
        for k in range(t.n):
            if resolving_interface(nat, ld32s(n.vrf_routes + 4 * (t.first + k)), address) >= 0:
                return True
        return False
    for k in range(n.n_outside_fibs):
        interface = resolving_interface(nat, ld32s(n.outside_fibs + 4 * k), address)
        if interface >= 0 and ld8(n.roles + interface) & ROLE_OUTSIDE:
            return True
    return False


@helper
def is_interface_address(nat: int, sw_if: int, address: int) -> bool:
    """Is it an address of this interface?"""
    return search_8(rec(nat, NAT).own_addresses, sw_if << 32 | address) >= 0
