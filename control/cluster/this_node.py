"""What an agent knows of its own node, which no other node needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from vectorplane.backends.items import Interface
from vectorplane.control.cluster import names
from vectorplane.control.cluster.ipam.arithmetic import Ip, IpInterface
from vectorplane.control.cluster.ipam.ipam import Ipam
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.settings import ClusterSettings


@dataclass(frozen=True)
class LocalPod:
    """A pod that runs here and is to be connected. ``container``: of its sandbox; ``address``: from IPAM."""

    id: PodId
    container: str
    address: Ip
    namespace_path: str = ""
    """The network namespace that its end of the link is in; empty for a simulated pod."""

    @property
    def interface(self) -> str:
        """VPP's end of the link to it."""
        return names.pod_interface(self.container)


@dataclass(frozen=True)
class Nic:
    """A network card of the node.

    address: None: it has none (yet). dhcp: it comes by DHCP, and so does the default route. mac: None: the card's own.
    """

    name: str
    address: IpInterface | None = None
    dhcp: bool = False
    mac: str | None = None


class Wiring(Protocol):
    """How the links of this node are made: of simulated cards, taps or real cards. Names are given; devices are not."""

    def nic(self, name: str) -> Interface:
        """A network card."""
        ...

    def host_link(self, name: str) -> Interface:
        """The link to the node's own host."""
        ...

    def pod(self, pod: LocalPod) -> Interface:
        """The link to a pod."""
        ...


@dataclass
class ThisNode:
    """The node that an agent is of. ``pods`` changes as pods come and go; the rest at a resync only.

    nic: the main interface; None: there is none, a loopback stands for it.
    other_nics: further cards in the main table.
    gateway: the default gateway; None: there is none.
    host_addresses: addresses of the host's own interfaces (its management addresses among them).
    """

    name: str
    id: int
    settings: ClusterSettings
    ipam: Ipam
    wiring: Wiring
    nic: Nic | None = None
    other_nics: tuple[Nic, ...] = ()
    gateway: Ip | None = None
    host_addresses: tuple[Ip, ...] = ()
    pods: dict[PodId, LocalPod] = field(default_factory=dict)

    @property
    def main_interface(self) -> str:
        """The name of the interface with the node's address."""
        return self.nic.name if self.nic is not None else names.NO_NIC

    @property
    def overlay(self) -> bool:
        """Are nodes joined by tunnels?"""
        return self.settings.transport == "vxlan"
