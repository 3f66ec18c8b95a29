"""Where addresses are: of this node's pods, of this node itself, or elsewhere."""

from __future__ import annotations

from ipaddress import IPv4Address

from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.peers import peer_named
from vectorplane.control.cluster.state import ClusterState
from vectorplane.control.cluster.this_node import ThisNode


class Places:
    """This node's addresses. `refresh` follows what the store says of them."""

    def __init__(self, node: ThisNode, state: ClusterState) -> None:
        self._node, self._state = node, state
        self._own: frozenset[Ip] = frozenset()
        self.refresh()

    def refresh(self) -> frozenset[Ip]:
        """Look again. Gives the addresses that are this node's now and were not, or the other way round."""
        node = self._node
        own: set[Ip] = {*node.host_addresses}
        own |= {nic.address.ip for nic in (node.nic, *node.other_nics) if nic is not None and nic.address is not None}
        me = peer_named(self._state, node.name)
        if me is not None:
            own |= {*me.addresses, *me.management}
        before, self._own = self._own, frozenset(own)
        return before ^ self._own

    def is_own(self, address: IPv4Address | None) -> bool:
        """Is it one of this node's own?"""
        return address in self._own

    def on_host(self, address: IPv4Address) -> bool:
        """Is it an address of this node itself, of its VPP or its host?"""
        return address in self._own and not self._of_pod(address)

    def local(self, address: IPv4Address) -> bool:
        """Is it on this node: of a pod, or the node's own? (Contiv-VPP: by the pod subnet.)"""
        return self._of_pod(address) or address in self._own

    def in_pools(self, address: IPv4Address) -> bool:
        """May a pod have it, or a host's end of a link? With external IPAM a pod may have any."""
        pools = self._node.ipam.pools
        return self._node.ipam.external or address in pools.pods.whole or address in pools.vpp_host.whole

    def _of_pod(self, address: IPv4Address) -> bool:
        return address in self._node.ipam.pod_subnet.network
