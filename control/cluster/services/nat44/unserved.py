"""Routes for addresses of services that nothing serves here. What is served is translated before a route is looked for.

Contiv-VPP has none, so such packets leave by the default route, with the node's address as their source.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network

from vectorplane.backends.items import Item, Path, Route
from vectorplane.control.cluster.ipam.arithmetic import alone
from vectorplane.control.cluster.services.record import Purpose, ServiceRecord
from vectorplane.control.cluster.this_node import ThisNode


def cluster_routes(node: ThisNode) -> Iterator[Item]:
    """Cluster IPs: clients are told. (kube-proxy refuses the connection.)"""
    services = node.settings.ipam.service_cidr
    if isinstance(services, IPv4Network):
        yield Route(services, (Path(action="unreachable"),), node.settings.main_vrf)


def external_routes(node: ThisNode, service: ServiceRecord) -> Iterator[Item]:
    """External addresses: packets are dropped ("Service Traffic Policy", Kubernetes' documentation).

    With the policy Local, and backends on other nodes alone, kube-proxy would serve this node's pods all the same. A
    mapping does not know where a client is, so they are dropped, too.
    An address of a node stays that: there is more to reach there.
    """
    for entry in service.entries:
        address = entry.address
        if entry.purpose is Purpose.EXTERNAL and address is not None and not (entry.backends or entry.on_node):
            yield Route(alone(address), (Path(action="blackhole"),), node.settings.main_vrf)
