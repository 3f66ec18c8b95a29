"""Hypothesis strategies: whole capture files, healthy ones and damaged ones."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

from tests.pcap import build

ORDERS = st.sampled_from("<>")
LINK_TYPES = st.sampled_from([1, 1, 0, 108, 12, 14, 101, 228, 229, 113, 276])


@st.composite
def payload(draw: st.DrawFn, link: int, limit: int = 90) -> bytes:
    """Captured bytes that often make sense for the link type."""
    rest = draw(st.binary(max_size=limit - 20))
    ethertype = draw(st.sampled_from([0x0800, 0x86DD, 0x8100, 0x0806, 4, 0]) | st.integers(0, 0xFFFF))
    hardware = draw(st.sampled_from([1, 1, 1, 772, 824, 803]))
    head = b""
    if link in (12, 14, 101):
        head = draw(st.sampled_from([b"\x45", b"\x60", b"\x10", b""]))
    elif link in (0, 108):
        family = draw(st.sampled_from([2, 10, 24, 28, 30, 7]))
        head = struct.pack(draw(ORDERS) + "I", family)
    elif link == 113:
        head = struct.pack(">HHH8xH", 0, hardware, 6, ethertype)
    elif link == 276:
        head = struct.pack(">HHIHBB8x", ethertype, 0, 1, hardware, 0, 6)
    return draw(st.sampled_from([head + rest, head + rest, head + rest, head[:3]]))


@st.composite
def classic_file(draw: st.DrawFn) -> bytes:
    """A healthy pcap."""
    link = draw(LINK_TYPES)
    flags = draw(st.sampled_from([0, 0, 0x4000_0000 | 1 << 26]))  # FCS length
    number = st.integers(0, 0xFFFFFFFF)
    packets = draw(st.lists(st.tuples(number, number, payload(link)), max_size=25))
    version = draw(st.sampled_from([(2, 4), (2, 4), (2, 3), (2, 1), (543, 0)]))
    return build.classic(packets, order=draw(ORDERS), nano=draw(st.booleans()), link=link | flags, version=version)


RESOLUTIONS = st.none() | st.sampled_from([0, 3, 6, 9, 12, 18, 27, 28, 29, 0x80, 0x8A, 0xA0, 0xBF, 0xC0, 0xFF])
OFFSETS = st.none() | st.sampled_from([0, 1, -1, 2**40, -(2**63), 2**63 - 1]) | st.integers(-(2**34), 2**34)
STAMPS = st.integers(0, 2**64 - 1) | st.sampled_from([0, 2**63 - 1, 2**63, 2**64 - 1]) | st.integers(0, 10**15)


@st.composite
def one_section(draw: st.DrawFn) -> bytes:
    """A healthy section: interfaces, packets of the three kinds, blocks of other types."""
    order = draw(ORDERS)
    made = build.section(order, draw(st.sampled_from([(1, 0), (1, 2)])))
    links: list[int] = []
    for kind in draw(st.lists(st.sampled_from("iieeeeosu"), max_size=16)):
        if kind == "i" or not links:
            link = draw(LINK_TYPES | st.sampled_from([9, 104]))
            options = {"resolution": draw(RESOLUTIONS), "offset": draw(OFFSETS)}
            made += build.interface(link, order=order, snaplen=draw(st.sampled_from([0, 10, 500])), **options)
            links.append(link)
        number = draw(st.integers(0, len(links) - 1))
        data = draw(payload(links[0 if kind == "s" else number]))
        if kind == "e":
            wire = draw(st.sampled_from([len(data), 0, 1500, 0xFFFFFFFF]))
            made += build.enhanced(data, draw(STAMPS), number, order=order, wire=wire)
        elif kind == "o":
            made += build.obsolete(data, draw(STAMPS), number, order=order)
        elif kind == "s":
            made += build.simple(data, order=order)
        elif kind == "u":
            size = draw(st.sampled_from([0, 3, 40, 1000]))
            made += build.block(draw(st.sampled_from([4, 5, 10, 0x0BAD, 0x80000001])), b"u" * size, order)
    return made


def pcapng_file() -> st.SearchStrategy[bytes]:
    """A healthy pcapng of one to three sections."""
    return st.lists(one_section(), min_size=1, max_size=3).map(b"".join)


@st.composite
def damaged_file(draw: st.DrawFn) -> bytes:
    """A file cut off anywhere, or with some bytes overwritten."""
    raw = bytearray(draw(classic_file() | pcapng_file()))
    if draw(st.booleans()):
        return bytes(raw[: draw(st.integers(0, len(raw)))])
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw) - 1))
        raw[at] = draw(st.sampled_from([0, 1, 4, 0x0A, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
    return bytes(raw)
