"""Address translation (NAT44) of a configuration: settings, pools, and static, load-balanced and identity mappings."""

from __future__ import annotations

import re
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, model_validator

from vectorplane.backends.items_nat44 import DEFAULT_NAT_SESSIONS
from vectorplane.control.config_acl import PROTOCOLS
from vectorplane.control.config_types import Address4, InterfaceName, Model, TableId, as_list

MOST_SESSIONS = 1 << 24
MOST_OF_RANGE = 1 << 16
"""The most addresses of one range."""
WITH_PORTS = ("tcp", "udp", "icmp")
_RANGE = re.compile(r"([\d.]+)(?:\s*-\s*([\d.]+))?")


def _range(value: Any) -> tuple[IPv4Address, IPv4Address]:
    found = _RANGE.fullmatch(value) if isinstance(value, str) else None
    try:
        if found is None:
            raise ValueError
        first = IPv4Address(found[1])
        last = IPv4Address(found[2]) if found[2] else first
    except ValueError:
        raise ValueError(
            f"expected an IPv4 address or a range such as 203.0.113.1-203.0.113.9, got {value!r}"
        ) from None
    if last < first:
        raise ValueError(f"{value} ends before it begins")
    if int(last) - int(first) >= MOST_OF_RANGE:
        raise ValueError(f"{value} has {int(last) - int(first) + 1:,} addresses: expected at most {MOST_OF_RANGE:,}")
    return first, last


def _protocol(value: Any) -> int:
    if isinstance(value, str) and value in WITH_PORTS:
        return PROTOCOLS[value]
    raise ValueError(f"expected one of {', '.join(WITH_PORTS)}, got {value!r}")


def _pool_range(value: Any) -> Any:
    return value if isinstance(value, dict) else {"range": value}


def _backend(value: Any) -> Any:
    return value if isinstance(value, dict) else {"address": value}


AddressRange = Annotated[tuple[IPv4Address, IPv4Address], PlainValidator(_range)]
"""The first and the last address."""
Port = Annotated[int, Field(ge=1, le=65535)]
Protocol = Annotated[int, PlainValidator(_protocol)]
Seconds = Annotated[int, Field(ge=1, lt=1 << 31)]
Tag = Annotated[str, Field(max_length=63, pattern=r"^[\x20-\x7e]*$")]
Twice = Literal["twice-nat", "self-twice-nat"]
NatRole = Literal["inside", "outside", "both", "output"]


class NatRange(Model):
    """Addresses of a pool, given to packets of ``table`` (none: of any)."""

    range: AddressRange
    table: TableId | None = None

    @property
    def addresses(self) -> list[IPv4Address]:
        """Each of them."""
        first, last = (int(a) for a in self.range)
        return [IPv4Address(a) for a in range(first, last + 1)]


class NatTimeouts(Model):
    """How long sessions may be silent, in seconds."""

    udp: Seconds = 300
    tcp_established: Seconds = 7440
    tcp_transitory: Seconds = 240
    icmp: Seconds = 60


class NatStatic(Model):
    """A mapping of a local address to an external one, or to the first address of ``interface``.

    With ``port``: of that port alone. ``local_port``: the same unless told. ``table``: of the local address; without
    it, the inside table. ``twice``: the source of packets from outside is translated, too (to ``twice_address``).
    """

    local: Address4
    external: Address4 | None = None
    interface: InterfaceName | None = None
    proto: Protocol = 0
    port: Port | None = None
    local_port: Port | None = None
    table: TableId | None = None
    twice: Twice | None = None
    twice_address: Address4 | None = None
    out2in_only: bool = False
    tag: Tag = ""

    @model_validator(mode="after")
    def _consistent(self) -> NatStatic:
        if (self.external is None) == (self.interface is None):
            raise ValueError("expected external (an address) or interface, one of the two")
        if (self.port is None) != (self.proto == 0):
            raise ValueError("port and proto (tcp, udp or icmp) go together")
        if self.local_port is not None and self.port is None:
            raise ValueError("local_port needs port, too")
        if self.twice is not None and self.port is None:
            raise ValueError("twice needs a mapping of a port")
        if self.twice_address is not None and self.twice is None:
            raise ValueError("twice_address needs twice, too")
        return self


class NatBackend(Model):
    """A backend of a service. ``port``: the service's unless told; ``weight``: its share of the clients."""

    address: Address4
    port: Port | None = None
    weight: Annotated[int, Field(ge=1, le=255)] = 1
    table: TableId | None = None


class NatService(Model):
    """A service: what comes to ``external`` goes to one of the backends.

    ``affinity``: seconds for which a client keeps its backend. ``out2in_only``: the backends' own packets are not
    translated by it. ``twice``: see `NatStatic`.
    """

    external: Address4
    port: Port
    proto: Protocol
    backends: Annotated[list[Annotated[NatBackend, BeforeValidator(_backend)]], Field(min_length=1, max_length=255)]
    affinity: Annotated[int, Field(ge=0, lt=1 << 31)] = 0
    twice: Twice | None = None
    out2in_only: bool = False
    tag: Tag = ""


class NatIdentity(Model):
    """An address (or the first one of an interface), or a port of it, that is not translated."""

    address: Address4 | None = None
    interface: InterfaceName | None = None
    proto: Protocol = 0
    port: Port | None = None
    table: TableId | None = None
    tag: Tag = ""

    @model_validator(mode="after")
    def _consistent(self) -> NatIdentity:
        if (self.address is None) == (self.interface is None):
            raise ValueError("expected address or interface, one of the two")
        if (self.port is None) != (self.proto == 0):
            raise ValueError("port and proto (tcp, udp or icmp) go together")
        return self


_Ranges = Annotated[list[Annotated[NatRange, BeforeValidator(_pool_range)]], BeforeValidator(as_list)]
_Names = Annotated[list[InterfaceName], BeforeValidator(as_list)]


class NatSettings(Model):
    """NAT44 (endpoint-dependent, as VPP's). What interfaces are to it they say themselves: ``nat: inside``.

    ``addresses``, ``interface_addresses``: the pool; ``twice_nat_...``: that of the sources of packets from outside.
    ``forwarding``: packets that meet neither mapping nor session go on as they are. ``mss``: the most that SYNs may
    announce; 0: anything.
    """

    inside_table: TableId = 0
    outside_table: TableId = 0
    sessions: Annotated[int, Field(ge=1, le=MOST_SESSIONS)] = DEFAULT_NAT_SESSIONS
    forwarding: bool = False
    timeouts: NatTimeouts = Field(default_factory=NatTimeouts)
    mss: Annotated[int, Field(ge=0, le=65535)] = 0
    addresses: _Ranges = Field(default_factory=list)
    interface_addresses: _Names = Field(default_factory=list)
    twice_nat_addresses: _Ranges = Field(default_factory=list)
    twice_nat_interface_addresses: _Names = Field(default_factory=list)
    static: list[NatStatic] = Field(default_factory=list)
    services: list[NatService] = Field(default_factory=list)
    identity: list[NatIdentity] = Field(default_factory=list)

    def table(self, given: int | None) -> int:
        """A table of local addresses."""
        return self.inside_table if given is None else given
