"""What a backend can be told to hold: typed items, each with a key. The common language of control plane and backends.

An item is immutable and compares by value, so that "is what should be also what is there" is ``==``. Names of
interfaces are the configuration's; each backend knows what it calls them itself. Fields are canonical (prefixes
without host bits, paths in sorted order), so that a dump of a backend gives equal items.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import ClassVar

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
)
"""Any of them. A new kind needs: its class here, a descriptor in control/descriptors/, a file in each backend."""
