"""A node's pod subnet: which of its addresses pods may have, and which are VPP's."""

from __future__ import annotations

from dataclasses import dataclass

from vectorplane.control.cluster.ipam.arithmetic import Ip, IpInterface, Network, address_at, host_bits, in_network

LEAST_BITS = 3
"""With fewer bits behind the prefix there is none left for a pod."""
GATEWAY = 1
"""The gateway's place."""


@dataclass(frozen=True)
class PodSubnet:
    """The pods' subnet of a node, or of a node in a custom network."""

    network: Network

    @property
    def gateway(self) -> Ip:
        """Every pod's default gateway: the first address behind the network's own."""
        return address_at(self.network, GATEWAY)

    @property
    def gateway_interface(self) -> IpInterface:
        """The gateway as the address of the loopback that the pods' interfaces borrow it from."""
        return in_network(self.network, self.gateway)

    @property
    def nat_loopback(self) -> Ip:
        """Stands for a client that is its own service backend: the last address that is not the broadcast address.

        Else the backend's reply would go from the pod to itself, not through VPP, and stay untranslated.
        """
        return address_at(self.network, self.last + 1)

    @property
    def first(self) -> int:
        """The place of the first address for pods."""
        return GATEWAY + 1

    @property
    def last(self) -> int:
        """The place of the last address for pods."""
        return int((1 << host_bits(self.network)) - 3)

    @property
    def size(self) -> int:
        """How many pods it has addresses for."""
        return max(0, self.last - self.first + 1)
