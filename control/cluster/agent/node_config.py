"""What is configured for one node: its cards and its way out."""

from __future__ import annotations

from dataclasses import dataclass

from vectorplane.control.cluster.ipam.arithmetic import Ip, IpInterface
from vectorplane.control.cluster.ipam.error import IpamError
from vectorplane.control.cluster.ipam.pools import Pools
from vectorplane.control.cluster.ipam.settings import IpamSettings
from vectorplane.control.cluster.this_node import Nic


@dataclass(frozen=True)
class NodeConfig:
    """Of one node. The agent is told when it changes (`Agent.configure`), also when DHCP gave another address.

    nic: the main interface; None: there is none, a loopback stands for it.
    address: of the main interface; None: it is computed, unless addresses come by DHCP: then it has none yet.
    leased: the address is one that DHCP gave, which gives the default route, too.
    mac: of the main interface; None: the card's own.
    gateway: instead of the settings' ``default_gateway``, which keeps its place among the nodes' addresses.
    host_addresses: addresses of the host's own interfaces.
    """

    nic: str | None = None
    address: IpInterface | None = None
    leased: bool = False
    mac: str | None = None
    other_nics: tuple[Nic, ...] = ()
    gateway: Ip | None = None
    host_addresses: tuple[Ip, ...] = ()

    def __post_init__(self) -> None:
        if self.address is not None and self.nic is None:
            raise IpamError("address", f"{self.address} is for the main interface, but there is none (nic)")

    def address_of(self, settings: IpamSettings, pools: Pools, node: int) -> IpInterface | None:
        """The address of the main interface. A configured one beats DHCP, which beats a computed one.

        Raises:
            IpamError: the node's id is out of range.
        """
        if self.address is not None:
            return self.address
        if settings.node_interconnect_dhcp or pools.interconnect is None:
            return None
        return pools.node_address(node)

    def nic_of(self, settings: IpamSettings, address: IpInterface | None) -> Nic | None:
        """The main interface with that address."""
        if self.nic is None:
            return None
        by_dhcp = self.leased or (settings.node_interconnect_dhcp and self.address is None)
        return Nic(self.nic, address, by_dhcp, self.mac)
