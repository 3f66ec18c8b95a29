"""IPv6 headers (RFC 8200) and addresses in kernels: an address is two signed 64-bit numbers, high and low half.

The checksum of what follows the header covers a pseudo header of addresses, length and protocol (RFC 8200 8.1).
"""

from __future__ import annotations

from vectorplane.dataplane.buffer import BUFFER
from vectorplane.graph_nodes.ip4_header import add_words, fold
from vectorplane.graph_nodes.l4_checksum import chain_sum
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import bswap16, bswap64, ld8, ld16, ld32, ld64, rec, st16, st64

# offsets in the header
LENGTH, PROTOCOL, HOP_LIMIT, SOURCE, DESTINATION, HEADER = 4, 6, 7, 8, 24, 40
UDP, ICMP6 = 17, 58

_LINK_LOCAL_LE, _LINK_LOCAL_MASK_LE = 0x80FE, 0xC0FF  # fe80::/10, as a little-endian load of two bytes sees it


@helper
def address_high(at: int) -> int:
    """The first half of the address at ``at``, as a number."""
    return int(bswap64(ld64(at)))


@helper
def address_low(at: int) -> int:
    """The second half of the address at ``at``, as a number."""
    return int(bswap64(ld64(at + 8)))


@helper
def is_multicast(at: int) -> bool:
    """Is the address at ``at`` one of a group (ff00::/8)?"""
    return bool(ld8(at) == 0xFF)


@helper
def is_link_local(at: int) -> bool:
    """Is the address at ``at`` in fe80::/10?"""
    return bool((ld16(at) & _LINK_LOCAL_MASK_LE) == _LINK_LOCAL_LE)


@helper
def is_unspecified(at: int) -> bool:
    """Is the address at ``at`` ``::``?"""
    return bool((ld64(at) | ld64(at + 8)) == 0)


@helper
def copy_address(to: int, source: int) -> None:
    """Copy an address."""
    st64(to, ld64(source))
    st64(to + 8, ld64(source + 8))


@helper
def payload_length(ip: int) -> int:
    """Bytes behind the header, as the header says."""
    return int(bswap16(ld16(ip + LENGTH)))


def _payload_sum(worker: int, b: int, ip: int) -> int:
    """Sum over the pseudo header and all that follows the header at ``ip``, which begins the packet ``b``.

    0xFFFF when the checksum in there is right; -1 when the packet ends before its payload does.
    """
    size = payload_length(ip)
    total = (ld8(ip + PROTOCOL) << 8) + ld16(ip + LENGTH)
    for k in range(8):
        total += ld32(ip + SOURCE + 4 * k)
    if HEADER + size <= rec(b, BUFFER).current_length:
        return fold(add_words(total, ip + HEADER, size))
    return int(chain_sum(worker, b, HEADER, size, total))


payload_sum = routine(_payload_sum)


@helper
def set_checksum(worker: int, b: int, ip: int, at: int) -> None:
    """Compute the checksum of what follows the header, and store it at ``at``."""
    st16(at, 0)
    st16(at, ~payload_sum(worker, b, ip) & 0xFFFF)
