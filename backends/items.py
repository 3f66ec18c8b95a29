"""What a backend can be told to hold: typed items, each with a key. The common language of control plane and backends.

An item is immutable and compares by value, so that "is what should be also what is there" is ``==``. Names of
interfaces are the configuration's; each backend knows what it calls them itself. Fields are canonical (prefixes
without host bits, paths in sorted order), so that a dump of a backend gives equal items.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import ClassVar

from vectorplane.backends.items_acl import (
    Acl,
    AclBinding,
    AclRule,
    EtypeWhitelist,
    MacipAcl,
    MacipBinding,
    MacipRule,
)
from vectorplane.backends.items_nat44 import (
    NAT_ROLES,
    NAT_TWICE,
    Nat44,
    NatAddress,
    NatBackend,
    NatIdentity,
    NatInterface,
    NatInterfaceAddress,
    NatService,
    NatStatic,
)

__all__ = [
    "NAT_ROLES",
    "NAT_TWICE",
    "Acl",
    "AclBinding",
    "AclRule",
    "EtypeWhitelist",
    "MacipAcl",
    "MacipBinding",
    "MacipRule",
    "Nat44",
    "NatAddress",
    "NatBackend",
    "NatIdentity",
    "NatInterface",
    "NatInterfaceAddress",
    "NatService",
    "NatStatic",
]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
InterfaceAddressValue = IPv4Interface | IPv6Interface


USUAL_FLOW_HASH = ("dport", "dst", "proto", "sport", "src")
"""What a table spreads flows over its routes' paths by when nothing is said (`Table.flow_hash`)."""


@dataclass(frozen=True, slots=True)
class Table:
    """A routing table (VRF); table 0 is always there, so it is an item only while its hash is not `USUAL_FLOW_HASH`."""

    kind: ClassVar[str] = "table"
    id: int
    ip6: bool = False
    name: str = ""
    flow_hash: tuple[str, ...] | None = None
    """Sorted words of src, dst, proto, sport, dport, reverse, symmetric; None: the backend's default."""

    @property
    def key(self) -> str:
        return f"table/{'ip6' if self.ip6 else 'ip4'}/{self.id}"


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface with a device of its own. ``device`` is one of the kinds of `vectorplane.backends.devices`."""

    kind: ClassVar[str] = "interface"
    name: str
    device: str
    """loopback, sim, capture, pg, null, dpdk ..."""
    options: tuple[tuple[str, object], ...] = ()
    """The device's settings, sorted by name: what makes another interface of it when it changes."""

    @property
    def key(self) -> str:
        return f"interface/{self.name}"


@dataclass(frozen=True, slots=True)
class SubInterface:
    """A VLAN sub-interface ``PARENT.ID``."""

    kind: ClassVar[str] = "subinterface"
    parent: str
    id: int
    outer: int | None = None
    """VLAN id; None: untagged or default."""
    inner: int | None = None
    """Inner VLAN id; 4095: any; None: one tag."""
    dot1ad: bool = False
    exact: bool = True
    default: bool = False

    @property
    def name(self) -> str:
        """Its name as an interface."""
        return f"{self.parent}.{self.id}"

    @property
    def key(self) -> str:
        return f"interface/{self.name}"


@dataclass(frozen=True, slots=True)
class InterfaceMac:
    """The MAC address of an interface, where it was told."""

    kind: ClassVar[str] = "mac"
    interface: str
    mac: str

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/mac"


@dataclass(frozen=True, slots=True)
class InterfaceMtu:
    """Largest L3 packet of an interface, bytes."""

    kind: ClassVar[str] = "mtu"
    interface: str
    mtu: int

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/mtu"


@dataclass(frozen=True, slots=True)
class InterfaceTable:
    """The table that an interface is in (another than 0)."""

    kind: ClassVar[str] = "binding"
    interface: str
    table: int
    ip6: bool = False

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/{'table6' if self.ip6 else 'table'}"


