"""ACLs, MACIP lists and Ethernet type lists of a configuration."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, model_validator

from vectorplane.backends.items_acl import ALL_PORTS, MOST_TAG
from vectorplane.control.config_types import Mac, Model, Prefix, as_list

PROTOCOLS = {
    "any": 0,
    "icmp": 1,
    "igmp": 2,
    "tcp": 6,
    "udp": 17,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "icmp6": 58,
    "ospf": 89,
    "sctp": 132,
}
WITH_PORTS = (6, 17)
ICMP = {4: 1, 6: 58}
TCP_FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ece": 64, "cwr": 128}
ANY4, ANY6 = IPv4Network("0.0.0.0/0"), IPv6Network("::/0")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/@+-]*")
_RANGE = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value) or len(value) > MOST_TAG:
        raise ValueError(
            f"expected a name of at most {MOST_TAG} letters, digits and _ . : / @ + - (no other first than _), "
            f"got {value!r}"
        )
    return value


def _range(top: int, what: str) -> Any:
    def check(value: Any) -> tuple[int, int]:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        found = _RANGE.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise ValueError(f"expected {what} (0 to {top}) or a range such as 10-20, got {value!r}")
        first, last = int(found[1]), int(found[2] or found[1])
        if last > top or first > last:
            raise ValueError(f"expected {what} from 0 to {top}, the first not above the last, got {value!r}")
        return first, last

    return PlainValidator(check)


def _protocol(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255:
        return value
    if isinstance(value, str) and value in PROTOCOLS:
        return PROTOCOLS[value]
    raise ValueError(f"expected a protocol number (0 to 255) or one of {', '.join(PROTOCOLS)}, got {value!r}")


def _flags(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255:
        return value
    words = [value] if isinstance(value, str) else value
    if isinstance(words, list) and all(isinstance(w, str) and w in TCP_FLAGS for w in words):
        return sum(TCP_FLAGS[w] for w in set(words))
    raise ValueError(f"expected TCP flags: a number (0 to 255) or words of {', '.join(TCP_FLAGS)}, got {value!r}")


def _etype(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 0xFFFF:
        return value
    raise ValueError(f"expected an Ethernet type (0 to 0xffff), got {value!r}")


AclName = Annotated[str, PlainValidator(_name)]
Ports = Annotated[tuple[int, int], _range(65535, "a port")]
Byte = Annotated[tuple[int, int], _range(255, "a number")]
Protocol = Annotated[int, PlainValidator(_protocol)]
Flags = Annotated[int, PlainValidator(_flags)]
EtherType = Annotated[int, PlainValidator(_etype)]


class TcpFlags(Model):
    """Which flags a rule looks at, and which of them are to be set."""

    mask: Flags
    value: Flags = 0


class Rule(Model):
    """A rule of an ACL: what is left out is not looked at.

    Ports go with tcp and udp, ``type`` and ``code`` with icmp and icmp6, ``tcp_flags`` with tcp.
    """

    action: Literal["deny", "permit", "permit+reflect"] = "permit"
    src: Prefix | None = None
    dst: Prefix | None = None
    ip6: bool | None = None
    proto: Protocol = 0
    sport: Ports | None = None
    dport: Ports | None = None
    type: Byte | None = None
    code: Byte | None = None
    tcp_flags: TcpFlags | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Rule:
        versions = {p.version for p in (self.src, self.dst) if p is not None}
        if len(versions) > 1:
            raise ValueError("src and dst are of two families: a rule is for IPv4 or for IPv6")
        if self.ip6 is not None and versions and versions != {6 if self.ip6 else 4}:
            raise ValueError(f"ip6 is {str(self.ip6).lower()}, but the prefix is of the other family")
        if (self.sport is not None or self.dport is not None) and self.proto not in WITH_PORTS:
            raise ValueError("ports need proto: tcp or udp")
        if (self.type is not None or self.code is not None) and self.proto != ICMP[self.version]:
            raise ValueError(f"type and code need proto: {'icmp6' if self.version == 6 else 'icmp'}")
        if self.tcp_flags is not None and self.proto != PROTOCOLS["tcp"]:
            raise ValueError("tcp_flags need proto: tcp")
        return self

    @property
    def version(self) -> int:
        """4 or 6; what says nothing of it is for IPv4, unless its protocol is icmp6."""
        for prefix in (self.src, self.dst):
            if prefix is not None:
                return prefix.version
        if self.ip6 is not None:
            return 6 if self.ip6 else 4
        return 6 if self.proto == PROTOCOLS["icmp6"] else 4

    @property
    def networks(self) -> tuple[IPv4Network | IPv6Network, IPv4Network | IPv6Network]:
        """Source and destination."""
        everything = ANY6 if self.version == 6 else ANY4
        return (self.src or everything, self.dst or everything)

    @property
    def ranges(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Source and destination ports, or ICMP types and codes."""
        return self.sport or self.type or ALL_PORTS, self.dport or self.code or ALL_PORTS

    @property
    def flags(self) -> tuple[int, int]:
        """Mask and value."""
        return (self.tcp_flags.mask, self.tcp_flags.value) if self.tcp_flags else (0, 0)


class MacipRule(Model):
    """A rule of a MACIP list. ``permit-both`` is also checked on what leaves, by its destination."""

    action: Literal["deny", "permit", "permit-both"] = "permit"
    mac: Mac = "00:00:00:00:00:00"
    mask: Mac | None = None
    src: Prefix = ANY4

    @property
    def mac_mask(self) -> str:
        """All of the address when one is given, else nothing of it."""
        if self.mask is not None:
            return self.mask
        return "ff:ff:ff:ff:ff:ff" if "mac" in self.model_fields_set else "00:00:00:00:00:00"


class AclLists(Model):
    """The ACLs of an interface, in order."""

    input: Annotated[list[AclName], BeforeValidator(as_list)] = Field(default_factory=list)
    output: Annotated[list[AclName], BeforeValidator(as_list)] = Field(default_factory=list)


class EtypeLists(Model):
    """The Ethernet types that a bridged interface with ACLs lets through beside IP."""

    input: Annotated[list[EtherType], BeforeValidator(as_list), Field(max_length=255)] = Field(default_factory=list)
    output: Annotated[list[EtherType], BeforeValidator(as_list), Field(max_length=255)] = Field(default_factory=list)


class AclSettings(Model):
    """How the engine's sessions behave; VPP takes these at its start or from its debug CLI. Timeouts in seconds.

    ``counters``: count matches by rule. ``reclassify``: check sessions anew when a policy changes.
    """

    udp_idle: Annotated[int, Field(ge=0, lt=1 << 32)] = 600
    tcp_idle: Annotated[int, Field(ge=0, lt=1 << 32)] = 86_400
    tcp_transient: Annotated[int, Field(ge=0, lt=1 << 32)] = 120
    max_sessions: Annotated[int, Field(ge=0, le=1 << 24)] = 500_000
    counters: bool = False
    reclassify: bool = False
