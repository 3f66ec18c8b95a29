"""Tunnels as a configuration says them, for the oracles of their nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class UdpTunnel:
    """VXLAN or GENEVE. Addresses are four bytes."""

    interface: int
    src: bytes
    dst: bytes
    vni: int
    fib: int = 0
    src_port: int = 4789
    dst_port: int = 4789
    next: str = "l2-input"
    is_l3: bool = False

    @property
    def is_group(self) -> bool:
        """Does it lead to a multicast group?"""
        return self.dst[0] >> 4 == 0xE


@dataclass(frozen=True)
class IpTunnel:
    """GRE or IPIP."""

    interface: int
    src: bytes
    dst: bytes
    fib: int = 0
    kind: str = "l3"
    key: int = 0
    session: int = 0
    decap_ecn: bool = False


class Decapsulated(NamedTuple):
    """Where a packet went: a node with what was inside, on an interface, counted by one; or an error."""

    next: str
    error: str | None = None
    data: bytes = b""
    interface: int = -1
    counts: int = -1
