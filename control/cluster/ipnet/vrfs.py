"""The two tables of a node, the pods' gateway, and what leads from one table to the other."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from vectorplane.backends.items import Interface, Item, Path, Table
from vectorplane.control.cluster import names
from vectorplane.control.cluster.ipam.arithmetic import Ip, Network
from vectorplane.control.cluster.ipnet.link import link, route
from vectorplane.control.cluster.this_node import ThisNode

ANYWHERE = IPv4Network("0.0.0.0/0")


def tables(node: ThisNode) -> Iterator[Item]:
    """The main table and the pods', and the loopback whose address all pods have as their gateway."""
    for number in (node.settings.main_vrf, node.settings.pod_vrf):
        if number:  # table 0 is always there
            yield Table(number)
    gateway = node.ipam.pod_subnet.gateway_interface
    yield from link(Interface(names.POD_GATEWAY, "loopback"), node.settings.pod_vrf, address=gateway)


def to_pods(node: ThisNode) -> tuple[Network, ...]:
    """What the main table leaves to the pods'.

    With an overlay the pods' table knows the way to all nodes; without one other nodes are in the main table.
    """
    if not node.overlay:
        return (node.ipam.pod_subnet.network,)
    return (node.ipam.pools.pods.whole, node.ipam.pools.vpp_host.whole)


def pod_routes(node: ThisNode, address: Ip) -> Iterator[Item]:
    """The way from the main table to a pod whose address is not in `to_pods`: external IPAM may give any.

    Without an overlay each pod has one: other nodes' pods have theirs in the same table, and an address that moves from
    node to node is this node's as long as its pod is here.
    """
    apart = node.ipam.external and not node.overlay
    if apart or not any(address in network for network in to_pods(node)):
        yield route(node.settings.main_vrf, address, Path(table=node.settings.pod_vrf))


def between(node: ThisNode) -> Iterator[Item]:
    """What one table leaves to the other.

    What the pods' table does not know it leaves to the main table, which would send a pod's address that nobody has
    back again: so with an overlay the pods' table drops what is left of the pods' and hosts' pools.
    """
    main, pods = node.settings.main_vrf, node.settings.pod_vrf
    yield route(pods, ANYWHERE, Path(table=main))
    yield route(pods, node.ipam.host_subnet, Path(table=main))
    for network in to_pods(node):
        yield route(main, network, Path(table=pods))
        if node.overlay and network != node.ipam.pod_subnet.network:  # with external IPAM it may be all of the pool
            yield route(pods, network, Path(action="blackhole"))
