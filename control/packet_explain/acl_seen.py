"""What rules of ACLs look at in a packet: addresses, protocol, ports or ICMP type and code, TCP flags."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

ICMP, TCP, UDP, ICMP6, FRAGMENT_HEADER = 1, 6, 17, 58, 44
SKIPPED = frozenset((0, 43, 44, 60, 135, 139, 140, 253, 254))
"""IPv6 extension headers that are skipped unless the engine was told otherwise."""


@dataclass(frozen=True)
class Seen:
    """What rules look at in a packet."""

    ip6: bool
    source: int
    destination: int
    protocol: int
    ports: tuple[int, int] | None = None
    """Or ICMP type and code; None: they are not there."""
    tcp_flags: int | None = None
    later_fragment: bool = False

    def address(self, value: int) -> str:
        """One of its addresses as text."""
        return str(IPv6Address(value) if self.ip6 else IPv4Address(value))


def see(packet: bytes, ip6: bool, skipped: Container[int] = SKIPPED) -> Seen | None:
    """What rules see of an IP packet, of which ``packet`` is the part in its first buffer.

    None: an IPv6 packet without a whole header, which no rule is met by. An IPv4 packet without one is all zeros.
    """
    if ip6:
        return _see6(packet, skipped)
    if len(packet) < 20:
        return Seen(False, 0, 0, 0)
    source, destination = int.from_bytes(packet[12:16], "big"), int.from_bytes(packet[16:20], "big")
    if int.from_bytes(packet[6:8], "big") & 0x1FFF:
        return Seen(False, source, destination, packet[9], later_fragment=True)
    return _with_l4(Seen(False, source, destination, packet[9]), packet[(packet[0] & 15) * 4 :])


def _see6(packet: bytes, skipped: Container[int]) -> Seen | None:
    if len(packet) < 40:
        return None
    source, destination = int.from_bytes(packet[8:24], "big"), int.from_bytes(packet[24:40], "big")
    protocol, rest = packet[6], packet[40:]
    while protocol in skipped and len(rest) >= 8:
        following = rest[0]
        if protocol != FRAGMENT_HEADER:
            rest = rest[8 * (1 + rest[1]) :]
        elif int.from_bytes(rest[2:4], "big") >> 3:
            return Seen(True, source, destination, following, later_fragment=True)
        else:
            rest = rest[8:]
        protocol = following
    return _with_l4(Seen(True, source, destination, protocol), rest)


def _with_l4(seen: Seen, l4: bytes) -> Seen:
    if len(l4) < 8:
        return seen
    ports, flags = (0, 0), None
    if seen.protocol in (TCP, UDP):
        ports = int.from_bytes(l4[:2], "big"), int.from_bytes(l4[2:4], "big")
        if seen.protocol == TCP:
            flags = l4[13] if len(l4) >= 14 else 0
    elif seen.protocol == (ICMP6 if seen.ip6 else ICMP):
        ports = l4[0], l4[1]
    return Seen(seen.ip6, seen.source, seen.destination, seen.protocol, ports, flags)
