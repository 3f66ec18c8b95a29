"""What NAT's nodes ask of a packet."""

from __future__ import annotations

from vectorplane.dataplane.abi import WORKER
from vectorplane.dataplane.buffer import BUFFER
from vectorplane.dataplane.interface import I_IP4_TABLE, INTERFACE_SIZE
from vectorplane.graph_nodes.errors_icmp4 import GIVEN_UP_BEHIND, TIME_EXCEEDED
from vectorplane.graph_nodes.forwarding import ADJ_SIZE, ADJACENCY
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import ld32s, rec


@helper
def header_offset(b: int, adjacencies: int, output: bool) -> int:
    """Bytes in front of the IP header: as an output feature NAT sees packets with their new L2 header."""
    if output:
        return int(rec(adjacencies + rec(b, BUFFER).adj * ADJ_SIZE, ADJACENCY).rewrite_length)
    return 0


@helper
def fib_of(worker: int, sw_if: int) -> int:
    """The FIB of an interface."""
    return ld32s(rec(worker, WORKER).interfaces + sw_if * INTERFACE_SIZE + I_IP4_TABLE)


@helper
def counted_interface(b: int, output: bool) -> int:
    """The interface that the packet is counted for."""
    return int(rec(b, BUFFER).tx_sw_if) if output else int(rec(b, BUFFER).rx_sw_if)


@routine
def time_exceeded(b: int, error: int) -> None:
    """The packet goes no further, and its sender is told."""
    m = rec(b, BUFFER)
    m.error = error
    m.icmp_type = TIME_EXCEEDED
    m.icmp_code = GIVEN_UP_BEHIND
    m.icmp_data = 0
    m.tx_sw_if = -1
