"""The 5-tuple of a packet, as VPP's acl plugin takes it, and where a node keeps it while a vector goes through.

The L4 word: source port (or ICMP type), destination port (or code) << 16, protocol << 32, `IS_INPUT` and `SLOW` << 40,
the interface << 48; ports in host order. The addresses of an IPv4 packet are one word as they stand in the packet,
those of an IPv6 packet are read from it.

Ports, types and flags are known (`L4_VALID`) when at least 8 bytes of the L4 header are in the packet's first buffer.
A fragment other than the first has none (`NONFIRST`). ICMP, and what is neither TCP nor UDP, is `SLOW`.
"""

from __future__ import annotations

import numpy as np

from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import bswap32, ld8, ld16, ld32, ld64, offsets, rec, shr, st64

SCRATCH = np.dtype(
    [
        ("addresses", "i8"),  # IPv4: source and destination as they stand; IPv6: where the header is
        ("l4", "i8"),
        ("key", "i8"),  # the L4 word of the session, see session_key
        ("hash", "i8"),  # of the session's key; later the rule that matched, or 0
        ("info", "i4"),  # TCP flags and the bits below
        ("session", "i4"),  # -1: none
        ("bits", "i4"),  # for the trace
        ("action", "i4"),
    ],
    align=True,
)
"""One packet's, while its vector goes through the node."""
SCRATCH_SIZE = SCRATCH.itemsize
S_ADDRESSES, S_L4, S_KEY, S_HASH, S_INFO, S_SESSION, S_BITS, S_ACTION = offsets(
    SCRATCH, "addresses", "l4", "key", "hash", "info", "session", "bits", "action"
)

TCP_VALID, L4_VALID, NONFIRST, IS_IP6 = 256, 512, 1024, 2048
"""Bits above the TCP flags in ``info``."""
IS_INPUT, SLOW = 1 << 40, 2 << 40
INTERFACE_SHIFT = 48
_ICMP, _TCP, _UDP, _ICMP6 = 1, 6, 17, 58
_FRAGMENT_HEADER = 44
_OFFSET_LE = 0xFF1F
"""The fragment offset in the flags word of an IPv4 header, as a little-endian load sees it."""


@helper
def _swapped(ports: int) -> int:
    """Both ports as they stand in a packet, in host order with the source lowest."""
    y = bswap32(ports)
    return (y >> 16) | ((y & 0xFFFF) << 16)


@helper
def _fill_l4(s: int, l4: int, left: int, protocol: int, base: int, icmp: int) -> None:
    """Ports and flags of the L4 header at ``l4``, of which at least 8 of ``left`` bytes are there."""
    info = L4_VALID
    word = base
    if protocol == _TCP:
        word |= _swapped(ld32(l4))
        info |= TCP_VALID
        if left >= 14:
            info |= ld8(l4 + 13)
    elif protocol == _UDP:
        word |= _swapped(ld32(l4))
    else:
        word |= SLOW
        if protocol == icmp:
            word |= ld8(l4) | ld8(l4 + 1) << 16
    st64(s + S_L4, word)
    rec(s, SCRATCH).info = info | (IS_IP6 if icmp == _ICMP6 else 0)


@helper
def fill4(s: int, ip: int, length: int, sw_if: int, direction: int) -> None:
    """The 5-tuple of the IPv4 packet at ``ip``, of which ``length`` bytes are in the buffer.

    ``direction``: `IS_INPUT` or 0.
    """
    base = direction | (sw_if & 0xFFFF) << INTERFACE_SHIFT
    if length < 20:
        st64(s + S_ADDRESSES, 0)
        st64(s + S_L4, base)
        rec(s, SCRATCH).info = 0
        return
    protocol = ld8(ip + 9)
    base |= protocol << 32
    st64(s + S_ADDRESSES, ld64(ip + 12))
    at = (ld8(ip) & 15) * 4
    if ld16(ip + 6) & _OFFSET_LE:
        st64(s + S_L4, base)
        rec(s, SCRATCH).info = NONFIRST
    elif at + 8 <= length:
        _fill_l4(s, ip + at, length - at, protocol, base, _ICMP)
    else:
        st64(s + S_L4, base)
        rec(s, SCRATCH).info = 0


@routine
def fill6(s: int, ip: int, length: int, sw_if: int, direction: int, skipped: int) -> None:
    """The same of an IPv6 packet; ``skipped``: where the 256 bits are that say which extension headers are skipped."""
    base = direction | (sw_if & 0xFFFF) << INTERFACE_SHIFT
    st64(s + S_ADDRESSES, ip)
    if length < 40:
        st64(s + S_ADDRESSES, 0)
        st64(s + S_L4, base)
        rec(s, SCRATCH).info = IS_IP6
        return
    protocol = ld8(ip + 6)
    at = 40
    nonfirst = 0
    while (shr(ld64(skipped + 8 * (protocol >> 6)), protocol & 63) & 1) and at + 8 <= length:
        header = ip + at
        if protocol == _FRAGMENT_HEADER:
            if ld16(header + 2) & 0xF8FF:
                nonfirst = NONFIRST
                at = length
            else:
                at += 8
        else:
            at += 8 * (1 + ld8(header + 1))
        protocol = ld8(header)
    base |= protocol << 32
    if at + 8 <= length:
        _fill_l4(s, ip + at, length - at, protocol, base, _ICMP6)
    else:
        st64(s + S_L4, base)
        rec(s, SCRATCH).info = IS_IP6 | nonfirst
