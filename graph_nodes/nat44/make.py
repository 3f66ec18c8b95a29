"""What makes of two new halves: both found by their matches, or the session is ended again. With the lock held."""

from __future__ import annotations

from vectorplane.graph_nodes.nat44.checksums import work_out
from vectorplane.graph_nodes.nat44.flow_table import find, take_out
from vectorplane.graph_nodes.nat44.nat import NAT
from vectorplane.graph_nodes.nat44.session import HALF, half_at
from vectorplane.graph_nodes.nat44.session_table import publish
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import mul, rec


@helper
def pair(first: int, second: int) -> int:
    """Two addresses as a packet has its source and destination."""
    return first | mul(second, 1 << 32)


@routine
def set_match(half: int, addresses: int, source_port: int, destination_port: int, fib: int, proto: int) -> None:
    """What a half is found by; until something is set it rewrites nothing."""
    h = rec(half, HALF)
    h.addresses = addresses
    h.key = proto | fib << 8 | source_port << 32 | mul(destination_port, 1 << 48)
    h.new_addresses = addresses
    h.new_ports = source_port | destination_port << 16
    h.new_id = source_port
    h.ops = 0
    h.tx_fib = fib


@routine
def set_rewrite(half: int, ops: int, addresses: int, source_port: int, destination_port: int) -> None:
    """What it becomes; ``ops`` says which ports count (of an ICMP query the source port is its identifier)."""
    h = rec(half, HALF)
    h.ops |= ops
    h.new_addresses = addresses
    h.new_ports = source_port | destination_port << 16
    h.new_id = source_port


@routine
def is_taken(nat: int, half: int) -> bool:
    """Does another session have this match?"""
    h = rec(half, HALF)
    return find(nat, h.addresses, h.key) >= 0


@routine
def publish_only(nat: int, number: int) -> bool:
    """Have a half found; False: another one has its match, or the table is full."""
    half = half_at(rec(nat, NAT).halves, number)
    if is_taken(nat, half):
        return False
    work_out(half)
    return publish(nat, number)


@routine
def publish_over(nat: int, number: int) -> bool:
    """Have a half found, instead of one that has its match (as VPP's table does it). False: the table is full."""
    half = half_at(rec(nat, NAT).halves, number)
    other = find(nat, rec(half, HALF).addresses, rec(half, HALF).key)
    if other >= 0:
        take_out(nat, other)
    work_out(half)
    return publish(nat, number)
