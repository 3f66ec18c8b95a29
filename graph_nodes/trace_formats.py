"""Packet headers as text, in the words of VPP's traces. Plain functions over the bytes that a trace record kept.

Each takes what there is of a header (``data`` may end anywhere) and gives lines without a leading indent; no
bytes make them raise. Lines below the first of a header are indented by two.
"""

from __future__ import annotations

from vectorplane.graph_nodes.trace_names import (
    ARP_HARDWARE,
    ARP_OPCODES,
    DSCP,
    ECN,
    ETHERNET_TYPES,
    ICMP_CODES,
    ICMP_TYPES,
    IP_PROTOCOLS,
    LLC_SAPS,
    TCP_FLAGS,
)

_VLAN, _DOT1AD, _IP4, _ARP = 0x8100, 0x88A8, 0x0800, 0x0806


def _number(data: bytes, at: int, size: int = 2) -> int:
    return int.from_bytes(data[at : at + size], "big")


def mac(data: bytes) -> str:
    """Six bytes as ``02:fe:00:00:00:01``."""
    return data[:6].hex(":")


def ip4_address(data: bytes) -> str:
    """Four bytes as ``10.0.0.1``."""
    return ".".join(str(b) for b in data[:4])


def hex_bytes(data: bytes) -> str:
    """Bytes in hexadecimal; more than 32 of them in lines of 32, each after its offset."""
    if len(data) <= 32:
        return data.hex()
    return "\n".join(f"{at:08x}: {data[at : at + 32].hex()}" for at in range(0, len(data), 32))


def ethernet_type(number: int) -> str:
    """Name of an ethertype."""
    return ETHERNET_TYPES.get(number, f"0x{number:04x}")


def ethernet_header(data: bytes, payload: bool = True) -> str:
    """``IP4: 02:00:00:00:00:01 -> 02:fe:00:00:00:01 802.1q vlan 100``, and with ``payload`` the header behind it."""
    at = 12
    tags = ""
    while _number(data, at) in (_VLAN, _DOT1AD) and at < 20:
        tci = _number(data, at + 2)
        tags += f" {'802.1q' if _number(data, at) == _VLAN else '802.1ad'} vlan {tci & 0xFFF}"
        tags += f" priority {tci >> 13}" if tci >> 13 else ""
        tags += " cfi" if tci & 0x1000 else ""
        at += 4
    if len(data) < at + 2:
        return "ethernet header truncated"
    kind = _number(data, at)
    text = f"{ethernet_type(kind)}: {mac(data[6:])} -> {mac(data)}{tags}"
    rest = data[at + 2 :]
    if payload and rest and kind == _IP4:
        text += "\n" + ip4_header(rest)
    elif payload and rest and kind == _ARP:
        text += "\n" + arp_header(rest)
    return text


