"""What a router does with an IPv6 frame that is for itself, in plain Python: VPP's checks in VPP's order."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Interface
from typing import NamedTuple

UNKNOWN_TYPE, BAD_CODE = "unknown type", "invalid code for type"
BAD_HOPS, TOO_SHORT = "hop_limit != 255", "payload length too small for type"
OFF_LINK = "neighbor solicitations from source not on link"
UNKNOWN_TARGET = "neighbor solicitations for unknown targets"
SENT, RECEIVED, ECHO = "neighbor advertisements sent", "neighbor advertisements received", "echo replies sent"
CODES = {1: 6, 3: 1, 4: 3, 138: 1, 139: 2, 140: 2}
LENGTHS = {133: 8, 134: 16, 135: 24, 136: 24, 137: 40}


class Verdict(NamedTuple):
    """What becomes of a frame: the reason that is counted, the reply, (interface, address, MAC) to be learnt."""

    reason: str
    reply: bytes | None = None
    learnt: tuple[int, IPv6Address, bytes] | None = None


def internet_sum(data: bytes) -> int:
    """The ones-complement sum of 16-bit words: 0xFFFF over data with its own right checksum."""
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def pseudo(packet: bytes, size: int) -> bytes:
    """RFC 8200 8.1."""
    return packet[8:40] + size.to_bytes(4, "big") + bytes([0, 0, 0, packet[6]])


def with_checksum(packet: bytes) -> bytes:
    """The same ICMPv6 packet with the right checksum."""
    blank = packet[:42] + b"\0\0" + packet[44:]
    size = int.from_bytes(packet[4:6], "big")
    value = ~internet_sum(pseudo(packet, size) + blank[40 : 40 + size]) & 0xFFFF
    return packet[:42] + value.to_bytes(2, "big") + packet[44:]


@dataclass
class NaiveNd:
    """One table with its interfaces (number to addresses, link-local address, MAC); others take no IPv6."""

    addresses: dict[int, list[IPv6Interface]]
    link_local: dict[int, IPv6Address]
    macs: dict[int, bytes]
    neighbours: set[tuple[int, IPv6Address]] = field(default_factory=set)

    def way_of(self, address: IPv6Address) -> tuple[str, int]:
        """ours, link or nothing; and the interface."""
        for i, own in self.addresses.items():
            if any(a.ip == address for a in own):
                return "ours", i
        for i, own in self.addresses.items():
            if any(address in a.network for a in own):
                return "link", i
        return "nothing", 0

    def frame(self, i: int, frame: bytes) -> Verdict:
        """A frame with an IPv6 type that came in by interface ``i`` and is addressed to it."""
        packet = frame[14:]
        if len(packet) < 40:
            return Verdict("ip6 length < 40 bytes")
        if packet[7] == 0:
            return Verdict("ip6 ttl <= 1")
        if packet[0] >> 4 != 6:
            return Verdict("ip6 version != 6")
        if i not in self.addresses:
            return Verdict("ip6 not enabled on the interface")
        target = IPv6Address(packet[24:40])
        if target.is_multicast:
            fixed = {IPv6Address(f"ff02::{n}") for n in ("1", "2", "16")}
            if target not in fixed and packet[24:37] != IPv6Address("ff02::1:ff00:0").packed[:13]:
                return Verdict("Multicast RPF check failed")
        elif target.is_link_local:
            if target != self.link_local[i]:
                return Verdict("blackholed packets")
        else:
            what, _ = self.way_of(target)
            if what != "ours":
                return Verdict("blackholed packets" if what == "nothing" else "ip6 forwarding is not available")
        return self.local(i, frame[:14], packet)

    def local(self, i: int, ethernet: bytes, packet: bytes) -> Verdict:
        """A packet for us."""
        size, protocol, source = int.from_bytes(packet[4:6], "big"), packet[6], IPv6Address(packet[8:24])
        whole = len(packet) >= 40 + size
        right = whole and internet_sum(pseudo(packet, size) + packet[40 : 40 + size]) == 0xFFFF
        if protocol == 58 and not right:
            return Verdict("bad icmp checksum")
        if protocol == 17:
            if len(packet) < 48 or (packet[46:48] != b"\0\0" and not right):
                return Verdict("bad udp checksum")
            if int.from_bytes(packet[44:46], "big") > size:
                return Verdict("inconsistent udp/ip lengths")
        if protocol != 58 and not source.is_link_local and self.way_of(source)[0] == "nothing":
            return Verdict("ip6 source lookup miss")
        if protocol != 58:
            return Verdict("unknown ip protocol")
        return self.icmp(i, ethernet, packet)

    def icmp(self, i: int, ethernet: bytes, packet: bytes) -> Verdict:
        """An ICMPv6 message for us."""
        if len(packet) < 44:
            return Verdict(TOO_SHORT)
        kind, size = packet[40], int.from_bytes(packet[4:6], "big")
        reason = "" if kind in (128, 129, 135, 136) else UNKNOWN_TYPE
        if packet[41] > CODES.get(kind, 0):
            reason = BAD_CODE
        if 133 <= kind <= 137 and packet[7] != 255:
            reason = BAD_HOPS
        if size < LENGTHS.get(kind, 4):
            reason = TOO_SHORT
        if reason or kind == 129:
            return Verdict(reason or "valid packets")
        back = ethernet[6:12] + self.macs[i] + ethernet[12:]
        if kind == 128:
            ends = packet[24:40] + packet[8:24]
            reply = with_checksum(packet[:7] + b"\x40" + ends + bytes([129]) + packet[41:])
            return Verdict(ECHO, back + reply)
        return self.discovery(i, back, packet, size)

    def discovery(self, i: int, back: bytes, packet: bytes, size: int) -> Verdict:
        """A neighbour solicitation or advertisement."""
        asks, source, target = packet[40] == 135, IPv6Address(packet[8:24]), IPv6Address(packet[48:64])
        if not source.is_unspecified and not source.is_link_local and self.way_of(source) != ("link", i):
            return Verdict(OFF_LINK)
        option = size == 32 and packet[64] == (1 if asks else 2) and packet[65] == 1
        learnt = None
        if option and not source.is_unspecified:
            learnt = (i, source if asks else target, packet[66:72])
        if not asks:
            return Verdict(RECEIVED, learnt=learnt)
        ours = self.link_local[i] == target if target.is_link_local else self.way_of(target)[0] == "ours"
        if not ours:
            return Verdict(UNKNOWN_TARGET, learnt=learnt)
        to = IPv6Address("ff02::1") if source.is_unspecified else source
        head = packet[:7] + b"\xff" + target.packed + to.packed
        rest = packet[64:] if not option else bytes([2, 1]) + self.macs[i] + packet[72:]
        reply = with_checksum(head + bytes([136]) + packet[41:44] + b"\x60\0\0\0" + target.packed + rest)
        return Verdict(SENT, back + reply, learnt)
