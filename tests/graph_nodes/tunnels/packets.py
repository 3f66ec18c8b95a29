"""Tunnels and outer packets that meet: few addresses, VNIs, ports and keys; what is inside may be cut, or random."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.graph_nodes.l2.frames import frames
from tests.naive.tunnels.encap import ip4
from tests.naive.tunnels.tunnel import IpTunnel, UdpTunnel
from tests.naive.tunnels.udp_input import Outer

ADDRESSES = [bytes([10, 0, 0, n]) for n in (1, 2, 3)] + [bytes([192, 168, 255, 254])]
GROUPS = [bytes([239, 1, 1, 1]), bytes([224, 0, 0, 77])]
VNIS = [0, 1, 0x123456, 0xFFFFFF]
FIBS = [0, 0, 3]
PORTS = [4789, 4789, 5000, 65535]
KEYS = [0, 0, 1, 0x80000000, 0xCAFEBABE]
SESSIONS = [0, 5, 1023]
PROTOCOLS = [0x0800, 0x0800, 0x86DD, 0x6558, 0x88BE, 0x88BE, 0x1234]

addresses = st.sampled_from(ADDRESSES)
either = st.sampled_from(ADDRESSES + GROUPS)


@st.composite
def udp_tunnels(draw: st.DrawFn, geneve: bool) -> list[UdpTunnel]:
    """Up to eight, none of which could be taken for another."""
    made: dict[Any, UdpTunnel] = {}
    for n in range(draw(st.integers(0, 8))):
        port = 6081 if geneve else draw(st.sampled_from(PORTS))
        t = UdpTunnel(
            interface=4 + n,
            src=draw(addresses),
            dst=draw(either),
            vni=draw(st.sampled_from(VNIS)),
            fib=draw(st.sampled_from(FIBS)),
            src_port=port,
            dst_port=port if geneve else draw(st.sampled_from(PORTS)),
            next=draw(st.sampled_from(["l2-input", "l2-input", "ip4-input", "ethernet-input"])),
        )
        key: Any = (t.dst, t.vni) if geneve else (t.dst, t.is_group or t.src, t.vni, t.fib, t.src_port)
        if t.src != t.dst:
            made.setdefault(key, t)
    return list(made.values())


@st.composite
def outers(draw: st.DrawFn, geneve: bool) -> Outer:
    """A packet of such a tunnel, or nearly so."""
    inside = draw(st.one_of(frames(), st.binary(max_size=30)))
    vni = draw(st.sampled_from(VNIS)).to_bytes(3, "big")
    last = draw(st.sampled_from([b"\0"] * 6 + [b"\1"]))
    if geneve:
        words = draw(st.sampled_from([0, 0, 0, 1, 3, 63]))
        first = draw(st.sampled_from([0, 0, 0, 0, 0x40])) | words
        flags = draw(st.sampled_from([0, 0, 0, 0x80, 0x40]))
        kind = draw(st.sampled_from([b"\x65\x58", b"\x65\x58", b"\x08\0"]))
        head = bytes([first, flags]) + kind + vni + last + bytes(range(4 * words))
        port = 6081
    else:
        head = draw(st.sampled_from([b"\x08"] * 8 + [b"\0", b"\x88", b"\x0c"])) + bytes(3) + vni + last
        port = draw(st.sampled_from(PORTS))
    payload = head + inside
    if draw(st.integers(0, 7)) == 0:
        payload = payload[: draw(st.integers(0, 40))]
    return Outer(draw(addresses), draw(either), port, draw(st.sampled_from(FIBS)), payload)


def udp_packet(o: Outer) -> bytes:
    """The whole packet."""
    udp = b"\x12\x34" + o.port.to_bytes(2, "big") + (8 + len(o.payload)).to_bytes(2, "big") + b"\0\0"
    return ip4(o.src, o.dst, 17, 64, udp + o.payload)


@st.composite
def ip_tunnels(draw: st.DrawFn, gre: bool) -> list[IpTunnel]:
    """The same for GRE or IPIP."""
    made: dict[Any, IpTunnel] = {}
    for n in range(draw(st.integers(0, 8))):
        kind = draw(st.sampled_from(["l3", "teb", "erspan"])) if gre else "l3"
        t = IpTunnel(
            interface=4 + n,
            src=draw(addresses),
            dst=draw(addresses),
            fib=draw(st.sampled_from(FIBS)),
            kind=kind,
            key=draw(st.sampled_from(KEYS)) if gre and kind != "erspan" else 0,
            session=draw(st.sampled_from(SESSIONS)) if kind == "erspan" else 0,
            decap_ecn=not gre and draw(st.booleans()),
        )
        made.setdefault((t.src, t.dst, t.fib, t.kind, t.key, t.session), t)
    return list(made.values())


@st.composite
def gre_packets(draw: st.DrawFn) -> bytes:
    """An outer packet with GRE in it, sometimes with options; cut."""
    flags = 0
    fields = b""
    if draw(st.integers(0, 5)) == 0:
        flags |= 0x8000
        fields += b"\xab\xcd\0\0"
    if draw(st.integers(0, 2)) == 0:
        flags |= 0x2000
        fields += draw(st.sampled_from(KEYS)).to_bytes(4, "big")
    if draw(st.booleans()):
        flags |= 0x1000
        fields += b"\0\0\0\7"
    protocol = draw(st.sampled_from(PROTOCOLS))
    if protocol == 0x88BE and flags & 0x1000:
        fields += b"\x10\x64" + (draw(st.sampled_from(SESSIONS)) | draw(st.sampled_from([0, 0xF800]))).to_bytes(
            2, "big"
        )
        fields += bytes(4)
    flags |= draw(st.sampled_from([0] * 6 + [1, 7]))
    rest = flags.to_bytes(2, "big") + protocol.to_bytes(2, "big") + fields + draw(st.binary(max_size=40))
    return cut(draw, with_options(draw, ip4(draw(addresses), draw(addresses), 47, 64, rest)))


@st.composite
def ipip_packets(draw: st.DrawFn) -> bytes:
    """An outer packet with an IP packet in it, sometimes a fragment; cut."""
    protocol = draw(st.sampled_from([4, 4, 4, 41, 41, 47]))
    fragment = draw(st.sampled_from([0, 0, 0, 0x4000, 0x2000, 0x2001, 5]))
    tos = draw(st.integers(0, 255))
    inside = ip4(draw(addresses), draw(addresses), 17, 9, draw(st.binary(max_size=30)), draw(st.integers(0, 255)))
    inside = draw(st.one_of(st.just(inside), st.binary(max_size=60)))
    packet = ip4(draw(addresses), draw(addresses), protocol, 64, inside, tos, fragment)
    return cut(draw, with_options(draw, packet))


def with_options(draw: st.DrawFn, packet: bytes) -> bytes:
    """Sometimes a longer header, or one that says that it is shorter than it can be."""
    words = draw(st.sampled_from([5] * 7 + [6, 15, 4]))
    return bytes([0x40 | words]) + packet[1:20] + b"\1" * max(0, 4 * words - 20) + packet[20:]


def cut(draw: st.DrawFn, packet: bytes) -> bytes:
    """Sometimes only the beginning."""
    return packet[: draw(st.integers(0, 60))] if draw(st.integers(0, 7)) == 0 else packet
