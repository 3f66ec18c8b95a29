"""Items of address translation (NAT44, endpoint-dependent). They belong to `vectorplane.backends.items`.

Ports are 0 where a mapping is of a whole address. ``table``: where local addresses are; -1 (of a pool): anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import ClassVar

NAT_ROLES = ("inside", "outside", "both", "output")
"""What an interface is to NAT; the last one: NAT is a feature of what it sends."""
NAT_TWICE = ("", "twice-nat", "self-twice-nat")
"""Whether the source of packets from outside is translated, too: never, always, when it is the backend itself."""
DEFAULT_NAT_SESSIONS = 63 * 1024


@dataclass(frozen=True, slots=True)
class Nat44:
    """NAT44 is on. Timeouts in seconds; ``mss`` 0: SYNs may announce anything."""

    kind: ClassVar[str] = "nat44"
    inside_table: int = 0
    outside_table: int = 0
    sessions: int = DEFAULT_NAT_SESSIONS
    forwarding: bool = False
    udp: int = 300
    tcp_established: int = 7440
    tcp_transitory: int = 240
    icmp: int = 60
    mss: int = 0

    @property
    def key(self) -> str:
        return "nat44"

    @property
    def timeouts(self) -> tuple[int, int, int, int]:
        """UDP, TCP established, TCP transitory, ICMP."""
        return self.udp, self.tcp_established, self.tcp_transitory, self.icmp


@dataclass(frozen=True, slots=True)
class NatAddress:
    """An address of the pool, or of twice-NAT's."""

    kind: ClassVar[str] = "nat44-address"
    address: IPv4Address
    table: int = -1
    twice_nat: bool = False

    @property
    def key(self) -> str:
        return f"nat44/{'twice-nat' if self.twice_nat else 'address'}/{self.address}"


@dataclass(frozen=True, slots=True)
class NatInterfaceAddress:
    """The first address of an interface belongs to a pool."""

    kind: ClassVar[str] = "nat44-interface-address"
    interface: str
    twice_nat: bool = False

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/nat44-{'twice-nat' if self.twice_nat else 'address'}"


@dataclass(frozen=True, slots=True)
class NatInterface:
    """What an interface is to NAT."""

    kind: ClassVar[str] = "nat44-interface"
    interface: str
    role: str

    @property
    def key(self) -> str:
        return f"interface/{self.interface}/nat44"


@dataclass(frozen=True, slots=True)
class NatStatic:
    """A static mapping; of an interface's first address when ``interface`` is given."""

    kind: ClassVar[str] = "nat44-static"
    local: IPv4Address
    external: IPv4Address | None = None
    interface: str = ""
    proto: int = 0
    local_port: int = 0
    external_port: int = 0
    table: int = 0
    twice: str = ""
    out2in_only: bool = False
    pool: IPv4Address | None = None
    """The address that twice-NAT is to take."""
    tag: str = ""

    @property
    def key(self) -> str:
        return f"nat44/static/{self.interface or self.external}/{self.proto}/{self.external_port}"


@dataclass(frozen=True, slots=True, order=True)
class NatBackend:
    """A backend of a load-balanced service; ``probability`` is its share."""

    address: IPv4Address
    port: int
    probability: int = 1
    table: int = 0


@dataclass(frozen=True, slots=True)
class NatService:
    """A load-balanced mapping, of at least two backends."""

    kind: ClassVar[str] = "nat44-service"
    external: IPv4Address
    port: int
    proto: int
    backends: tuple[NatBackend, ...]
    twice: str = ""
    out2in_only: bool = False
    affinity: int = 0
    """Seconds that a client keeps its backend; 0: not at all."""
    tag: str = ""

    @property
    def key(self) -> str:
        return f"nat44/service/{self.external}/{self.proto}/{self.port}"


@dataclass(frozen=True, slots=True)
class NatIdentity:
    """An address, or a port of it, that is not translated."""

    kind: ClassVar[str] = "nat44-identity"
    address: IPv4Address | None = None
    interface: str = ""
    proto: int = 0
    port: int = 0
    table: int = 0
    tag: str = ""

    @property
    def key(self) -> str:
        return f"nat44/identity/{self.interface or self.address}/{self.proto}/{self.port}/{self.table}"
