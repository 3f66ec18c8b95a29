"""The Toeplitz hash of receive-side scaling (RSS): which queue of a network card a frame goes to.

The input is, as Microsoft's "RSS hashing types" says, the IPv4 addresses and, for TCP and UDP, the ports, in network
byte order; every set bit of the input exclusive-ors the 32 bits of the key that begin at its position. Here one
table lookup a byte replaces eight such steps: 12 KB that a key is expanded into once
(`vectorplane.backends.engine.rss.Rss`).

Frames that are not IPv4 have no hash (`NO_HASH`) and belong to queue 0. Fragments hash over addresses only, the
first one too: all fragments of a packet meet in one queue, although not with the unfragmented packets of their flow.
"""

from __future__ import annotations

import numpy as np

from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ld8, ld16, ld16s, ld32, ld64, offsets, rec, shr

INPUT_BYTES = 12
"""Both addresses and both ports."""
TABLE_ENTRIES = 128
HASH_IP4, HASH_IP4_TCP, HASH_IP4_UDP = 1, 2, 4
NO_HASH = -1

TOEPLITZ = np.dtype(
    [
        ("types", "i8"),  # HASH_*
        ("pad", "i8", (7,)),
        ("table", "i2", (TABLE_ENTRIES,)),  # queue by the hash's low seven bits
        ("bytes", "i4", (INPUT_BYTES, 256)),  # what a byte at each place of the input adds to the hash
    ],
    align=True,
)
"""A key ready for use; kernels get its address."""
_TABLE, _BYTES = offsets(TOEPLITZ, "table", "bytes")

# types as a little-endian load sees them
_IP4_LE, _VLAN_LE, _QINQ_LE = 0x0008, 0x0081, 0xA888
_TCP, _UDP = 6, 17
_FRAGMENT_LE = 0xFF3F  # more fragments, or an offset


@helper
def rss_hash_ip4(ip: int, length: int, toeplitz: int) -> int:
    """Hash (32 bits) of the IPv4 packet at ``ip`` of which ``length`` bytes are there; `NO_HASH` when it has none."""
    if length < 20:
        return NO_HASH
    first = ld8(ip)
    if (first >> 4) != 4 or (first & 15) < 5:
        return NO_HASH
    types = rec(toeplitz, TOEPLITZ).types
    protocol = ld8(ip + 9)
    tables = toeplitz + _BYTES
    addresses = ld64(ip + 12)
    value = 0
    for k in range(8):
        value ^= ld32(tables + 1024 * k + 4 * (shr(addresses, 8 * k) & 255))
    header = (first & 15) * 4
    wanted = 0
    if protocol == _TCP:
        wanted = types & HASH_IP4_TCP
    elif protocol == _UDP:
        wanted = types & HASH_IP4_UDP
    if wanted != 0 and (ld16(ip + 6) & _FRAGMENT_LE) == 0 and length >= header + 4:
        ports = ld32(ip + header)
        for k in range(4):
            value ^= ld32(tables + 1024 * (8 + k) + 4 * ((ports >> (8 * k)) & 255))
    elif (types & HASH_IP4) == 0:
        return NO_HASH
    return value


@helper
def rss_hash(frame: int, length: int, toeplitz: int) -> int:
    """Hash (32 bits) of the Ethernet frame at ``frame``, below up to two VLAN tags; `NO_HASH` when it has none."""
    at = 12
    tags = 0
    while at + 2 <= length:
        kind = ld16(frame + at)
        if kind == _IP4_LE:
            return rss_hash_ip4(frame + at + 2, length - at - 2, toeplitz)
        if tags == 2 or (kind != _VLAN_LE and kind != _QINQ_LE):
            return NO_HASH
        at += 4
        tags += 1
    return NO_HASH


@helper
def entry_of(value: int) -> int:
    """Entry of the indirection table for a hash (`NO_HASH`: 0); packets of one flow have one entry."""
    return 0 if value == NO_HASH else value & (TABLE_ENTRIES - 1)


@helper
def queue_of(value: int, toeplitz: int) -> int:
    """Queue of a frame with this hash (`NO_HASH`: queue 0)."""
    if value == NO_HASH:
        return 0
    return ld16s(toeplitz + _TABLE + 2 * (value & (TABLE_ENTRIES - 1)))
