"""Which worker a flow belongs to: the one that has its session, else by a hash that both directions have in common.

That is the external endpoint, and of the outside port what its translation keeps (see `ports`). So what could be in
each other's way (two sessions that want one outside port towards one endpoint) meets on one worker, in the order of
arrival there: what becomes of packets does not depend on how many workers there are.
"""

from __future__ import annotations

from vectorplane.graph_nodes.nat44.nat import NAT
from vectorplane.graph_nodes.nat44.ports import CLASSES, PARTITIONS
from vectorplane.graph_nodes.nat44.session import P_ICMP, P_TCP, P_UDP
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import bswap16, mul, rec, shr

_FIRST, _SECOND = 0x5851F42D4C957F2D, 0x2545F4914F6CDD1D


@helper
def partition_of(nat: int, endpoint: int, endpoint_port: int, port: int, proto: int) -> int:
    """The part (0 .. `PARTITIONS` - 1) of a flow with an external endpoint; ``port``: the outside one."""
    far = 0
    near = 0
    if proto == P_TCP or proto == P_UDP:
        far = endpoint_port
        near = bswap16(port) & (CLASSES - 1)
    elif proto == P_ICMP:
        near = bswap16(port) & (CLASSES - 1)
    h = mul(endpoint ^ rec(nat, NAT).seed, _FIRST)
    h = mul(h ^ shr(h, 32) ^ (proto | near << 8 | far << 16), _SECOND)
    return shr(h, 40) & (PARTITIONS - 1)


@helper
def partition(nat: int, addresses: int, ports: int, proto: int) -> int:
    """That of a packet from outside."""
    return partition_of(nat, addresses & 0xFFFFFFFF, ports & 0xFFFF, (ports >> 16) & 0xFFFF, proto)
