"""Items of access control: ACLs, MACIP lists, and where they apply. They belong to `vectorplane.backends.items`.

Lists have names; VPP numbers them itself and keeps the name as a tag. One that somebody else made without a tag, or
with the tag of another one, is called ``#NUMBER``.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import ClassVar

Network = IPv4Network | IPv6Network

ACL_ACTIONS = ("deny", "permit", "permit+reflect")
"""VPP numbers them from 0."""
MACIP_ACTIONS = {"deny": 0, "permit": 1, "permit-both": 3}
"""VPP's numbers. The last one is also checked on what leaves, by its destination."""
ALL_PORTS = (0, 65535)
MOST_TAG = 63
"""Bytes of a name, which is VPP's tag."""


@dataclass(frozen=True, slots=True)
class AclRule:
    """One rule of an ACL. Both prefixes are of one family."""

    action: str
    src: Network
    dst: Network
    proto: int = 0
    """0: any; then ports and flags are not looked at."""
    sport: tuple[int, int] = ALL_PORTS
    """First and last source port, or ICMP type."""
    dport: tuple[int, int] = ALL_PORTS
    """First and last destination port, or ICMP code."""
    tcp_flags: tuple[int, int] = (0, 0)
    """Mask and value."""


@dataclass(frozen=True, slots=True)
class Acl:
    """A list of rules; the first that a packet meets says what becomes of it."""

    kind: ClassVar[str] = "acl"
    name: str
    rules: tuple[AclRule, ...]

    @property
    def key(self) -> str:
        return f"acl/{self.name}"


@dataclass(frozen=True, slots=True)
class AclBinding:
    """The ACLs that an interface's packets must pass, in this order."""

    kind: ClassVar[str] = "acl-binding"
    interface: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/acl"


@dataclass(frozen=True, slots=True)
class MacipRule:
    """One rule of a MACIP list: source MAC address (as far as the mask goes) and source address."""

    action: str
    """One of `MACIP_ACTIONS`."""
    mac: str
    mask: str
    src: Network


@dataclass(frozen=True, slots=True)
class MacipAcl:
    """A list for source MAC and IP addresses; what no rule permits is dropped."""

    kind: ClassVar[str] = "macip-acl"
    name: str
    rules: tuple[MacipRule, ...]

    @property
    def key(self) -> str:
        return f"macip-acl/{self.name}"


@dataclass(frozen=True, slots=True)
class MacipBinding:
    """The MACIP list of an interface."""

    kind: ClassVar[str] = "macip-binding"
    interface: str
    acl: str

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/macip"


@dataclass(frozen=True, slots=True)
class EtypeWhitelist:
    """The Ethernet types that a bridged interface with ACLs lets through beside IP; none: all."""

    kind: ClassVar[str] = "etype-whitelist"
    interface: str
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/etype-whitelist"
