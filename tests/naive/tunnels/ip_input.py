"""gre4-input and ipip4-input in plain Python."""

from __future__ import annotations

from collections.abc import Sequence

from tests.naive.ip4_fast import checksum
from tests.naive.tunnels.tunnel import Decapsulated, IpTunnel

CHECKSUM, KEY, SEQUENCE, VERSION = 0x8000, 0x2000, 0x1000, 7
NEXTS = {0x0800: "ip4-input", 0x86DD: "ip6-input", 0x6558: "ethernet-input", 0x88BE: "ethernet-input"}
CARRIES = {0x0800: "l3", 0x86DD: "l3", 0x6558: "teb", 0x88BE: "erspan"}


def gre(tunnels: Sequence[IpTunnel], packet: bytes, fib: int) -> Decapsulated:
    """GRE, from the outer IPv4 header on."""
    header = (packet[0] & 15) * 4 if len(packet) >= 20 else 0
    rest = packet[header:]
    if header < 20 or len(rest) < 4:
        return Decapsulated("error-drop", "packets too short")
    flags, protocol = int.from_bytes(rest[:2], "big"), int.from_bytes(rest[2:4], "big")
    if flags & VERSION:
        return Decapsulated("error-drop", "unsupported version")
    if protocol not in NEXTS:
        return Decapsulated("error-punt", "unknown protocol")
    kind = CARRIES[protocol]
    sizes = [4, 4 if flags & CHECKSUM else 0, 4 if flags & KEY else 0, 4 if flags & SEQUENCE else 0]
    sizes.append(8 if kind == "erspan" and flags & SEQUENCE else 0)
    fields = []
    for size in sizes:
        fields.append(rest[:size])
        rest = rest[size:]
    if len(packet) < header + sum(sizes):
        return Decapsulated("error-drop", "packets too short")
    key = int.from_bytes(fields[2], "big")
    session = int.from_bytes(fields[4][2:4], "big") & 0x3FF
    for t in tunnels:
        own = t.session if kind == "erspan" else 0
        same = (t.kind, t.fib, t.key) == (kind, fib, key) and (t.dst, t.src) == (packet[12:16], packet[16:20])
        if same and own == session:
            return Decapsulated(NEXTS[protocol], None, rest, t.interface, t.interface)
    return Decapsulated("error-drop", "GRE input packets dropped due to missing tunnel")


def ipip(tunnels: Sequence[IpTunnel], packet: bytes, fib: int) -> Decapsulated:
    """IP in IP, from the outer IPv4 header on."""
    header = (packet[0] & 15) * 4 if len(packet) >= 20 else 0
    if header < 20 or len(packet) < header:
        return Decapsulated("error-drop", "bad protocol")
    if packet[6] & 0x20:
        return Decapsulated("error-drop", "fragmented outer packet")
    ends = packet[12:16], packet[16:20]
    found = next((t for t in tunnels if (t.dst, t.src) == ends and t.fib == fib), None)
    if found is None:
        return Decapsulated("error-drop", "no tunnel")
    if packet[9] not in (4, 41):
        return Decapsulated("error-drop", "bad protocol")
    inside = packet[header:]
    if found.decap_ecn:
        inside = with_ecn(inside, packet[1] & 3, packet[9] == 41)
    return Decapsulated("ip6-input" if packet[9] == 41 else "ip4-input", None, inside, found.interface, found.interface)


def with_ecn(packet: bytes, ecn: int, is_ip6: bool) -> bytes:
    """The packet with these congestion bits, if its header is whole (IPv4: and without options)."""
    if is_ip6:
        return packet[:1] + bytes([packet[1] & 0xCF | ecn << 4]) + packet[2:] if len(packet) >= 40 else packet
    if len(packet) < 20 or packet[0] != 0x45:
        return packet
    head = packet[:1] + bytes([packet[1] & 0xFC | ecn]) + packet[2:10] + b"\0\0" + packet[12:20]
    return head[:10] + checksum(head).to_bytes(2, "big") + head[12:] + packet[20:]