@dataclass(frozen=True, slots=True)
class InterfaceUp:
    """An interface that is administratively up (without this item it is down)."""

    kind: ClassVar[str] = "up"
    interface: str

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/up"


@dataclass(frozen=True, slots=True)
class InterfaceAddress:
    """An address of an interface."""

    kind: ClassVar[str] = "address"
    interface: str
    address: InterfaceAddressValue

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/address/{self.address}"


@dataclass(frozen=True, slots=True)
class Unnumbered:
    """An interface that borrows the addresses of another (its IPv4 is on)."""

    kind: ClassVar[str] = "unnumbered"
    interface: str
    lender: str

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/unnumbered"


@dataclass(frozen=True, slots=True)
class Ip4Enabled:
    """An interface without addresses that takes IPv4 packets all the same."""

    kind: ClassVar[str] = "ip4"
    interface: str

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/ip4"


@dataclass(frozen=True, slots=True, order=True)
class Path:
    """One way of a route: a neighbour, an attached interface, a next hop to look up, a table, or an action."""

    via: str = ""
    interface: str = ""
    table: int = -1
    """Look up again there (no ``via``), or resolve ``via`` there; -1: the route's own."""
    action: str = ""
    """"", blackhole, unreachable, prohibit, local, punt."""
    weight: int = 1
    preference: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """A prefix and its paths (sorted)."""

    kind: ClassVar[str] = "route"
    prefix: Network
    paths: tuple[Path, ...]
    table: int = 0

    @property
    def key(self) -> str:
        return f"route/{self.table}/{self.prefix}"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A static neighbour."""

    kind: ClassVar[str] = "neighbour"
    interface: str
    address: Address
    mac: str

    @property
    def key(self) -> str:
        return f"neighbour/{self.interface}/{self.address}"


@dataclass(frozen=True, slots=True)
class ProxyArpRange:
    """Addresses that are answered for with our MAC on the interfaces that proxy."""

    kind: ClassVar[str] = "proxy-arp-range"
    low: IPv4Address
    high: IPv4Address
    table: int = 0

    @property
    def key(self) -> str:
        return f"proxy-arp/{self.table}/{self.low}-{self.high}"


@dataclass(frozen=True, slots=True)
class ProxyArpInterface:
    """An interface that answers for the ranges."""

    kind: ClassVar[str] = "proxy-arp"
    interface: str

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/proxy-arp"


REASSEMBLIES = ("full", "virtual")


@dataclass(frozen=True, slots=True)
class Reassembly:
    """Fragments that an interface receives are put together, or told their ports (shallow virtual). IPv4."""

    kind: ClassVar[str] = "reassembly"
    interface: str
    how: str
    """One of `REASSEMBLIES`."""

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/reassembly/{self.how}"


@dataclass(frozen=True, slots=True)
class SoftwareGso:
    """TCP that other interfaces brought uncut is cut into segments before it leaves by this one."""

    kind: ClassVar[str] = "gso"
    interface: str

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/gso"


@dataclass(frozen=True, slots=True)
class BridgeDomain:
    """A bridge domain: what is done with the frames of its ports."""

    kind: ClassVar[str] = "bridge-domain"
    id: int
    flood: bool = True
    """Broadcasts and multicasts go to all ports."""
    uu_flood: bool = True
    """So do frames to addresses that are not known."""
    forward: bool = True
    learn: bool = True
    arp_term: bool = False
    """ARP requests and neighbour solicitations for a `BridgeArp` are answered in the domain."""
    arp_ufwd: bool = False
    """ARP goes where unknown unicast goes, instead of to all ports."""
    mac_age: int = 0
    """Minutes after which a learnt address is forgotten that was not heard of; 0: never."""
    tag: str = ""

    @property
    def key(self) -> str:
        return f"bridge/{self.id}"


@dataclass(frozen=True, slots=True)
class BridgePort:
    """An interface that is a port of a bridge domain."""

    kind: ClassVar[str] = "bridge-port"
    interface: str
    domain: int
    type: str = "normal"
    """normal, bvi (the domain's own interface to L3), uu-fwd (where frames to unknown addresses go)."""
    shg: int = 0
    """Split-horizon group: no frames from one port of a group to another; 0: none."""

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/l2"


@dataclass(frozen=True, slots=True)
class L2Xconnect:
    """An interface whose frames all leave by another. The way back is another item."""

    kind: ClassVar[str] = "l2-xconnect"
    interface: str
    to: str

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/l2"


@dataclass(frozen=True, slots=True)
class L2FibEntry:
    """A MAC address that a bridge domain was told; it does not age."""

    kind: ClassVar[str] = "l2-fib-entry"
    domain: int
    mac: str
    interface: str = ""
    """The port where it is; "": frames from and to it are dropped."""
    static: bool = True
    """It stays there when its frames come from elsewhere."""

    @property
    def key(self) -> str:
        return f"bridge/{self.domain}/fib/{self.mac}"


@dataclass(frozen=True, slots=True)
class BridgeArp:
    """A neighbour that a bridge domain answers ARP requests or neighbour solicitations for."""

    kind: ClassVar[str] = "bridge-arp"
    domain: int
    address: Address
    mac: str

    @property
    def key(self) -> str:
        return f"bridge/{self.domain}/arp/{self.address}"


TAG_REWRITES = (
    "push-1",
    "push-2",
    "pop-1",
    "pop-2",
    "translate-1-1",
    "translate-1-2",
    "translate-2-1",
    "translate-2-2",
)
"""What may be done to VLAN tags; the last number says how many are put on. VPP numbers them from 1."""


@dataclass(frozen=True, slots=True)
class TagRewrite:
    """What a port does to the VLAN tags of frames that come in; to those that leave it does the opposite."""

    kind: ClassVar[str] = "tag-rewrite"
    interface: str
    op: str
    """One of `TAG_REWRITES`."""
    dot1q: bool = False
    """The outer tag that is put on is 802.1Q, not 802.1ad; false when none is put on."""
    tags: tuple[int, ...] = ()
    """VLAN ids that are put on, outer first."""

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/tag-rewrite"


@dataclass(frozen=True, slots=True)
class Span:
    """An interface whose packets are copied to another."""

    kind: ClassVar[str] = "span"
    source: str
    target: str
    direction: str = "both"
    """rx, tx, both."""
    l2: bool = False
    """Copied where the port bridges, as its bridge domain sees them, instead of as the device does."""

    @property
    def key(self) -> str:
        return f"interface/{self.source}/{'l2-span' if self.l2 else 'span'}/{self.target}"


@dataclass(frozen=True, slots=True)
class L3Xconnect:
    """An interface whose IPv4 packets all take the same paths (sorted), whatever their destination."""

    kind: ClassVar[str] = "l3-xconnect"
    interface: str
    paths: tuple[Path, ...]

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/l3-xconnect"


Item = (
    Table
    | Interface
    | SubInterface
    | InterfaceMac
    | InterfaceMtu
    | InterfaceTable
    | InterfaceUp
    | InterfaceAddress
    | Unnumbered
    | Ip4Enabled
    | Route
    | Neighbour
    | ProxyArpRange
    | ProxyArpInterface
    | Reassembly
    | SoftwareGso
    | BridgeDomain
    | BridgePort
    | L2Xconnect
    | L2FibEntry
    | BridgeArp
    | TagRewrite
    | Span
    | L3Xconnect
    | Acl
    | AclBinding
    | MacipAcl
    | MacipBinding
    | EtypeWhitelist
    | Nat44
    | NatAddress
    | NatInterfaceAddress
    | NatInterface
    | NatStatic
    | NatService
    | NatIdentity
)
"""Any of them. A new kind needs: its class here, a descriptor in control/descriptors/, a file in each backend."""
