"""Addresses of nodes that policies have to know."""

from __future__ import annotations

from vectorplane.control.cluster.ipam.arithmetic import Ip, Network
from vectorplane.control.cluster.peers import peer, peers
from vectorplane.control.cluster.policies.nets import Net, contains, host, net
from vectorplane.control.cluster.state import ClusterState
from vectorplane.control.cluster.this_node import ThisNode


class Nodes:
    """What is known of the nodes at one time.

    own: all addresses of this node, VPP's and the host's. Between it and its pods nothing is denied (Kubernetes:
        "traffic to and from the node where a Pod is running is always allowed").
    loopback: stands for a pod that is served by itself.
    node_ports: the addresses at which node ports are translated here: this node's, and others' only if the settings
        say so; is it this node's? What is sent to others leaves as for any other address, as it does with kube-proxy.
    hosts: where other nodes' hosts are reached.
    """

    def __init__(self, node: ThisNode, state: ClusterState) -> None:
        self.own = _own(node, state)
        self.loopback = host(node.ipam.pod_subnet.nat_loopback)
        known = peers(state)
        at = [p for p in known if p.id == node.id or node.settings.remote_node_ports]
        addresses = dict.fromkeys(host(a) for p in at for a in (*p.addresses, *p.management))
        self.node_ports = {address: address in self.own for address in addresses}
        pools: list[Network] = [
            node.ipam.pools.pods.whole,
            node.ipam.pools.vpp_host.whole,
            node.ipam.pod_subnet.network,
        ]
        pools += [n.pod_CIDR for n in state.nodes.values() if n.pod_CIDR is not None and node.ipam.external]
        self._pools = tuple(dict.fromkeys(map(net, pools)))
        self.hosts = {host(a) for p in known if p.id != node.id for a in p.management}
        self._overlay = node.overlay

    def like(self, other: Nodes) -> bool:
        """Is this node the same, whatever others there are?"""
        mine, theirs = ((n.own, n.loopback, n._pools) for n in (self, other))
        return mine == theirs

    def blockable(self, address: Net) -> bool:
        """Can what pods send to an address be told by its sender where it leaves?

        What goes to a network card of a node with an overlay has the node's address as its source by then.
        """
        return not self._overlay or address in self.hosts or any(contains(pool, address) for pool in self._pools)


def _own(node: ThisNode, state: ClusterState) -> frozenset[Net]:
    pools = node.ipam.pools
    own: list[Ip] = [
        node.ipam.pod_subnet.gateway,
        pools.host_link_vpp(node.id).ip,
        pools.host_link_linux(node.id).ip,
        *node.host_addresses,
        *(nic.address.ip for nic in (node.nic, *node.other_nics) if nic is not None and nic.address is not None),
    ]
    if pools.vxlan is not None and node.overlay:
        own.append(pools.vxlan_address(node.id).ip)
    here = peer(state, node.id)
    if here is not None and here.name == node.name:
        own += (*here.addresses, *here.management)
    elif node.name in state.nodes:
        own += state.nodes[node.name].management
    return frozenset(map(host, own))
