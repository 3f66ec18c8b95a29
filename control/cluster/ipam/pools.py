"""All pools of a cluster, and from them what any node has: its own addresses and, just the same, another node's."""

from __future__ import annotations

from dataclasses import dataclass

from vectorplane.control.cluster.ipam.arithmetic import Ip, IpInterface, Network, address_at, in_network
from vectorplane.control.cluster.ipam.contiv_cidr import split
from vectorplane.control.cluster.ipam.error import IpamError
from vectorplane.control.cluster.ipam.pod_subnet import PodSubnet
from vectorplane.control.cluster.ipam.settings import IpamSettings
from vectorplane.control.cluster.ipam.shares import Addresses, Subnets

_VPP_END, _LINUX_END = 1, 2
"""Places in a node's subnet for the link between VPP and its host."""


@dataclass(frozen=True)
class Pools:
    """Where each kind of address comes from. None: there is no such pool."""

    pods: Subnets
    vpp_host: Subnets
    interconnect: Addresses | None
    vxlan: Addresses | None
    services: Network | None

    def pod_subnet(self, node: int) -> PodSubnet:
        """The pods' subnet of a node. Raises IpamError: its id is out of range."""
        return PodSubnet(self.pods.of(node))

    def host_subnet(self, node: int) -> Network:
        """The subnet of the link between a node's VPP and its host. Raises IpamError: its id is out of range."""
        return self.vpp_host.of(node)

    def host_link_vpp(self, node: int) -> IpInterface:
        """VPP's end of that link. Raises IpamError: its id is out of range."""
        return self._host_link(node, _VPP_END)

    def host_link_linux(self, node: int) -> IpInterface:
        """The host's end of that link. Raises IpamError: its id is out of range."""
        return self._host_link(node, _LINUX_END)

    def node_address(self, node: int) -> IpInterface:
        """The address of a node's main interface.

        Raises:
            IpamError: its id is out of range, or addresses of nodes are not computed.
        """
        if self.interconnect is None:
            raise IpamError("node_interconnect_cidr", "is not given: addresses of nodes are configured or come by DHCP")
        return self.interconnect.of(node)

    def vxlan_address(self, node: int) -> IpInterface:
        """The address that a node has inside the VXLAN overlay.

        Raises:
            IpamError: its id is out of range, or there is no pool for these.
        """
        if self.vxlan is None:
            raise IpamError("vxlan_cidr", "is not given")
        return self.vxlan.of(node)

    @property
    def most_nodes(self) -> int:
        """The highest node id that every pool has something for."""
        shares = (self.pods, self.vpp_host, self.interconnect, self.vxlan)
        return min(share.most for share in shares if share is not None)

    def _host_link(self, node: int, place: int) -> IpInterface:
        network = self.host_subnet(node)
        return in_network(network, address_at(network, place))


def lay_out(settings: IpamSettings, gateway: Ip | None = None) -> Pools:
    """The pools, not checked against each other; `check.pools_of` does both. ``gateway``: instead of the settings' own.

    Raises:
        IpamError: a field is missing, or ``contiv_cidr`` is too small.
    """
    excluded = gateway or settings.default_gateway
    block = settings.contiv_cidr
    if block is not None:
        parts = split(block)
        of_nodes = settings.node_interconnect_cidr
        if of_nodes is None and not settings.node_interconnect_dhcp:
            interconnect: Addresses | None = Addresses("contiv_cidr", parts.interconnect, excluded)
        else:
            interconnect = _addresses("node_interconnect_cidr", of_nodes, excluded)
        return Pools(
            pods=Subnets("contiv_cidr", "contiv_cidr", parts.pods, parts.one_node),
            vpp_host=Subnets("contiv_cidr", "contiv_cidr", parts.vpp_host, parts.one_node),
            interconnect=interconnect,
            vxlan=Addresses("contiv_cidr", parts.vxlan),
            services=settings.service_cidr,
        )
    return Pools(
        pods=_subnets(settings, "pod_subnet"),
        vpp_host=_subnets(settings, "vpp_host_subnet"),
        interconnect=_addresses("node_interconnect_cidr", settings.node_interconnect_cidr, excluded),
        vxlan=_addresses("vxlan_cidr", settings.vxlan_cidr),
        services=settings.service_cidr,
    )


def _addresses(field: str, network: Network | None, excluded: Ip | None = None) -> Addresses | None:
    return None if network is None else Addresses(field, network, excluded)


def _subnets(settings: IpamSettings, name: str) -> Subnets:
    whole, length = f"{name}_cidr", f"{name}_one_node_prefix_len"
    for field in (whole, length):
        if getattr(settings, field) is None:
            raise IpamError(field, "is missing: a cluster of IPv6 has no default")
    return Subnets(whole, length, getattr(settings, whole), getattr(settings, length))
