"""The Internet checksum (RFC 1071), that of TCP and UDP with its pseudo header, and CRC32c (RFC 9260)."""

from __future__ import annotations


def ones_sum(data: bytes) -> int:
    """The ones' complement sum of 16-bit words, an odd last byte padded; 0 only when all is zero."""
    number = int.from_bytes(data if len(data) % 2 == 0 else data + b"\0", "big")
    # 2**16 is 1 modulo 0xFFFF: the remainder of the number is the sum of its words
    return number % 0xFFFF or (0xFFFF if number else 0)


def checksum(data: bytes) -> int:
    """The Internet checksum of ``data``, whose checksum field is zero."""
    return 0xFFFF - ones_sum(data)


def correct(data: bytes) -> bool:
    """Is the checksum in ``data`` right?"""
    return ones_sum(data) == 0xFFFF


def pseudo_header(source: bytes, destination: bytes, protocol: int, length: int) -> bytes:
    """What TCP and UDP checksums cover besides the segment."""
    return source + destination + bytes((0, protocol)) + length.to_bytes(2, "big")


def transport_checksum(source: bytes, destination: bytes, protocol: int, segment: bytes) -> int:
    """The checksum of a TCP or UDP segment whose checksum field is zero; 0 is sent as 0xFFFF (RFC 768)."""
    return checksum(pseudo_header(source, destination, protocol, len(segment)) + segment) or 0xFFFF


def transport_correct(source: bytes, destination: bytes, protocol: int, segment: bytes) -> bool:
    """Is the checksum of a TCP or UDP segment right?"""
    return correct(pseudo_header(source, destination, protocol, len(segment)) + segment)


def adjusted(field: int, old: bytes, new: bytes) -> int:
    """A checksum field after ``old`` (an even number of bytes that it covers) became ``new`` (RFC 1624)."""
    total = (0xFFFF - field) + (0xFFFF - ones_sum(old)) + ones_sum(new)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total


def _crc_table() -> tuple[int, ...]:
    table = []
    for number in range(256):
        for _ in range(8):
            number = (number >> 1) ^ (0x82F63B78 if number & 1 else 0)
        table.append(number)
    return tuple(table)


_CRC = _crc_table()


def crc32c(data: bytes) -> int:
    """The Castagnoli CRC that SCTP packets carry, little end first."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF
