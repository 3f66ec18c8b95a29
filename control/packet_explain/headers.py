"""The headers of a packet as layers with fields.

Any bytes are taken: what is cut or unknown is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from vectorplane.graph_nodes.trace_names import ARP_OPCODES, ETHERNET_TYPES, ICMP6_TYPES, ICMP_TYPES, IP_PROTOCOLS

ETHERNET, IP4, IP6 = "ethernet", "ip4", "ip6"
TAGS = {0x8100: "802.1q", 0x88A8: "802.1ad"}
_VXLAN, _GENEVE, _TRANSPARENT = 4789, 6081, 0x6558
_FLAGS = "FSRPAUEC"
_MOST = 12
"""Layers of one packet: more than tunnels in tunnels that anybody has."""


class Layer(NamedTuple):
    """One header."""

    name: str
    fields: dict[str, str | int]


def flags_text(flags: int) -> str:
    """TCP flags as letters: ``SA``; ``none``."""
    return "".join(letter for bit, letter in enumerate(_FLAGS) if flags >> bit & 1) or "none"


def flags_of(letters: str) -> int:
    """The TCP flags that letters stand for. Raises `ValueError`."""
    flags = 0
    for letter in letters.upper():
        if letter not in _FLAGS:
            raise ValueError(f"TCP flags: expected letters of {_FLAGS}, got {letters!r}")
        flags |= 1 << _FLAGS.index(letter)
    return flags


def protocol_name(number: int) -> str:
    """``tcp``; a number that has no name as ``protocol 200``."""
    named = {58: "icmp6", 50: "esp", 51: "ah"}.get(number) or IP_PROTOCOLS.get(number, "")
    return named.lower() or f"protocol {number}"


def _word(data: bytes, at: int, size: int = 2) -> int:
    return int.from_bytes(data[at : at + size], "big")


def layers(data: bytes, kind: str = ETHERNET) -> list[Layer]:
    """The headers of a packet, the outermost first. ``kind``: what it begins with."""
    found: list[Layer] = []
    for layer in _all(data, kind):
        found.append(layer)
        if len(found) == _MOST:
            break
    return found


def _all(data: bytes, kind: str) -> Iterator[Layer]:
    if kind == IP4:
        yield from _ip4(data)
    elif kind == IP6:
        yield from _ip6(data)
    elif len(data) >= 14:
        yield from _ethernet(data)


def _ethernet(data: bytes) -> Iterator[Layer]:
    number = _word(data, 12)
    yield Layer(ETHERNET, {"source": data[6:12].hex(":"), "destination": data[:6].hex(":")})
    at = 14
    while number in TAGS and len(data) >= at + 4:
        tag = _word(data, at)
        fields: dict[str, str | int] = {"vlan": tag & 0xFFF}
        if tag >> 13:
            fields["priority"] = tag >> 13
        yield Layer(TAGS[number], fields)
        number = _word(data, at + 2)
        at += 4
    yield from _protocol(data[at:], number)


def _protocol(data: bytes, number: int) -> Iterator[Layer]:
    if number == 0x0800:
        yield from _ip4(data)
    elif number == 0x86DD:
        yield from _ip6(data)
    elif number == 0x0806 and len(data) >= 28:
        code = _word(data, 6)
        yield Layer(
            "arp",
            {
                "operation": ARP_OPCODES[code] if code < len(ARP_OPCODES) else code,
                "sender": f"{data[8:14].hex(':')}/{IPv4Address(data[14:18])}",
                "target": f"{data[18:24].hex(':')}/{IPv4Address(data[24:28])}",
            },
        )
    elif number >= 0x600:
        yield Layer("type", {"type": ETHERNET_TYPES.get(number, f"0x{number:04x}")})


def _ip4(data: bytes) -> Iterator[Layer]:
    if len(data) < 20:
        return
    size, fragment = (data[0] & 15) * 4, _word(data, 6)
    fields: dict[str, str | int] = {
        "source": str(IPv4Address(data[12:16])),
        "destination": str(IPv4Address(data[16:20])),
        "protocol": protocol_name(data[9]),
        "ttl": data[8],
        "tos": data[1],
        "length": _word(data, 2),
        "id": _word(data, 4),
    }
    if fragment & 0x3FFF:
        fields["fragment"] = f"{(fragment & 0x1FFF) * 8}{'+' if fragment & 0x2000 else ''}"
    yield Layer(IP4, fields)
    if not fragment & 0x1FFF:
        yield from _above(data[size:], data[9])


def _ip6(data: bytes) -> Iterator[Layer]:
    if len(data) < 40:
        return
    yield Layer(
        IP6,
        {
            "source": str(IPv6Address(data[8:24])),
            "destination": str(IPv6Address(data[24:40])),
            "protocol": protocol_name(data[6]),
            "hop limit": data[7],
            "traffic class": _word(data, 0) >> 4 & 0xFF,
            "length": _word(data, 4) + 40,
        },
    )
    yield from _above(data[40:], data[6])


def _above(data: bytes, protocol: int) -> Iterator[Layer]:
    if protocol == 6 and len(data) >= 14:
        yield Layer("tcp", {**_ports(data), "flags": flags_text(data[13])})
    elif protocol == 17 and len(data) >= 8:
        yield Layer("udp", _ports(data))
        yield from _in_udp(data[8:], _word(data, 2))
    elif protocol in (1, 58) and len(data) >= 4:
        names = ICMP_TYPES if protocol == 1 else ICMP6_TYPES
        fields: dict[str, str | int] = {"type": names.get(data[0], str(data[0])), "code": data[1]}
        if data[0] in ((0, 8) if protocol == 1 else (128, 129)) and len(data) >= 8:
            fields |= {"id": _word(data, 4), "sequence": _word(data, 6)}
        yield Layer("icmp" if protocol == 1 else "icmp6", fields)
    elif protocol == 4:
        yield from _ip4(data)
    elif protocol == 41:
        yield from _ip6(data)
    elif protocol == 47 and len(data) >= 4:
        inner = _word(data, 2)
        yield Layer("gre", {"type": ETHERNET_TYPES.get(inner, f"0x{inner:04x}")})
        rest = data[4 + 4 * (_word(data, 0) & 0xB000).bit_count() :]
        yield from _ethernet(rest) if inner == _TRANSPARENT and len(rest) >= 14 else _protocol(rest, inner)


def _ports(data: bytes) -> dict[str, str | int]:
    return {"source port": _word(data, 0), "destination port": _word(data, 2)}


def _in_udp(data: bytes, port: int) -> Iterator[Layer]:
    if port == _VXLAN and len(data) >= 22:
        yield Layer("vxlan", {"vni": _word(data, 4, 3)})
        yield from _ethernet(data[8:])
    elif port == _GENEVE and len(data) >= 8:
        yield Layer("geneve", {"vni": _word(data, 4, 3)})
        inner, rest = _word(data, 2), data[8 + 4 * (data[0] & 0x3F) :]
        yield from _ethernet(rest) if inner == _TRANSPARENT and len(rest) >= 14 else _protocol(rest, inner)
