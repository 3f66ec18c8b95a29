"""The node's network cards, and the way out of the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from vectorplane.backends.items import Interface, Item, Path
from vectorplane.control.cluster import names
from vectorplane.control.cluster.ipam.arithmetic import IpInterface
from vectorplane.control.cluster.ipnet.link import link, route
from vectorplane.control.cluster.ipnet.vrfs import ANYWHERE
from vectorplane.control.cluster.this_node import Nic, ThisNode


def main_address(node: ThisNode) -> IpInterface | None:
    """The node's address, where peers reach it; None: it has none (yet).

    Raises:
        IpamError: the node's id is out of range.
    """
    if node.nic is not None:
        return node.nic.address
    return None if node.ipam.pools.interconnect is None else node.ipam.pools.node_address(node.id)


def own_addresses(node: ThisNode) -> frozenset[object]:
    """All addresses of the node's cards."""
    found = [main_address(node), *(nic.address for nic in node.other_nics)]
    return frozenset(address.ip for address in found if address is not None)


def nics(node: ThisNode) -> Iterator[Item]:
    """The cards, in the main table, with the MTU that they have. A node without any has a loopback in their place."""
    if node.nic is None:
        yield from link(Interface(names.NO_NIC, "loopback"), node.settings.main_vrf, address=main_address(node))
    else:
        yield from _card(node, node.nic)
    for nic in node.other_nics:
        yield from _card(node, nic)


def default_route(node: ThisNode) -> Iterator[Item]:
    """The way out, if there are a card and a gateway; with an address by DHCP the server tells the gateway, too."""
    if node.nic is not None and not node.nic.dhcp and node.gateway is not None:
        yield route(node.settings.main_vrf, ANYWHERE, Path(str(node.gateway), node.nic.name))


def _card(node: ThisNode, nic: Nic) -> Iterator[Item]:
    return link(node.wiring.nic(nic.name), node.settings.main_vrf, mac=nic.mac, address=nic.address)
