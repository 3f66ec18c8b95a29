"""A plain reader of pcap and pcapng, the oracle for the compiled one: whole files, big integers, one packet a turn."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from fractions import Fraction

ETHERNET, RAW, LOOP, SLL, SLL2, RAW4, RAW6 = "ethernet", "raw", "loop", "sll", "sll2", "raw4", "raw6"
LINKS = {1: ETHERNET, 0: LOOP, 108: LOOP, 12: RAW, 14: RAW, 101: RAW, 228: RAW4, 229: RAW6, 113: SLL, 276: SLL2}


@dataclass
class Packet:
    """One packet to deliver: ``data`` without link header when ``ethertype`` is not 0."""

    time: int
    data: bytes
    wirelen: int
    ethertype: int
    interface: int


@dataclass
class Capture:
    """What a file comes to. ``refused``: it can't be opened at all; ``damage``: offset of the damaged place."""

    packets: list[Packet] = field(default_factory=list)
    skipped: int = 0
    damage: int | None = None
    refused: bool = False


@dataclass
class Interface:
    """Of a pcapng section."""

    link: str | None
    snaplen: int
    resolution: int = 6
    offset: int = 0

    def time(self, stamp: int) -> int:
        """Nanoseconds, exactly, rounded down, kept within int64."""
        n = self.resolution & 0x7F
        unit = Fraction(1, 2**n) if self.resolution & 0x80 else Fraction(1, 10**n)
        ns = (Fraction(stamp) * unit * 10**9) // 1 + self.offset * 10**9
        return int(max(-(2**63), min(2**63 - 1, ns)))


def decapsulate(link: str | None, data: bytes) -> tuple[int, int] | None:
    """(ethertype, bytes to drop); None when the packet can't be delivered."""
    if link == ETHERNET:
        return 0, 0
    if link == RAW4:
        return 0x0800, 0
    if link == RAW6:
        return 0x86DD, 0
    if link == RAW and data:
        return {4: (0x0800, 0), 6: (0x86DD, 0)}.get(data[0] >> 4)
    if link == LOOP and len(data) >= 4:
        families = {int.from_bytes(data[:4], "little"), int.from_bytes(data[:4], "big")}
        if 2 in families:
            return 0x0800, 4
        return (0x86DD, 4) if families & {10, 24, 28, 30} else None
    if link == SLL and len(data) >= 16:
        hardware, protocol = struct.unpack(">2xH10xH", data[:16])
        return (protocol, 16) if protocol >= 0x600 and hardware not in (770, 801, 802, 803, 824) else None
    if link == SLL2 and len(data) >= 20:
        protocol, hardware = struct.unpack(">H6xH", data[:10])
        return (protocol, 20) if protocol >= 0x600 and hardware not in (770, 801, 802, 803, 824) else None
    return None


def _deliver(capture: Capture, link: str | None, time: int, data: bytes, wirelen: int, interface: int) -> None:
    found = decapsulate(link, data)
    if found is None:
        capture.skipped += 1
        return
    ethertype, drop = found
    wirelen = min(max(wirelen, len(data)) - drop, 2**31 - 1)
    capture.packets.append(Packet(time, data[drop:], wirelen, ethertype, interface))


def read(raw: bytes, packet_limit: int = 262144, option_limit: int = 131072) -> Capture:
    """Read a whole file."""
    if raw[:4] in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d"):
        return read_classic(raw, packet_limit)
    if raw[:4] == b"\x0a\x0d\x0d\x0a":
        return read_pcapng(raw, packet_limit, 64 + packet_limit + option_limit)
    return Capture(refused=True)


