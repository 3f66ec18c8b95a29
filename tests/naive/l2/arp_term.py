"""arp-term-l2bd: who is answered, with what, in the order of VPP's checks."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from tests.naive.l2.header import ARP, IP6
from tests.naive.nd6 import with_checksum

Address = IPv4Address | IPv6Address
VRRP = bytes.fromhex("00005e0001")


class Answer(NamedTuple):
    """``what``: ``reply`` (then ``data`` is the reply's frame), ``on`` (to the next feature) or ``drop``."""

    what: str
    data: bytes
    error: str | None = None
    seen: tuple[Address, bytes] | None = None
    """Who has which address, for those who want to know."""


def arp_term(frame: bytes, length: int, known: dict[Address, bytes]) -> Answer:
    """A frame without split-horizon group, not made by the router."""
    kind, payload = frame[length - 2 : length], frame[length:]
    if kind == ARP and len(payload) >= 28 and payload[6:8] in (b"\0\1", b"\0\2"):
        return _arp(frame[:length], payload, known)
    if kind == IP6 and len(payload) >= 64 and payload[6] == 58 and any(payload[8:24]):
        return _nd(frame[:length], payload, known)
    return Answer("on", frame)


def _arp(ethernet: bytes, p: bytes, known: dict[Address, bytes]) -> Answer:
    sender, source, target = p[8:14], p[14:18], p[24:28]
    error = None
    if p[:2] != b"\0\1":
        error = "L2 type not ethernet"
    if p[2:4] != b"\x08\0":
        error = "L3 type not IP4"
    if error is None and (sender != ethernet[6:12] or sender[0] & 1) and sender[:5] != VRRP:
        error = "ARP hw addr does not match L2 frame src addr"
    elif error is None and IPv4Address(source).is_multicast:
        error = "IP4 source address not local to subnet"
    if error is not None:
        if source == bytes(4) or source == target:
            error = "ARP probe or announcement dropped"
        return Answer("drop", ethernet + p, error)
    seen = (IPv4Address(source), sender)
    mac = known.get(IPv4Address(target))
    if mac is None or source == target:
        return Answer("on", ethernet + p, seen=seen)
    reply = p[:6] + b"\0\2" + mac + target + sender + source + p[28:]
    return Answer("reply", ethernet[6:12] + mac + ethernet[12:] + reply, seen=seen)


def _nd(ethernet: bytes, p: bytes, known: dict[Address, bytes]) -> Answer:
    source = IPv6Address(p[8:24])
    if p[40] not in (135, 136):
        return Answer("on", ethernet + p)
    seen = None if source.is_link_local else (source, ethernet[6:12])
    mac = known.get(IPv6Address(p[48:64]))
    size = int.from_bytes(p[4:6], "big")
    whole = len(p) >= 72 and 32 <= size <= len(p) - 40
    if p[40] == 136 or not whole or p[64:66] != b"\1\1" or mac is None:
        return Answer("on", ethernet + p, seen=seen)
    message = b"\x88" + p[41:44] + b"\x60\0\0\0" + p[48:64] + b"\2\1" + mac + p[72:]
    reply = p[:7] + b"\xff" + p[48:64] + p[8:24] + message
    return Answer("reply", ethernet[6:12] + mac + ethernet[12:] + with_checksum(reply), seen=seen)
