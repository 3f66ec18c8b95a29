"""vxlan4-input, geneve4-input and the short ways to them, in plain Python: whose packet is it, and what is inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tests.naive.ip4_fast import checksum
from tests.naive.l2.header import header_length
from tests.naive.tunnels.tunnel import Decapsulated, UdpTunnel

NO_TUNNEL = "no such tunnel packets"
GENEVE_PORT = 6081


class Outer(NamedTuple):
    """The outer headers of a packet, and what is behind UDP's."""

    src: bytes
    dst: bytes
    port: int
    fib: int
    payload: bytes


def is_group(address: bytes) -> bool:
    """A multicast address?"""
    return address[0] >> 4 == 0xE


def vxlan(tunnels: Sequence[UdpTunnel], o: Outer) -> Decapsulated:
    """VXLAN."""
    if len(o.payload) < 8:
        return Decapsulated("error-drop", "packets too short")
    if o.payload[0] != 8:
        return Decapsulated("error-drop", "packets with bad flags field in vxlan header")
    counts = receives = None
    if o.payload[7] == 0:
        vni = int.from_bytes(o.payload[4:7], "big")
        mine = [t for t in tunnels if (t.vni, t.src_port, t.fib) == (vni, o.port, o.fib)]
        to_one = [t for t in mine if not t.is_group]
        counts = receives = next((t for t in to_one if (t.src, t.dst) == (o.dst, o.src)), None)
        if receives is None and is_group(o.dst):
            counts = next((t for t in mine if t.dst == o.dst), None)
            if counts is not None:
                receives = next((t for t in to_one if (t.src, t.dst) == (counts.src, o.src)), None)
    if counts is None or receives is None:
        return Decapsulated("error-drop", NO_TUNNEL)
    return received(receives, counts, o.payload[8:], "packets too short")


def geneve(tunnels: Sequence[UdpTunnel], o: Outer) -> Decapsulated:
    """GENEVE."""
    size = 8 + (o.payload[0] & 63) * 4 if len(o.payload) >= 8 else 0
    if not size or len(o.payload) < size:
        return Decapsulated("error-drop", "packets with invalid options length")
    if o.payload[0] >> 6 or o.payload[1] & 0x40:
        return Decapsulated("error-drop", "packets with bad flags field in geneve header")
    vni = int.from_bytes(o.payload[4:7], "big")
    receives = next((t for t in tunnels if (t.dst, t.vni) == (o.src, vni)), None)
    counts = None
    if receives is not None and receives.fib == o.fib:
        if receives.src == o.dst:
            counts = receives
        elif is_group(o.dst):
            counts = next((t for t in tunnels if (t.dst, t.vni) == (o.dst, vni)), None)
    if receives is None or counts is None:
        return Decapsulated("error-drop", NO_TUNNEL)
    return received(receives, counts, o.payload[size:], "packets with invalid options length")


def received(receives: UdpTunnel, counts: UdpTunnel, inside: bytes, cut: str) -> Decapsulated:
    """A tunnel's packet."""
    if receives.next == "l2-input" and not header_length(inside):
        return Decapsulated("error-drop", cut)
    return Decapsulated(receives.next, None, inside, receives.interface, counts.interface)


def bypass(tunnels: Sequence[UdpTunnel], packet: bytes, fib: int, geneve_port: bool) -> str:
    """Where the short way leads a healthy IPv4 packet to: ``tunnel``, ``next`` (its way) or the reason of a drop."""
    fragment = int.from_bytes(packet[6:8], "big") & 0x3FFF
    if packet[0] != 0x45 or packet[9] != 17 or fragment or len(packet) < 36:
        return "next"
    outer = Outer(packet[12:16], packet[16:20], int.from_bytes(packet[22:24], "big"), fib, packet[28:])
    if geneve_port:
        if outer.port != GENEVE_PORT:
            return "next"
        vni = outer.payload[4:7]
        plain = outer._replace(payload=b"\0\0\x65\x58" + vni + b"\0" + bytes(14))
        found = geneve(tunnels, plain)
    else:
        found = vxlan(tunnels, outer._replace(payload=outer.payload[:8] + bytes(14)))
    if found.error is not None:
        return "next"
    size = int.from_bytes(packet[24:26], "big")
    total = int.from_bytes(packet[2:4], "big")
    pseudo = packet[12:20] + b"\0\x11" + (total - 20).to_bytes(2, "big")
    wrong = packet[26:28] != b"\0\0" and checksum(pseudo + packet[20:total]) != 0
    return "bad udp checksum" if size > total or wrong else "tunnel"
