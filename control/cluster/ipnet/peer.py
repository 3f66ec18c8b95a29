"""What leads to another node: a tunnel, or routes by its address in the nodes' network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from vectorplane.backends.devices import options
from vectorplane.backends.items import BridgePort, Interface, InterfaceUp, Item, L2FibEntry, Neighbour, Path
from vectorplane.control.cluster import names
from vectorplane.control.cluster.ipam.arithmetic import Ip, Network
from vectorplane.control.cluster.ipam.error import IpamError
from vectorplane.control.cluster.ipnet import macs
from vectorplane.control.cluster.ipnet.link import route
from vectorplane.control.cluster.ipnet.nic import main_address, own_addresses
from vectorplane.control.cluster.ipnet.vrfs import pod_routes
from vectorplane.control.cluster.peers import Peer
from vectorplane.control.cluster.this_node import ThisNode


class Way(NamedTuple):
    """The table that leads to a node, and how; the node's name."""

    table: int
    path: Path
    name: str


def peer_items(node: ThisNode, peer: Peer) -> Iterator[Item]:
    """All that leads to a node that is `reachable`.

    Raises:
        IpamError: nothing can lead there: its id is out of range, or its address is ours or of another IP version.
    """
    if node.overlay:
        yield from _tunnel(node, peer)
    table, path, _ = way(node, peer)
    for to in _subnets(node, peer):
        yield route(table, to, path)
    for address in _management(peer):
        if str(address) != path.via:
            yield route(table, address, path)
            if node.overlay and address not in peer.addresses:
                # that of the tunnel's end must stay where the tunnel's own packets find it
                yield route(node.settings.main_vrf, address, Path(table=node.settings.pod_vrf))


def remote_pod_items(node: ThisNode, by: Way, address: Ip) -> Iterator[Item]:
    """What leads to one pod of a node, if its address does not tell its node (external IPAM)."""
    yield route(by.table, address, by.path)
    if node.overlay:
        yield from pod_routes(node, address)
    elif address in node.ipam.pod_subnet.network:  # where the pods' table would look for it itself
        yield route(node.settings.pod_vrf, address, Path(table=node.settings.main_vrf))


def way(node: ThisNode, peer: Peer) -> Way:
    """The way to a node. Raises IpamError: as `peer_items`."""
    remote = _address(node, peer)
    if node.overlay:
        next_hop = node.ipam.pools.vxlan_address(peer.id).ip
        return Way(node.settings.pod_vrf, Path(str(next_hop), names.BVI), peer.name)
    return Way(node.settings.main_vrf, Path(str(remote)), peer.name)


def _address(node: ThisNode, peer: Peer) -> Ip:
    """Where it is in the nodes' network."""
    local, remote = _local(node), peer.addresses[0]
    if remote in own_addresses(node):
        raise IpamError("ip_addresses", f"node {peer.name} has the address {remote}, as node {node.name} itself")
    if remote.version != local.version:
        raise IpamError("ip_addresses", f"node {peer.name} has {remote}, unlike {local} of node {node.name}")
    return remote


def _local(node: ThisNode) -> Ip:
    """This node's own address there."""
    address = main_address(node)
    assert address is not None, "a node without an address has no peers"
    return address.ip


def _subnets(node: ThisNode, peer: Peer) -> Iterator[Network]:
    pools = node.ipam.pools
    if not node.ipam.external:
        yield pools.pod_subnet(peer.id).network
    yield pools.host_subnet(peer.id)


def _management(peer: Peer) -> Iterator[Ip]:
    return (address for address in peer.management if address.version == peer.addresses[0].version)


def _tunnel(node: ThisNode, peer: Peer) -> Iterator[Item]:
    settings, name, mac = node.settings, names.tunnel(peer.id), macs.bvi(peer.id)
    ends = options("vxlan", src=_local(node), dst=_address(node, peer), vni=settings.vni, table=settings.main_vrf)
    yield Interface(name, "vxlan", ends)
    yield BridgePort(name, names.BRIDGE_DOMAIN_ID, shg=names.SPLIT_HORIZON_GROUP)
    yield InterfaceUp(name)
    yield L2FibEntry(names.BRIDGE_DOMAIN_ID, mac, name)
    yield Neighbour(names.BVI, node.ipam.pools.vxlan_address(peer.id).ip, mac)
