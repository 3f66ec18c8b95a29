"""IPv4 packets put together and taken apart in plain Python, for the oracles of the IPv4 nodes."""

from __future__ import annotations

import struct
from dataclasses import dataclass


def checksum(data: bytes) -> int:
    """RFC 1071, as a number to be stored big-endian."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def address(text: str) -> int:
    """``10.0.0.1`` as a number."""
    return int.from_bytes(bytes(int(p) for p in text.split(".")), "big")


@dataclass
class Ip4:
    """An IPv4 packet's fields; ``bytes()`` gives it with the right length and header checksum."""

    source: int = 0x0A000002
    destination: int = 0x0A000001
    protocol: int = 17
    payload: bytes = b""
    options: bytes = b""
    ttl: int = 64
    tos: int = 0
    id: int = 1
    dont_fragment: bool = False
    more: bool = False
    offset: int = 0
    """In bytes."""

    def __bytes__(self) -> bytes:
        words = 5 + len(self.options) // 4
        place = (0x4000 if self.dont_fragment else 0) | (0x2000 if self.more else 0) | self.offset // 8
        head = struct.pack(
            ">BBHHHBBHII",
            0x40 | words,
            self.tos,
            4 * words + len(self.payload),
            self.id,
            place,
            self.ttl,
            self.protocol,
            0,
            self.source,
            self.destination,
        )
        head += self.options
        return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + self.payload

    @staticmethod
    def parse(data: bytes) -> Ip4:
        """The fields of a well-formed packet; what follows its length is cut off."""
        first, tos, total, id_, place, ttl, protocol, _, source, destination = struct.unpack(">BBHHHBBHII", data[:20])
        header = (first & 15) * 4
        assert first >> 4 == 4 and 20 <= header <= total <= len(data)
        return Ip4(
            source,
            destination,
            protocol,
            data[header:total],
            data[20:header],
            ttl,
            tos,
            id_,
            bool(place & 0x4000),
            bool(place & 0x2000),
            (place & 0x1FFF) * 8,
        )


def l4_checksum(source: int, destination: int, protocol: int, data: bytes) -> int:
    """Checksum over pseudo header and transport header with payload; 0 when the one inside is right."""
    return checksum(struct.pack(">IIBBH", source, destination, 0, protocol, len(data)) + data)


def udp(source_port: int, destination_port: int, data: bytes, packet: Ip4) -> Ip4:
    """``packet`` with this datagram, checksum included."""
    raw = struct.pack(">HHHH", source_port, destination_port, 8 + len(data), 0) + data
    value = l4_checksum(packet.source, packet.destination, 17, raw) or 0xFFFF
    packet.protocol, packet.payload = 17, raw[:6] + struct.pack(">H", value) + raw[8:]
    return packet


def tcp(source_port: int, destination_port: int, data: bytes, packet: Ip4) -> Ip4:
    """``packet`` with this segment (a SYN), checksum included."""
    raw = struct.pack(">HHIIBBHHH", source_port, destination_port, 1, 0, 0x50, 2, 8192, 0, 0) + data
    value = l4_checksum(packet.source, packet.destination, 6, raw)
    packet.protocol, packet.payload = 6, raw[:16] + struct.pack(">H", value) + raw[18:]
    return packet


def icmp(kind: int, code: int, rest: bytes, packet: Ip4) -> Ip4:
    """``packet`` with this ICMP message."""
    raw = bytes((kind, code, 0, 0)) + rest
    packet.protocol, packet.payload = 1, raw[:2] + struct.pack(">H", checksum(raw)) + raw[4:]
    return packet
