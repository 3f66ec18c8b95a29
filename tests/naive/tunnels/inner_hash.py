"""What a frame's UDP source port is made of, in plain Python (VPP's ``vnet_l2_compute_flow_hash``, default fields)."""

from __future__ import annotations

from tests.naive.ip4_fast import flow_hash as ip4_hash
from tests.naive.ip4_fast import lookup3

FIELDS = 31
"""Both addresses, the protocol, both ports."""
M32, M64 = (1 << 32) - 1, (1 << 64) - 1
TAGS = (b"\x81\x00", b"\x88\xa8")
ENTROPY = 14
TCP, UDP, HOP_BY_HOP, FRAGMENT = 6, 17, 0, 44


def mix64(a: int, b: int, c: int) -> int:
    """Bob Jenkins' 64-bit mix."""
    for right, left, again in ((43, 9, 8), (38, 23, 5), (35, 49, 11), (12, 18, 22)):
        a = (a - b - c ^ c >> right) & M64
        b = (b - c - a ^ a << left) & M64
        c = (c - a - b ^ b >> again) & M64
    return c & M32


def ip6_hash(packet: bytes, router_id: int = 0) -> int:
    """Of an IPv6 packet; ports count only where they are in it."""
    protocol, rest = packet[6], packet[40:]
    ports = protocol in (TCP, UDP)
    if protocol == HOP_BY_HOP and len(rest) >= 8:
        protocol = rest[0]
        rest = rest[(rest[1] + 1) * 8 :]
        ports = protocol in (TCP, UDP)
    if protocol == FRAGMENT and len(rest) >= 8:
        protocol, ports = rest[0], False
    word = int.from_bytes(rest[:4], "little") if ports and len(rest) >= 4 else 0
    first, second, third, fourth = (int.from_bytes(packet[k : k + 8], "little") for k in (8, 16, 24, 32))
    label = int.from_bytes(packet[:4], "big") & 0xFFFFF
    return mix64(first ^ second, third ^ fourth ^ protocol, word ^ (router_id << 32 | label))


def mpls_hash(data: bytes, router_id: int = 0) -> int:
    """Of a stack of labels and what is behind it; a stack that does not end is taken as far as it goes."""
    words = [int.from_bytes(data[:4], "big")]
    while not words[-1] & 0x100 and len(data) >= 8:
        data = data[4:]
        words.append(int.from_bytes(data[:4], "big"))
    total = router_id ^ words[0] >> 12
    for k in range(1, len(words)):
        if k > 1 and words[k - 1] >> 12 == ENTROPY:
            return words[k]
        if words[k] >> 12 != ENTROPY:
            total ^= words[k] >> 12
    behind = data[4:]
    if len(behind) >= 20 and behind[0] >> 4 == 4:
        total ^= ip4_hash(behind, FIELDS, router_id)
    elif len(behind) >= 40 and behind[0] >> 4 == 6:
        total ^= ip6_hash(behind, router_id)
    return total & M32


def frame_hash(frame: bytes, router_id: int = 0) -> int:
    """Of an Ethernet frame."""
    at = 14
    if frame[12:14] in TAGS and len(frame) >= 18:
        at = 22 if frame[16:18] == TAGS[0] and len(frame) >= 22 else 18
    kind, rest = frame[at - 2 : at], frame[at:]
    if kind == b"\x08\x00" and len(rest) >= 20:
        return ip4_hash(rest, FIELDS, router_id)
    if kind == b"\x86\xdd" and len(rest) >= 40:
        return ip6_hash(rest, router_id)
    if kind == b"\x88\x47" and len(rest) >= 4:
        return mpls_hash(rest, router_id)
    addresses = (int.from_bytes(frame[k : k + 4], "little") for k in (2, 8))
    return lookup3(*addresses, int.from_bytes(kind, "big"))


def packet_hash(packet: bytes, router_id: int = 0) -> int:
    """Of an IP packet."""
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        return ip4_hash(packet, FIELDS, router_id)
    if len(packet) >= 40 and packet[0] >> 4 == 6:
        return ip6_hash(packet, router_id)
    return router_id