def read_classic(raw: bytes, packet_limit: int) -> Capture:
    """pcap."""
    capture = Capture()
    order = "<" if raw[0] in (0xD4, 0x4D) else ">"
    scale = 1 if 0x3C in raw[1:3] else 1000
    if len(raw) < 24:
        return Capture(refused=True)
    major, minor, link = struct.unpack(order + "4xHH12xI", raw[:24])
    if (major != 2 and major != 543) or link % 2**26 not in LINKS:
        return Capture(refused=True)
    at = 24
    while at < len(raw):
        if len(raw) - at < 16:
            capture.damage = at
            break
        seconds, fraction, caplen, wirelen = struct.unpack(order + "IIII", raw[at : at + 16])
        if (major, minor) < (2, 3) or major == 543 or ((major, minor) == (2, 3) and caplen > wirelen):
            caplen, wirelen = wirelen, caplen
        if caplen > packet_limit or at + 16 + caplen > len(raw):
            capture.damage = at
            break
        data = raw[at + 16 : at + 16 + caplen]
        _deliver(capture, LINKS[link % 2**26], seconds * 10**9 + fraction * scale, data, wirelen, 0)
        at += 16 + caplen
    return capture


class _Damaged(Exception):
    pass


def read_pcapng(raw: bytes, packet_limit: int, block_limit: int) -> Capture:
    """pcapng."""
    capture = Capture()
    at, order, interfaces, last = 0, "<", list[Interface](), 0
    try:
        while at < len(raw):
            if len(raw) - at < 12:
                raise _Damaged
            (kind,) = struct.unpack(order + "I", raw[at : at + 4])
            if kind == 0x0A0D0D0A:
                magic = raw[at + 8 : at + 12]
                if magic not in (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a"):
                    raise _Damaged
                order = "<" if magic[0] == 0x4D else ">"
            (length,) = struct.unpack(order + "I", raw[at + 4 : at + 8])
            least = {0x0A0D0D0A: 28, 1: 20, 2: 32, 3: 16, 6: 32}.get(kind, 12)
            if length < least or length % 4 or (least > 12 and length > block_limit) or at + length > len(raw):
                raise _Damaged
            block = raw[at : at + length]
            if struct.unpack(order + "I", block[-4:]) != (length,):
                raise _Damaged
            if kind == 0x0A0D0D0A:
                if struct.unpack(order + "HH", block[12:16]) not in ((1, 0), (1, 2)):
                    raise _Damaged
                interfaces = []
            elif kind == 1:
                interfaces.append(_interface(block, order))
            elif least > 12:
                last = _packet(capture, kind, block, order, interfaces, last, packet_limit)
            at += length
    except _Damaged:
        if at == 0:
            return Capture(refused=True)
        capture.damage = at
    return capture


def _interface(block: bytes, order: str) -> Interface:
    link, snaplen = struct.unpack(order + "H2xI", block[8:16])
    made = Interface(LINKS.get(link), snaplen)
    options = block[16:-4]
    while len(options) >= 4:
        code, length = struct.unpack(order + "HH", options[:4])
        if code == 0:
            break
        value = options[4 : 4 + length]
        if len(value) < length or (code == 9 and length != 1) or (code == 14 and length != 8):
            raise _Damaged
        if code == 9:
            made.resolution = value[0]
        if code == 14:
            (made.offset,) = struct.unpack(order + "q", value)
        options = options[4 + -(-length // 4) * 4 :]
    return made


def _packet(
    capture: Capture, kind: int, block: bytes, order: str, interfaces: list[Interface], last: int, limit: int
) -> int:
    stamp, number, body = None, 0, block[28:-4]
    if kind == 3:
        (wirelen,) = struct.unpack(order + "I", block[8:12])
        caplen, body = wirelen, block[12:-4]
    elif kind == 6:
        number, high, low, caplen, wirelen = struct.unpack(order + "5I", block[8:28])
        stamp = high << 32 | low
    else:
        number, high, low, caplen, wirelen = struct.unpack(order + "H2x4I", block[8:28])
        stamp = high << 32 | low
    if number >= len(interfaces):
        raise _Damaged
    interface = interfaces[number]
    if kind == 3 and interface.snaplen:
        caplen = min(caplen, interface.snaplen)
    if caplen > limit or caplen > len(body):
        raise _Damaged
    time = last if stamp is None else interface.time(stamp)
    _deliver(capture, interface.link, time, body[:caplen], wirelen, number)
    return time
