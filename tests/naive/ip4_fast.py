"""The IPv4 fast path, one packet at a time: ip4-input's checks, longest-prefix match, the flow hash, ip4-rewrite."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

M32 = 0xFFFFFFFF


def checksum(data: bytes) -> int:
    """RFC 1071: what a checksum over these bytes (zeros in its place) is; 0 when it is in them and right."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def header(
    *,
    total: int = 40,
    ttl: int = 64,
    fragment: int = 0,
    protocol: int = 17,
    source: int = 0x01020304,
    destination: int = 0x0A000001,
    options: bytes = b"",
    first: int | None = None,
    identification: int = 1,
    tos: int = 0,
) -> bytes:
    """An IPv4 header with a right checksum (whatever else may be wrong with it)."""
    first = 0x40 | (5 + len(options) // 4) if first is None else first
    fields = (first, tos, total, identification, fragment, ttl, protocol, 0, source, destination)
    raw = struct.pack(">BBHHHBBHII", *fields) + options
    return raw[:10] + struct.pack(">H", checksum(raw)) + raw[12:]


def ip4_input(packet: bytes, in_first_buffer: int, *, verify: bool = True) -> tuple[str, str | None]:
    """(next node, error): in VPP's order the last check that fails decides; here the first, in the reverse order."""
    if in_first_buffer < 20:
        return "error-drop", "ip4 length < 20 bytes"
    total = int.from_bytes(packet[2:4], "big")
    size = (packet[0] & 15) * 4
    drop = "error-drop"
    if total > len(packet):
        return drop, "ip4 length > l2 length"
    if total < 20:
        return drop, "ip4 length < 20 bytes"
    if int.from_bytes(packet[6:8], "big") & 0x1FFF == 1:
        return drop, "ip4 fragment offset == 1"
    if packet[8] == 0:
        return "ip4-icmp-error", "ip4 ttl <= 1"
    if packet[0] >> 4 != 4:
        return drop, "ip4 version != 4"
    if size < 20:
        return drop, "ip4 IHL < 5"
    if size > min(total, in_first_buffer):
        return drop, "ip4 length > l2 length"
    if verify and checksum(packet[:size]) != 0:
        return drop, "bad ip4 checksum"
    if size > 20:
        return "ip4-options", "ip4 options present"
    return ("ip4-mfib-forward-lookup" if packet[16] >> 4 == 14 else "ip4-lookup"), None


def longest_match(routes: Iterable[tuple[int, int, int]], address: int) -> int | None:
    """The value of the longest of the (prefix, length, value) that hold the address."""
    best, found = -1, None
    for prefix, length, value in routes:
        mask = M32 << (32 - length) & M32
        if address & mask == prefix & mask and length > best:
            best, found = length, value
    return found


SRC, DST, PROTO, SRC_PORT, DST_PORT, REVERSE, SYMMETRIC, GTP_TUNNEL = 1, 2, 4, 8, 16, 32, 64, 128


def rotate(x: int, n: int) -> int:
    """Of 32 bits."""
    return (x << n | x >> (32 - n)) & M32


def lookup3(a: int, b: int, c: int) -> int:
    """Bob Jenkins' mix and final (public domain, 2006) as his page has them, over three words."""
    for n, (x, y, z) in zip((4, 6, 8, 16, 19, 4), ("acb", "bac", "cba") * 2, strict=True):
        v = {"a": a, "b": b, "c": c}
        v[x] = (v[x] - v[y]) & M32
        v[x] ^= rotate(v[y], n)
        v[y] = (v[y] + v[z]) & M32
        a, b, c = v["a"], v["b"], v["c"]
    for n, (x, y) in zip((14, 11, 25, 16, 4, 14, 24), ("cb", "ac", "ba", "cb", "ac", "ba", "cb"), strict=True):
        v = {"a": a, "b": b, "c": c}
        v[x] = ((v[x] ^ v[y]) - rotate(v[y], n)) & M32
        a, b, c = v["a"], v["b"], v["c"]
    return c


def flow_hash(packet: bytes, config: int, router_id: int = 0) -> int:
    """VPP's hash of a packet whose header has no options; all numbers as a little-endian machine loads them."""
    protocol = packet[9]
    a = int.from_bytes(packet[12:16], "little") if config & SRC else 0
    b = int.from_bytes(packet[16:20], "little") if config & DST else 0
    sport = dport = 0
    if protocol in (6, 17) and len(packet) >= 24:
        sport = int.from_bytes(packet[20:22], "little") if config & SRC_PORT else 0
        dport = int.from_bytes(packet[22:24], "little") if config & DST_PORT else 0
    if config & REVERSE:
        a, b = b, a
    if config & SYMMETRIC:
        a, b = sorted((a, b))
        sport, dport = sorted((sport, dport))
    if config & PROTO:
        b ^= protocol
    c = sport << 16 | dport if config & REVERSE else dport << 16 | sport
    if config & GTP_TUNNEL and protocol == 17 and packet[22:24] == (2152).to_bytes(2, "big") and len(packet) >= 36:
        c ^= int.from_bytes(packet[32:36], "little")
    return lookup3(a ^ router_id, b, c)


@dataclass(frozen=True)
class Rewritten:
    """What ip4-rewrite made of a packet."""

    next: str
    error: str | None
    data: bytes
    icmp: tuple[int, int, int] | None = None


def rewrite(packet: bytes, *, mtu: int, prefix: bytes, output: str, local: bool = False) -> Rewritten:
    """TTL, MTU, the new header in front. The checksum is computed anew."""

    def with_ttl(ttl: int) -> bytes:
        size = (packet[0] & 15) * 4
        raw = packet[:8] + bytes([ttl]) + packet[9:10] + b"\0\0" + packet[12:]
        return raw[:10] + struct.pack(">H", checksum(raw[:size])) + raw[12:]

    total = int.from_bytes(packet[2:4], "big")
    if not local and packet[8] <= 1:
        return Rewritten("ip4-icmp-error", "ip4 ttl <= 1", with_ttl(0), (11, 0, 0))
    if total > mtu:
        if packet[6] & 0x40:
            return Rewritten("ip4-icmp-error", "ip4 MTU exceeded and DF set", packet, (3, 4, mtu))
        return Rewritten("ip4-frag", None, packet)
    return Rewritten(output, None, prefix + (packet if local else with_ttl(packet[8] - 1)))
