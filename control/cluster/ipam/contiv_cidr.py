"""One block cut into all pools of a cluster (Contiv-VPP's ContivCIDR), so that there is one number to choose.

By bits behind the prefix, which are the same for IPv4 and IPv6: the first 2^16 addresses are pods', the second VPP's
links to its hosts, both 2^7 for a node; then 2^9 for the nodes and 2^9 for VXLAN, which is enough for the 512 nodes.
"""

from __future__ import annotations

from dataclasses import dataclass

from vectorplane.control.cluster.ipam.arithmetic import Network, host_bits, subnet_at
from vectorplane.control.cluster.ipam.error import IpamError

LEAST_BITS = 18
_WIDE, _NARROW, _NODE = 16, 9, 7


@dataclass(frozen=True)
class Parts:
    """The pools, and the prefix length of one node's share of the first two."""

    pods: Network
    vpp_host: Network
    interconnect: Network
    vxlan: Network
    one_node: int


def split(block: Network) -> Parts:
    """The parts of a block.

    Raises:
        IpamError: it is too small.
    """
    if host_bits(block) < LEAST_BITS:
        longest = block.max_prefixlen - LEAST_BITS
        raise IpamError("contiv_cidr", f"{block} is too small: expected a prefix length of at most {longest}")
    wide, narrow = block.max_prefixlen - _WIDE, block.max_prefixlen - _NARROW
    behind = 2 << (_WIDE - _NARROW)
    return Parts(
        pods=subnet_at(block, wide, 0),
        vpp_host=subnet_at(block, wide, 1),
        interconnect=subnet_at(block, narrow, behind),
        vxlan=subnet_at(block, narrow, behind + 1),
        one_node=block.max_prefixlen - _NODE,
    )
