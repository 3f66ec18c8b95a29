"""Putting a frame or packet into a tunnel, in plain Python."""

from __future__ import annotations

from tests.naive.ip4_fast import checksum
from tests.naive.tunnels.inner_hash import frame_hash, packet_hash
from tests.naive.tunnels.tunnel import IpTunnel, UdpTunnel

COPY_DF, SET_DF, COPY_DSCP, COPY_ECN, COPY_TTL = 1, 2, 4, 8, 64
PROTOCOLS = {"l3": 0x0800, "teb": 0x6558, "erspan": 0x88BE}


def ip4(src: bytes, dst: bytes, protocol: int, ttl: int, payload: bytes, tos: int = 0, fragment: int = 0) -> bytes:
    """An outer packet."""
    head = bytes([0x45, tos]) + (20 + len(payload)).to_bytes(2, "big") + b"\0\0" + fragment.to_bytes(2, "big")
    head += bytes([ttl, protocol, 0, 0]) + src + dst
    return head[:10] + checksum(head).to_bytes(2, "big") + head[12:] + payload


def udp(t: UdpTunnel, inside: bytes, geneve: bool, router_id: int = 0) -> bytes:
    """VXLAN or GENEVE. The hash stands in the packet as a little-endian machine stores it (VPP's on x86)."""
    port = (packet_hash if t.is_l3 else frame_hash)(inside, router_id) & 0xFFFF
    own = (b"\0\0\x65\x58" if geneve else b"\x08\0\0\0") + t.vni.to_bytes(3, "big") + b"\0"
    size = 8 + len(own) + len(inside)
    head = port.to_bytes(2, "little") + t.dst_port.to_bytes(2, "big") + size.to_bytes(2, "big") + b"\0\0"
    return ip4(t.src, t.dst, 17, 254, head + own + inside)


def gre_header(t: IpTunnel) -> bytes:
    """GRE's own header, but for ERSPAN's numbers."""
    flags = 0x1000 if t.kind == "erspan" else 0x2000 if t.key else 0
    return (
        flags.to_bytes(2, "big") + PROTOCOLS[t.kind].to_bytes(2, "big") + (t.key.to_bytes(4, "big") if t.key else b"")
    )


def erspan_header(t: IpTunnel, sequence: int) -> bytes:
    """The sequence number, then type II's header."""
    return sequence.to_bytes(4, "big") + b"\x10\x00" + (0x1800 | t.session).to_bytes(2, "big") + bytes(4)


def fixed_up(inner: bytes, flags: int, tos: int, ttl: int) -> tuple[int, int, int]:
    """TOS, fragment bits and TTL of the outer header around an inner one."""
    fragment = 0x4000 if flags & SET_DF else 0
    if flags & COPY_DSCP:
        tos = tos & 3 | inner[1] & 0xFC
    if flags & COPY_ECN:
        tos = tos & 0xFC | inner[1] & 3
    if flags & COPY_DF:
        fragment |= (inner[6] & 0x40) << 8
    return tos, fragment, inner[8] if flags & COPY_TTL else ttl


def midchain(t: IpTunnel, inside: bytes, *, gre: bool, flags: int = 0, dscp: int = 0, copies: bool = True) -> bytes:
    """What leaves a GRE or IPIP tunnel around ``inside``; ``copies``: that is an IPv4 packet, whose header counts."""
    tos, fragment, ttl = 0 if flags & COPY_DSCP else dscp << 2, 0x4000 if flags & SET_DF else 0, 254 if gre else 64
    if copies:
        tos, fragment, ttl = fixed_up(inside, flags, tos, ttl)
    payload = gre_header(t) + inside if gre else inside
    return ip4(t.src, t.dst, 47 if gre else 4, ttl, payload, tos, fragment)
