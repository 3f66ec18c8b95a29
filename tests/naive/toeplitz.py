"""Toeplitz hash and RSS input selection bit by bit, as Microsoft's "RSS hashing functions" describes them."""

from __future__ import annotations


def toeplitz(key: bytes, data: bytes) -> int:
    """For every set bit of the input, from the left, exclusive-or the leftmost 32 bits of the shifted key."""
    stream = int.from_bytes(key, "big")
    size = 8 * len(key)
    result = 0
    for i in range(8 * len(data)):
        if data[i // 8] >> (7 - i % 8) & 1:
            result ^= stream >> (size - 32 - i) & 0xFFFFFFFF
    return result


def frame_input(frame: bytes, tcp: bool = True, udp: bool = True, ip: bool = True) -> bytes | None:
    """The bytes of an Ethernet frame that are hashed; None when there is nothing to hash."""
    at = 12
    tags = 0
    while frame[at : at + 2] in (b"\x81\x00", b"\x88\xa8") and tags < 2:
        at += 4
        tags += 1
    if frame[at : at + 2] != b"\x08\x00":
        return None
    packet = frame[at + 2 :]
    if len(packet) < 20 or packet[0] >> 4 != 4 or packet[0] & 15 < 5:
        return None
    header = (packet[0] & 15) * 4
    fragment = int.from_bytes(packet[6:8], "big") & 0x3FFF
    wanted = (packet[9] == 6 and tcp) or (packet[9] == 17 and udp)
    if wanted and not fragment and len(packet) >= header + 4:
        return packet[12:20] + packet[header : header + 4]
    return packet[12:20] if ip else None
