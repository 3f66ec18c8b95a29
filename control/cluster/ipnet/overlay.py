"""The node's end of the VXLAN overlay: a bridge domain of tunnels, and its own interface in it."""

from __future__ import annotations

from collections.abc import Iterator

from vectorplane.backends.items import BridgeDomain, BridgePort, Interface, Item
from vectorplane.control.cluster import names
from vectorplane.control.cluster.ipnet import macs
from vectorplane.control.cluster.ipnet.link import link
from vectorplane.control.cluster.this_node import ThisNode


def overlay(node: ThisNode) -> Iterator[Item]:
    """The domain neither learns nor floods: every node's MAC and tunnel are told (`peer`).

    All ports are in one split-horizon group, so nothing goes from tunnel to tunnel; frames of the domain's own
    interface are in none, and those for it do not leave by a port.

    Raises:
        IpamError: the node's id is out of range.
    """
    yield BridgeDomain(names.BRIDGE_DOMAIN_ID, flood=False, uu_flood=False, learn=False, tag=names.BRIDGE_DOMAIN)
    yield from link(
        Interface(names.BVI, "bvi"),
        node.settings.pod_vrf,
        mac=macs.bvi(node.id),
        mtu=node.settings.mtu,
        address=node.ipam.pools.vxlan_address(node.id),
    )
    yield BridgePort(names.BVI, names.BRIDGE_DOMAIN_ID, "bvi", names.SPLIT_HORIZON_GROUP)
