"""Link layers: which are understood, and what ethertype a packet of them gets.

Source: https://www.tcpdump.org/linktypes.html (LINKTYPE_ numbers and header layouts). Ethernet frames
are delivered as they are. Raw IP, NULL/LOOP and Linux cooked packets lose their link header and are
delivered as L3 packets with an ethertype, for which the engine makes up an Ethernet header.
"""

from __future__ import annotations

from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import be16, bswap32, ld8, ld32

ETHERNET, RAW, LOOPBACK, SLL, SLL2, RAW4, RAW6, UNSUPPORTED = range(8)
"""Kinds of link layer, as `link_header` takes them."""

KINDS = {
    1: ETHERNET,
    0: LOOPBACK,  # NULL: address family in the byte order of the machine that captured
    108: LOOPBACK,  # LOOP: address family in network byte order
    12: RAW,  # DLT_RAW of most systems, seen in files although 101 was meant
    14: RAW,  # DLT_RAW of OpenBSD
    101: RAW,
    228: RAW4,
    229: RAW6,
    113: SLL,
    276: SLL2,
}
"""LINKTYPE number to kind; every other number is UNSUPPORTED."""

# Why a packet is skipped: codes 1 to REASONS of `vectorplane.pcap.index`.
LINK_TYPE, TOO_SHORT, FAMILY, PROTOCOL, IP_VERSION = range(1, 6)
REASON_TEXT = {
    LINK_TYPE: "the link type is not supported",
    TOO_SHORT: "the captured bytes end within the link header",
    FAMILY: "the address family of the loopback header is neither IPv4 nor IPv6",
    PROTOCOL: "the cooked header names no ethertype",
    IP_VERSION: "the raw packet is neither IPv4 nor IPv6",
}

IP4, IP6 = 0x0800, 0x86DD


@helper
def _raw(at: int, caplen: int) -> int:
    if caplen < 1:
        return -TOO_SHORT
    version = ld8(at) >> 4
    if version == 4:
        return IP4
    if version == 6:
        return IP6
    return -IP_VERSION


@helper
def _loopback(at: int, caplen: int) -> int:
    if caplen < 4:
        return -TOO_SHORT
    family = ld32(at)
    if family > 0xFFFF:  # families are small numbers, so this is the other byte order
        family = bswap32(family)
    if family == 2:
        return 4 << 16 | IP4
    if family == 10 or family == 24 or family == 28 or family == 30:  # Linux; NetBSD, OpenBSD; FreeBSD; macOS
        return 4 << 16 | IP6
    return -FAMILY


@helper
def _cooked(hardware: int, protocol: int, size: int) -> int:
    # Netlink (824), Frame Relay (770) and 802.11 (801 - 803) put something else than an ethertype there.
    if protocol < 0x0600 or hardware == 824 or hardware == 770 or (hardware >= 801 and hardware <= 803):
        return -PROTOCOL
    return size << 16 | protocol


@helper
def link_header(kind: int, at: int, caplen: int) -> int:
    """Bytes of link header to drop << 16 | ethertype (0: Ethernet), or minus the reason to skip the packet.

    ``at`` is the address of the first of ``caplen`` captured bytes, ``kind`` a value of `KINDS`.
    """
    if kind == ETHERNET:
        return 0
    if kind == RAW:
        return _raw(at, caplen)
    if kind == LOOPBACK:
        return _loopback(at, caplen)
    if kind == SLL:
        return _cooked(be16(at + 2), be16(at + 14), 16) if caplen >= 16 else -TOO_SHORT
    if kind == SLL2:
        return _cooked(be16(at + 8), be16(at), 20) if caplen >= 20 else -TOO_SHORT
    if kind == RAW4:
        return IP4
    if kind == RAW6:
        return IP6
    return -LINK_TYPE
