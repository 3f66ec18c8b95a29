"""Packets and rules for tests of ACLs, from few addresses and ports so that they meet."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

from tests.backends.acl.walled import INSIDE, NETWORKS, OUTSIDE
from tests.naive.ip4_packet import Ip4
from vectorplane.backends.engine.acl.rule import AclRule

HOSTS = 3
PORTS = (53, 80, 1024, 1025, 5000)
TYPES = (0, 3, 8, 13, 14)
FLAGS = (0x02, 0x12, 0x10, 0x11, 0x04, 0x18)
PROTOCOLS = (1, 6, 17, 47)


def l4(protocol: int, ports: tuple[int, int], flags: int, kind: int) -> bytes:
    """An L4 header and some data."""
    if protocol == 6:
        return struct.pack(">HHIIBBHHH", *ports, 1, 2, 0x50, flags, 512, 0, 0) + b"tcp"
    if protocol == 17:
        return struct.pack(">HHHH", *ports, 11, 0) + b"udp"
    if protocol == 1:
        return bytes([kind, 0, 0, 0, 0, 1, 0, 1]) + b"icmp"
    return bytes(range(12))


@st.composite
def packets(draw: st.DrawFn, inward: bool) -> bytes:
    """IPv4 packets from one side to the other; now and then a fragment, options or a cut header."""
    source, destination = (NETWORKS[OUTSIDE], NETWORKS[INSIDE]) if inward else (NETWORKS[INSIDE], NETWORKS[OUTSIDE])
    protocol = draw(st.sampled_from(PROTOCOLS))
    ports = draw(st.sampled_from(PORTS[:3])), draw(st.sampled_from(PORTS[:3]))
    payload = l4(protocol, ports, draw(st.sampled_from(FLAGS)), draw(st.sampled_from(TYPES)))
    packet = Ip4(
        source + draw(st.integers(1, HOSTS)),
        destination + draw(st.integers(1, HOSTS)),
        protocol,
        payload,
        dont_fragment=True,
    )
    odd = draw(st.integers(0, 11))
    if odd == 0:
        packet.offset, packet.dont_fragment = 64, False
    elif odd == 1:
        packet.payload = payload[: draw(st.integers(0, 13))]
    elif odd == 2:
        packet.more, packet.dont_fragment = True, False
    return bytes(packet)


def answer(packet: bytes) -> bytes:
    """The same the other way."""
    back = bytearray(packet)
    back[12:16], back[16:20] = packet[16:20], packet[12:16]
    if packet[6] & 0x1F or packet[7]:
        return bytes(back)
    if len(packet) >= 24 and packet[9] in (6, 17):
        back[20:22], back[22:24] = packet[22:24], packet[20:22]
    elif len(packet) > 20 and packet[9] == 1:
        back[20] = {8: 0, 13: 14}.get(packet[20], packet[20])
    return bytes(back)


@st.composite
def ranges(draw: st.DrawFn, values: tuple[int, ...], top: int) -> tuple[int, int]:
    """All, one, or some."""
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return 0, top
    one, other = sorted((draw(st.sampled_from(values)), draw(st.sampled_from(values))))
    return (one, one) if kind == 1 else (one, other)


@st.composite
def prefixes(draw: st.DrawFn) -> tuple[int, int]:
    """Around the hosts."""
    length = draw(st.sampled_from([0, 0, 8, 23, 24, 30, 31, 32]))
    address = draw(st.sampled_from(list(NETWORKS.values()))) + draw(st.integers(0, HOSTS))
    if draw(st.integers(0, 15)):
        address = address >> 32 - length << 32 - length
    return address, length


@st.composite
def rules(draw: st.DrawFn) -> AclRule:
    """Any rule for IPv4."""
    protocol = draw(st.sampled_from((0, *PROTOCOLS, 6, 17)))
    values, top = (TYPES, 255) if protocol == 1 else (PORTS, 65535)
    flags = draw(st.sampled_from([0, 0, 0x12, 0x02]))
    return AclRule(
        draw(st.sampled_from([0, 1, 2, 2])),
        False,
        *draw(prefixes()),
        *draw(prefixes()),
        protocol,
        *draw(ranges(values, top)),
        *(draw(ranges((0, 3), 255)) if protocol == 1 else draw(ranges(values, top))),
        flags,
        flags & draw(st.sampled_from([0, 0x12, 0x02])),
    )


rule_lists = st.one_of(
    st.lists(rules(), max_size=4),
    st.lists(rules(), min_size=9, max_size=30),
)
"""Few rules are tried one after the other, more are found by tuples."""
