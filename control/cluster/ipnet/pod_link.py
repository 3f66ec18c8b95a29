"""The link to a pod of this node."""

from __future__ import annotations

from collections.abc import Iterator

from vectorplane.backends.items import Item, Neighbour, Path, Unnumbered
from vectorplane.control.cluster import names
from vectorplane.control.cluster.ipnet import macs
from vectorplane.control.cluster.ipnet.link import link, route
from vectorplane.control.cluster.ipnet.vrfs import pod_routes
from vectorplane.control.cluster.this_node import LocalPod, ThisNode


def pod_items(node: ThisNode, pod: LocalPod) -> Iterator[Item]:
    """VPP's end of the link, with the gateway's address, and what leads to the pod."""
    settings, name = node.settings, pod.interface
    yield from link(node.wiring.pod(pod), settings.pod_vrf, mac=macs.pod_link(pod.container), mtu=settings.mtu)
    yield Unnumbered(name, names.POD_GATEWAY)
    yield route(settings.pod_vrf, pod.address, Path(str(pod.address), name))
    yield Neighbour(name, pod.address, macs.pod_end(pod.container))
    yield from pod_routes(node, pod.address)