def ones_complement(data: bytes) -> int:
    """The Internet checksum of an even number of bytes (RFC 1071)."""
    total = sum(_number(data, i) for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip4_header(data: bytes) -> str:
    """An IPv4 header and, for a first fragment, the UDP, TCP or ICMP header behind it."""
    if len(data) < 20:
        return "IP header truncated"
    size = (data[0] & 15) * 4
    protocol = IP_PROTOCOLS.get(data[9], f"unknown {data[9]}")
    lines = [f"{protocol}: {ip4_address(data[12:])} -> {ip4_address(data[16:])}"]
    if data[0] != 0x45:
        lines.append(f"  version {data[0] >> 4}, header length {size}")
    checksum = _number(data, 10)
    line = f"  tos 0x{data[1]:02x}, ttl {data[8]}, length {_number(data, 2)}, checksum 0x{checksum:04x}"
    if 20 <= size <= len(data):
        right = ones_complement(data[:10] + b"\0\0" + data[12:size])
        line += "" if right == checksum else f" (should be 0x{right:04x})"
    lines.append(f"{line} dscp {DSCP.get(data[1] >> 2, 'unknown')} ecn {ECN[data[1] & 3]}")
    fragment = _number(data, 6)
    offset = (fragment & 0x1FFF) * 8
    line = f"  fragment id 0x{_number(data, 4):04x}"
    line += f" offset {offset}" if offset else ""
    if fragment & 0xE000:
        names = ((0x2000, "MORE_FRAGMENTS"), (0x4000, "DONT_FRAGMENT"), (0x8000, "CONGESTION"))
        line += ", flags " + "".join(name for bit, name in names if fragment & bit)
    lines.append(line)
    further = {1: icmp_header, 6: tcp_header, 17: udp_header}.get(data[9])
    if further is not None and offset == 0 and 20 <= size < len(data):
        lines.append(further(data[size:]))
    return "\n".join(lines)


def udp_header(data: bytes) -> str:
    """Ports, length, checksum."""
    if len(data) < 8:
        return "UDP header truncated"
    text = f"UDP: {_number(data, 0)} -> {_number(data, 2)}"
    return f"{text}\n  length {_number(data, 4)}, checksum 0x{_number(data, 6):04x}"


def tcp_header(data: bytes) -> str:
    """Ports, numbers, flags, window, options."""
    if len(data) < 20:
        return "TCP header truncated"
    flags = " ".join([f"0x{data[13]:02x}", *(name for bit, name in enumerate(TCP_FLAGS) if data[13] >> bit & 1)])
    size = (data[12] >> 4) * 4
    lines = [
        f"TCP: {_number(data, 0)} -> {_number(data, 2)}",
        f"  seq. 0x{_number(data, 4, 4):08x} ack 0x{_number(data, 8, 4):08x}",
        f"  flags {flags}, tcp header: {size} bytes",
        f"  window {_number(data, 14)}, checksum 0x{_number(data, 16):04x}",
    ]
    if size > len(data):
        lines.append("  options: truncated")
    elif size > 20:
        lines += tcp_options(data[20:size])
    return "\n".join(lines)


def tcp_options(data: bytes) -> list[str]:
    """The options that VPP names, on one line."""
    named: list[str] = []
    at = 0
    while at < len(data) and data[at] != 0:
        if data[at] == 1:
            at += 1
            continue
        size = data[at + 1] if at + 1 < len(data) else 0
        if size < 2 or at + size > len(data):
            return ["  options: parsing failed"]
        kind, value = data[at], data[at + 2 : at + size]
        if (kind, size) == (2, 4):
            named.append(f"mss {_number(value, 0)}")
        elif (kind, size) == (3, 3):
            named.append(f"window scale {value[0]}")
        elif (kind, size) == (4, 2):
            named.append("sack permitted")
        elif (kind, size) == (8, 10):
            named.append(f"timestamp {_number(value, 0, 4)}, echo/reflected timestamp {_number(value, 4, 4)}")
        elif kind == 5:
            blocks = (f"{_number(value, i, 4)}-{_number(value, i + 4, 4)}" for i in range(0, len(value) - 7, 8))
            named.append("sacks: " + " ".join(blocks))
        at += size
    return ["  options:", "    " + ", ".join(named)] if named else []


def icmp_header(data: bytes) -> str:
    """Type, code and checksum; the identifier of an echo."""
    if len(data) < 4:
        return "ICMP header truncated"
    name = ICMP_TYPES.get(data[0], f"unknown 0x{data[0]:x}")
    if (data[0], data[1]) in ICMP_CODES:
        name += " " + ICMP_CODES[data[0], data[1]]
    text = f"ICMP {name} checksum 0x{_number(data, 2):x}"
    return f"{text} id {_number(data, 4)}" if data[0] in (0, 8) and len(data) > 6 else text


def arp_header(data: bytes) -> str:
    """Opcode, types, and who asks whom."""
    if len(data) < 28:
        return "ARP header truncated"
    hardware, protocol, code = _number(data, 0), _number(data, 2), _number(data, 6)
    n2, n3 = data[4], data[5]
    name = ARP_OPCODES[code] if code < len(ARP_OPCODES) else f"unknown 0x{code:x}"
    kind = ARP_HARDWARE.get(hardware, f"unknown 0x{hardware:x}")
    first = f"{name}, type {kind}/{ethernet_type(protocol)}, address size {n2}/{n3}"
    if hardware == 1 and protocol == _IP4:
        sender, target = f"{mac(data[8:])}/{ip4_address(data[14:])}", f"{mac(data[18:])}/{ip4_address(data[24:])}"
    else:
        parts, at = [], 8
        for size in (n2, n3, n2, n3):
            parts.append(data[at : at + size].hex())
            at += size
        sender, target = f"{parts[0]}/{parts[1]}", f"{parts[2]}/{parts[3]}"
    return f"{first}\n{sender} -> {target}"


def llc_header(data: bytes) -> str:
    """Source and destination SAP; the control field unless it says unnumbered information."""
    if len(data) < 3:
        return "llc header truncated"
    target, source = (LLC_SAPS.get(sap, f"0x{sap:02x}") for sap in data[:2])
    return f"LLC {source} -> {target}" + (f", control 0x{data[2]:x}" if data[2] != 3 else "")


def snap_header(data: bytes) -> str:
    """Organisation and protocol, from the OUI on."""
    if len(data) < 5:
        return "snap header truncated"
    oui, protocol = _number(data, 0, 3), _number(data, 3)
    return f"SNAP ethernet {ethernet_type(protocol)}" if oui == 0 else f"SNAP oui 0x{oui:06x} 0x{protocol:04x}"
