"""Addresses of pods' custom interfaces, and custom networks that have addresses of their own.

Kubernetes reports one address of a pod. Those of its other interfaces are nowhere to be found again after a restart, so
they are written down: one record for each pod, of the shape that Contiv-VPP stores below ``custom-ipam/<pod>/<ns>``.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vectorplane.control.cluster.ipam.arithmetic import Network, host_bits
from vectorplane.control.cluster.ipam.error import IpamError
from vectorplane.control.cluster.ipam.pod import Holder, PodId
from vectorplane.control.cluster.ipam.pod_subnet import LEAST_BITS, PodSubnet
from vectorplane.control.cluster.ipam.shares import Subnets
from vectorplane.control.config_types import Address, Model

DEFAULT_NETWORK = "default"
STUB_NETWORK = "stub"
"""Interfaces in it have no address."""


class CustomInterface(Model):
    """A custom interface with an address."""

    name: str
    network: str = DEFAULT_NETWORK
    ip_address: Address


class CustomInterfaces(Model):
    """The record of a pod."""

    pod_name: str
    pod_namespace: str
    custom_interfaces: Annotated[tuple[CustomInterface, ...], Field(strict=False)] = ()

    @property
    def pod(self) -> PodId:
        """Whose record it is."""
        return PodId(self.pod_namespace, self.pod_name)

    def holder(self, interface: CustomInterface) -> Holder:
        """One of its interfaces, as pools know it."""
        return Holder(self.pod, interface.name)


def network_pool(name: str, whole: Network, length: int) -> Subnets:
    """The pods' subnets of a custom network. ``whole``: all of them; ``length``: of the prefix of each.

    Raises:
        IpamError: the name is taken, or the lengths do not fit.
    """
    if name in (DEFAULT_NETWORK, STUB_NETWORK):
        raise IpamError("network", f"the name {name} is taken")
    low, high = whole.prefixlen + 1, whole.max_prefixlen - LEAST_BITS
    if not low <= length <= high:
        field, room = f"{name}.subnet_one_node_prefix_len", host_bits(whole)
        reason = f"{whole} is too small" if low > high else f"expected {low} to {high}, got {length}"
        raise IpamError(field, f"{reason} (there are {room} bits behind the prefix of {whole})")
    return Subnets(f"{name}.subnet_cidr", f"{name}.subnet_one_node_prefix_len", whole, length)


def subnet_of(pool: Subnets, node: int) -> PodSubnet:
    """A node's pod subnet in a custom network. Raises IpamError: the node's id is out of range."""
    return PodSubnet(pool.of(node))
