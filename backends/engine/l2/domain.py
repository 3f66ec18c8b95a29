"""A bridge domain and the ports of an engine, as the control side knows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from vectorplane.graph_nodes.l2 import features

NORMAL, BVI, UU_FWD = 0, 1, 2
"""Kinds of ports (numbers as in VPP's API)."""

NEW_DOMAIN = ~(features.ARP_TERM | features.UU_FWD | features.ARP_UFWD) & 0xFFFFFFFF
"""The features that a domain has on at first: all bits that are not named too, so that ports' own ones count."""


@dataclass
class Member:
    """A port in a domain's flood list."""

    sw_if_index: int
    shg: int
    is_bvi: bool
    flood_class: str


@dataclass
class Domain:
    """One bridge domain. ``id`` is the user's number, ``index`` the one in packets."""

    id: int
    index: int
    learn_limit: int
    feature_bitmap: int = NEW_DOMAIN
    mac_age: int = 0
    """Minutes; 0: entries do not age."""
    seq: int = 0
    tag: str = ""
    bvi: int = -1
    uu_fwd: int = -1
    members: list[Member] = field(default_factory=list)
    """In VPP's order: BVI, normal ports and tunnel masters, other tunnels, those that are not flooded to."""
    ip_macs: dict[IPv4Address | IPv6Address, bytes] = field(default_factory=dict)

    def has(self, feature: int) -> bool:
        """Is a feature on?"""
        return bool(self.feature_bitmap & feature)

    @property
    def learn(self) -> bool:
        """Are addresses learnt?"""
        return self.has(features.LEARN)

    @property
    def forward(self) -> bool:
        """Is known unicast forwarded?"""
        return self.has(features.FWD)

    @property
    def flood(self) -> bool:
        """Are broadcast and multicast flooded?"""
        return self.has(features.FLOOD)

    @property
    def uu_flood(self) -> bool:
        """Is unknown unicast flooded?"""
        return self.has(features.UU_FLOOD)

    @property
    def arp_term(self) -> bool:
        """Are ARP requests answered?"""
        return self.has(features.ARP_TERM)

    @property
    def arp_ufwd(self) -> bool:
        """Does ARP leave by the interface for unknown unicast?"""
        return self.has(features.ARP_UFWD)

    @property
    def flood_count(self) -> int:
        """How many of the members, from the first on, are flooded to."""
        classes = [m.flood_class for m in self.members]
        count = len(classes) - classes.count("none")
        return count - (classes.count("tunnel") if "tunnel-master" in classes else 0)

    def insert(self, member: Member) -> None:
        """Put a port in its place of the flood list."""
        classes = [m.flood_class for m in self.members]
        at = len(classes)
        if member.flood_class == "bvi":
            at = 0
        elif member.flood_class == "tunnel":
            at -= classes.count("none")
        elif member.flood_class != "none":
            at -= classes.count("none") + classes.count("tunnel")
        self.members.insert(at, member)


@dataclass
class Port:
    """An interface in L2 mode."""

    sw_if_index: int
    domain: Domain | None = None
    xconnect: int = -1
    """Where its frames leave, when it is cross-connected."""
    shg: int = 0
    port_type: int = NORMAL

    @property
    def is_bvi(self) -> bool:
        """Is it its domain's way to L3?"""
        return self.port_type == BVI
