"""What the other ends of a node's links have to be configured with: the pods and the host."""

from __future__ import annotations

from dataclasses import dataclass

from vectorplane.control.cluster.ipam.arithmetic import Ip, IpInterface, Network, alone, in_network
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.ipnet import macs
from vectorplane.control.cluster.this_node import LocalPod, ThisNode

POD_DEVICE = "eth0"
HOST_DEVICE = "vpp1"


@dataclass(frozen=True)
class PodEnd:
    """A pod's end of its link.

    interface: VPP's end. address: /32, nothing is on its link but the gateway, which all else goes by. The gateway's
    MAC is a static neighbour: each pod knows the one address by another MAC, that of VPP's end of its own link.
    """

    pod: PodId
    interface: str
    namespace_path: str
    mac: str
    address: IpInterface
    gateway: Ip
    gateway_mac: str
    mtu: int
    device: str = POD_DEVICE


@dataclass(frozen=True)
class HostEnd:
    """The host's end of the link to VPP, and its routes: prefixes that go by ``gateway``, VPP's end."""

    mac: str
    address: IpInterface
    gateway: Ip
    routes: tuple[Network, ...]
    mtu: int
    device: str = HOST_DEVICE


def pod_end(node: ThisNode, pod: LocalPod) -> PodEnd:
    """What a pod of this node is configured with."""
    return PodEnd(
        pod=pod.id,
        interface=pod.interface,
        namespace_path=pod.namespace_path,
        mac=macs.pod_end(pod.container),
        address=in_network(alone(pod.address), pod.address),
        gateway=node.ipam.pod_subnet.gateway,
        gateway_mac=macs.pod_link(pod.container),
        mtu=node.settings.mtu,
    )


def host_end(node: ThisNode) -> HostEnd:
    """What the node's host is configured with: pods go by VPP, and services if the settings say so."""
    pools = node.ipam.pools
    routes = [pools.pods.whole]
    if node.settings.route_service_cidr_to_vpp and pools.services is not None:
        routes.append(pools.services)
    return HostEnd(
        mac=macs.host_end(node.id),
        address=pools.host_link_linux(node.id),
        gateway=pools.host_link_vpp(node.id).ip,
        routes=tuple(routes),
        mtu=node.settings.mtu,
    )
