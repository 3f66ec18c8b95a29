"""IPv4 fragmentation (RFC 791 3.2) in plain Python."""

from __future__ import annotations

from dataclasses import replace

from tests.naive.ip4_packet import Ip4

BUFFER_BYTES = 2048


def copied_options(options: bytes) -> bytes:
    """What of the options goes into every fragment, padded."""
    kept, at = b"", 0
    while at < len(options) and options[at] != 0:
        length = 1 if options[at] == 1 else options[at + 1] if at + 1 < len(options) else 0
        if options[at] != 1 and (length < 2 or at + length > len(options)):
            break
        if options[at] & 0x80:
            kept += options[at : at + length]
        at += length
    return kept + bytes(-len(kept) % 4)


def refusal(data: bytes, mtu: int) -> str | None:
    """Why a packet cannot be fragmented; None when it can."""
    if len(data) < 20:
        return "malformed packet"
    header, total = (data[0] & 15) * 4, int.from_bytes(data[2:4], "big")
    if header < 20 or header > min(len(data), BUFFER_BYTES) or total <= header or total > len(data):
        return "malformed packet"
    if min(mtu, BUFFER_BYTES) < header + 8:
        return "can't fragment header"
    if data[6] & 0x40:
        return "can't fragment this packet"
    return None


def fragment(data: bytes, mtu: int, new_id: int) -> list[bytes]:
    """The fragments of a packet that `refusal` has nothing against; ``new_id`` is for one that is whole."""
    p = Ip4.parse(data)
    if not p.more and p.offset == 0:
        p.id = new_id
    made: list[bytes] = []
    at = 0
    while at < len(p.payload):
        options = p.options if not made else copied_options(p.options)
        room = (min(mtu, BUFFER_BYTES) - 20 - len(options)) // 8 * 8
        part = p.payload[at : at + room]
        more = p.more or at + len(part) < len(p.payload)
        made.append(bytes(replace(p, payload=part, options=options, offset=p.offset + at, more=more)))
        at += len(part)
    return made


def defragment(fragments: list[bytes]) -> bytes:
    """The payload that the fragments of a packet carry."""
    parts = sorted((Ip4.parse(f) for f in fragments), key=lambda p: p.offset)
    payload = b""
    for p in parts:
        assert p.offset == len(payload)
        payload += p.payload
    assert [p.more for p in parts] == [True] * (len(parts) - 1) + [False]
    return payload
