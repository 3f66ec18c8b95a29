"""What ip4-icmp-echo-request and ip4-icmp-error make of a packet, in plain Python."""

from __future__ import annotations

import struct

from tests.naive.ip4_packet import Ip4, checksum, icmp


def blank_id(packet: bytes) -> bytes:
    """Without identification and header checksum."""
    return packet[:4] + b"\0\0" + packet[6:10] + b"\0\0" + packet[12:]


def echo_reply(request: bytes) -> bytes:
    """The reply to an echo request, identification and header checksum blank; an ICMP checksum kept right or wrong."""
    header = (request[0] & 15) * 4
    (sent,) = struct.unpack(">H", request[header + 2 : header + 4])
    value = sent + 0x0800
    value = (value & 0xFFFF) + (value >> 16)
    message = b"\0" + request[header + 1 : header + 2] + struct.pack(">H", value) + request[header + 4 :]
    return blank_id(
        request[:8] + b"\x40" + request[9:12] + request[16:20] + request[12:16] + request[20:header] + message
    )


def select_source(addresses: list[int], destination: int) -> int | None:
    """The address with the longest common prefix, the first of several."""
    best = None
    for a in addresses:
        if best is None or (a ^ destination).bit_length() < (best ^ destination).bit_length():
            best = a
    return best


def error_message(packet: bytes, source: int, kind: int, code: int, data: int) -> bytes:
    """The message about ``packet``, of which the first buffer is given."""
    made = Ip4(source, int.from_bytes(packet[12:16], "big"), ttl=255, id=0)
    return bytes(icmp(kind, code, struct.pack(">I", data) + packet[:548], made))


def is_right(message: bytes) -> bool:
    """Are both checksums of an ICMP message right?"""
    header = (message[0] & 15) * 4
    return checksum(message[:header]) == 0 and checksum(message[header:]) == 0
