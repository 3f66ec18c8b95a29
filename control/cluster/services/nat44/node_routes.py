"""Routes to nodes, whose addresses may be external ones of mappings: of node ports, and of services that say so.

Such an address becomes VPP's own: nat44-ed makes a receive route for it in the table of every outside interface, so
that it answers ARP, and may keep it when the mapping is gone (VPP does of load-balanced ones). That route comes behind
all that are configured. Without one of these packets for other nodes, and of pods for their own host, would end here.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from vectorplane.backends.items import Path, Route
from vectorplane.control.cluster.ipam.arithmetic import alone
from vectorplane.control.cluster.services.nat44.node import default_interface
from vectorplane.control.cluster.services.node_addresses import AtNode
from vectorplane.control.cluster.this_node import ThisNode


def routes_to(node: ThisNode, at: AtNode) -> Iterator[Route]:
    """For the addresses of a node. Those of other hosts behind the overlay have routes with the overlay."""
    main, pods = node.settings.main_vrf, node.settings.pod_vrf
    for address in () if at.mine else at.vpp:
        path = _path(node, address)
        if path is not None:
            yield Route(alone(address), (path,), main)
    to_main = at.management if at.mine else at.vpp if node.overlay else at.addresses
    for address in to_main:
        yield Route(alone(address), (Path(table=main),), pods)


def _path(node: ThisNode, address: IPv4Address) -> Path | None:
    for nic in (node.nic, *node.other_nics):
        if nic is not None and nic.address is not None and address in nic.address.network:
            return Path(via=str(address), interface=nic.name)
    out = default_interface(node)
    if out is None or node.gateway is None:
        return None
    return Path(via=str(node.gateway), interface=out.name)
