"""The checks of packets to this router (see `ip4_local`): transport checksums, and routes back to the source.

`UNKNOWN_PROTOCOL` stands for "no error so far", as in VPP.
"""

from __future__ import annotations

from vectorplane.dataplane.buffer import BUFFER, L4_CHECKSUM_COMPUTED, L4_CHECKSUM_CORRECT, OFFLOAD_L4_CHECKSUM
from vectorplane.graph_nodes.errors4 import (
    SPOOFED_LOCAL_PACKETS,
    SRC_LOOKUP_MISS,
    TCP_CHECKSUM,
    UDP_CHECKSUM,
    UNKNOWN_PROTOCOL,
)
from vectorplane.graph_nodes.forwarding import (
    DPO,
    DPO_ADJACENCY,
    DPO_ADJACENCY_INCOMPLETE,
    DPO_GLEAN,
    DPO_LOAD_BALANCE,
    DPO_MIDCHAIN,
    DPO_PATH_MTU,
    DPO_RECEIVE,
    DPO_SIZE,
    LB_SIZE,
    LOAD_BALANCE,
)
from vectorplane.graph_nodes.ip4_header import LENGTH, PROTOCOL
from vectorplane.graph_nodes.l4_checksum import l4_sum
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import be16, ld8, ld16, rec

_TCP, _UDP = 6, 17


@helper
def l4_error(worker: int, b: int, ip: int, header: int) -> int:
    """Which error the checksum of a TCP or UDP packet gives it; `UNKNOWN_PROTOCOL` (VPP's "so far none")."""
    m = rec(b, BUFFER)
    protocol = ld8(ip + PROTOCOL)
    if protocol != _TCP and protocol != _UDP:
        return UNKNOWN_PROTOCOL
    wrong = UDP_CHECKSUM if protocol == _UDP else TCP_CHECKSUM
    if m.flags & OFFLOAD_L4_CHECKSUM:
        return UNKNOWN_PROTOCOL
    if m.flags & L4_CHECKSUM_COMPUTED:
        return UNKNOWN_PROTOCOL if m.flags & L4_CHECKSUM_CORRECT else wrong
    m.flags |= L4_CHECKSUM_COMPUTED
    total = be16(ip + LENGTH)
    if protocol == _UDP:
        if m.current_length < header + 8:
            return wrong
        if ld16(ip + header + 6) == 0:
            m.flags |= L4_CHECKSUM_CORRECT
            return wrong if be16(ip + header + 4) > total else UNKNOWN_PROTOCOL
        if be16(ip + header + 4) > total:
            return wrong
    if l4_sum(worker, b, ip, header, total - header) != 0xFFFF:
        return wrong
    m.flags |= L4_CHECKSUM_CORRECT
    return UNKNOWN_PROTOCOL


@helper
def way_out(kind: int) -> bool:
    """Does a data-path object of this type lead to an interface?"""
    if kind == DPO_ADJACENCY or kind == DPO_ADJACENCY_INCOMPLETE or kind == DPO_GLEAN:
        return True
    return kind == DPO_MIDCHAIN or kind == DPO_LOAD_BALANCE or kind == DPO_RECEIVE or kind == DPO_PATH_MTU


@helper
def source_error(lb_index: int, lbs: int, buckets: int) -> int:
    """Which error the route back to the source gives a packet; `UNKNOWN_PROTOCOL`: none so far.

    `SRC_LOOKUP_MISS` when no bucket leads to an interface (VPP: the uRPF list of the load-balance is empty).
    """
    lb = rec(lbs + lb_index * LB_SIZE, LOAD_BALANCE)
    kind = lb.type
    n_minus_1 = lb.n_minus_1
    if n_minus_1 != 0:
        kind = rec(buckets + lb.buckets * DPO_SIZE, DPO).type
    if kind == DPO_RECEIVE:
        return SPOOFED_LOCAL_PACKETS
    if way_out(kind):
        return UNKNOWN_PROTOCOL
    for k in range(1, n_minus_1 + 1):
        if way_out(rec(buckets + (lb.buckets + k) * DPO_SIZE, DPO).type):
            return UNKNOWN_PROTOCOL
    return SRC_LOOKUP_MISS
