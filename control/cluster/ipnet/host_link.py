"""The link to the node's own host, and what leads to the host over it."""

from __future__ import annotations

from collections.abc import Iterator

from vectorplane.backends.items import Item, Path
from vectorplane.control.cluster import names
from vectorplane.control.cluster.ipnet import macs
from vectorplane.control.cluster.ipnet.link import link, route
from vectorplane.control.cluster.ipnet.nic import own_addresses
from vectorplane.control.cluster.this_node import ThisNode


def host_link(node: ThisNode) -> Iterator[Item]:
    """VPP's end of the link, in the main table, and a route to each address of the host's own interfaces.

    The other end's MAC is not told: ARP finds it. Addresses of another IP version, and those that VPP's own interfaces
    have, are left out.
    """
    pools, settings = node.ipam.pools, node.settings
    ours, theirs = pools.host_link_vpp(node.id), pools.host_link_linux(node.id).ip
    yield from link(
        node.wiring.host_link(names.HOST_LINK),
        settings.main_vrf,
        mac=macs.host_link(node.id),
        mtu=settings.mtu,
        address=ours,
    )
    known = own_addresses(node) | {ours.ip, theirs}
    for address in node.host_addresses:
        if address.version == theirs.version and address not in known:
            yield route(settings.main_vrf, address, Path(str(theirs), names.HOST_LINK))
