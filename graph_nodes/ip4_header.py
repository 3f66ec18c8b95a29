"""IPv4 header arithmetic: the checksum (RFC 1071) and its incremental update (RFC 1624)."""

from __future__ import annotations

from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import bswap16, ld8, ld16, ld32, ld64, st8, st16

# offsets in the header
VERSION_IHL, TOS, LENGTH, ID, FRAGMENT, TTL, PROTOCOL, CHECKSUM, SOURCE, DESTINATION = 0, 1, 2, 4, 6, 8, 9, 10, 12, 16

MORE_FRAGMENTS, DONT_FRAGMENT, OFFSET_MASK = 0x2000, 0x4000, 0x1FFF


@helper
def fold(total: int) -> int:
    """Ones-complement sum folded to 16 bits (for a total below 2**48)."""
    total = (total & 0xFFFFFFFF) + (total >> 32)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return (total & 0xFFFF) + (total >> 16)


@helper
def sum_of(first: int, second: int, third: int) -> int:
    """Folded sum of the 20 bytes whose loads (64, 64 and 32 bits) these are."""
    total = (first & 0xFFFFFFFF) + ((first >> 32) & 0xFFFFFFFF)
    total += (second & 0xFFFFFFFF) + ((second >> 32) & 0xFFFFFFFF) + third
    total = (total & 0xFFFF) + ((total >> 16) & 0xFFFF) + (total >> 32)
    total = (total & 0xFFFF) + (total >> 16)
    return (total & 0xFFFF) + (total >> 16)


@helper
def header_sum(ip: int) -> int:
    """Folded sum of the 20 bytes at ``ip``: 0xFFFF when the header's checksum is right."""
    return sum_of(ld64(ip), ld64(ip + 8), ld32(ip + 16))


@helper
def add_words(total: int, address: int, size: int) -> int:
    """Add ``size`` bytes at ``address`` to an unfolded sum of little-endian 16-bit words."""
    at = 0
    while at + 8 <= size:
        a = ld64(address + at)
        total += (a & 0xFFFFFFFF) + ((a >> 32) & 0xFFFFFFFF)
        at += 8
    while at + 2 <= size:
        total += ld16(address + at)
        at += 2
    if at < size:
        total += ld8(address + at)
    return total


@helper
def sum_words(address: int, size: int) -> int:
    """Folded sum of ``size`` bytes: 0xFFFF when they contain their own right checksum."""
    return fold(add_words(0, address, size))


@helper
def set_checksum(ip: int) -> None:
    """Compute and store the checksum of the header at ``ip``."""
    st16(ip + CHECKSUM, 0)
    st16(ip + CHECKSUM, ~sum_words(ip, (ld8(ip) & 15) * 4) & 0xFFFF)


@helper
def replace_word(checksum: int, old: int, new: int) -> int:
    """A checksum after a 16-bit word that it covers changed (RFC 1624, equation 3); all as stored in memory."""
    return ~fold((~checksum & 0xFFFF) + (~old & 0xFFFF) + new) & 0xFFFF


@helper
def decrement_ttl(ip: int) -> int:
    """TTL less one, checksum adjusted; gives the new TTL."""
    ttl = ld8(ip + TTL) - 1
    # TTL is the low byte of its word in memory: the sum grows by one, with end-around carry
    checksum = ld16(ip + CHECKSUM) + 1
    st16(ip + CHECKSUM, checksum + (checksum >= 0xFFFF))
    st8(ip + TTL, ttl)
    return ttl


@helper
def increment_ttl(ip: int) -> None:
    """Undo `decrement_ttl`."""
    checksum = ld16(ip + CHECKSUM) - 1
    st16(ip + CHECKSUM, checksum if checksum >= 0 else 0xFFFE)  # 0 came of 0xFFFE: end-around borrow
    st8(ip + TTL, ld8(ip + TTL) + 1)


@helper
def payload_length(ip: int) -> int:
    """Total length less header length, as the header says."""
    return bswap16(ld16(ip + LENGTH)) - (ld8(ip) & 15) * 4
