"""ip4-input, ip4-local, ICMP: is the header right, which features come, is the packet for this router?"""

from __future__ import annotations

from ipaddress import IPv4Address

from vectorplane.control.packet_explain.headers import protocol_name
from vectorplane.control.packet_explain.moment import Explainer, Explaining, Moment, Told
from vectorplane.graph_nodes.trace_formats import ones_complement
from vectorplane.graph_nodes.trace_names import ICMP_CODES, ICMP_TYPES


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def header_faults(packet: bytes, whole: int) -> list[str]:
    """What is wrong with an IPv4 header, in the order of ip4-input's checks. ``whole``: bytes of the packet's chain."""
    if len(packet) < 20:
        return [f"there are {len(packet)} bytes, a header has at least 20"]
    total, size = _word(packet, 2), (packet[0] & 15) * 4
    checks = (
        (total > whole, f"its length says {total} bytes, there are {whole}"),
        (total < 20, f"its length says {total} bytes, a header has at least 20"),
        (_word(packet, 6) & 0x1FFF == 1, "its fragment offset is 1: it would overwrite a TCP header"),
        (packet[8] == 0, "its TTL is 0"),
        (packet[0] >> 4 != 4, f"its version is {packet[0] >> 4}"),
        (size < 20, f"its header length says {size} bytes, a header has at least 20"),
        (size > min(len(packet), total), f"its header length says {size} bytes, the packet ends before"),
    )
    faults = [text for wrong, text in checks if wrong]
    if 20 <= size <= len(packet):
        right = ones_complement(packet[:10] + b"\0\0" + packet[12:size])
        if right != _word(packet, 10):
            faults.append(f"its checksum is 0x{_word(packet, 10):04x}, it should be 0x{right:04x}")
    return faults


def explain_input(at: Moment) -> Explaining:
    """The header's checks, then the interface's features."""
    packet, whole = at.before.first, len(at.before.data)
    yield
    faults = header_faults(packet, whole)
    if at.node.type.name == "ip4-input-no-checksum":
        faults = [f for f in faults if not f.startswith("its checksum")]
    facts = {"interface": at.interface(at.before.rx), "faults": faults, "error": at.reason}
    if at.reason:
        return Told([f"{at.reason}: {'; '.join(faults)}" if faults else at.reason], facts)
    lines = [f"the header is right: {_word(packet, 2)} bytes, TTL {packet[8]}"]
    if at.next == "ip4-options":
        return Told([*lines, f"it has options ({(packet[0] & 15) * 4 - 20} bytes)"], facts)
    arc = "ip4-multicast" if packet[16] >> 4 == 14 else "ip4-unicast"
    features = at.engine.plane.arcs[arc].chain(at.before.rx)
    if features:
        lines.append(f"features of {at.interface(at.before.rx)} on {arc}: {', '.join(features)}")
    return Told(lines, facts | {"arc": arc, "features": features})


def explain_not_enabled(at: Moment) -> Explaining:
    """The interface takes no IPv4."""
    yield
    name = at.interface(at.before.rx)
    return Told([f"{name} has no IPv4 address, and was not told to take IPv4 packets"], {"interface": name})


def explain_local(at: Moment) -> Explaining:
    """The packet is for the router itself."""
    packet = at.before.first
    yield
    if len(packet) < 20:
        return Told()
    address, protocol = IPv4Address(packet[16:20]), protocol_name(packet[9])
    owner = [i.name for i in at.engine.interfaces.by_index.values() if any(a.ip == address for a in i.addresses)]
    lines = [f"{address} is this router's own{f', an address of {owner[0]}' if owner else ''}"]
    if at.reason and at.reason != "unknown ip protocol":
        lines.append(at.reason)
    elif at.next in ("ip4-punt", "error-punt"):
        lines.append(f"nobody here takes {protocol}")
    else:
        lines.append(f"{protocol} goes to {at.next}")
    return Told(lines, {"address": str(address), "owner": owner[0] if owner else None, "protocol": protocol})


def explain_udp(at: Moment) -> Explaining:
    """Who takes the port?"""
    packet = at.before.first
    udp = packet[(packet[0] & 15) * 4 :] if packet else b""
    yield
    if len(udp) < 8:
        return Told([at.reason or "the UDP header is cut"])
    port = _word(udp, 2)
    text = f"nobody listens ({at.reason})" if at.reason else f"goes to {at.next}"
    return Told([f"UDP port {port}: {text}"], {"port": port, "error": at.reason})


def explain_icmp(at: Moment) -> Explaining:
    """Who takes an ICMP message to this router."""
    packet = at.before.first
    icmp = packet[(packet[0] & 15) * 4 :] if packet else b""
    yield
    if len(icmp) < 2:
        return Told([at.reason or "the ICMP header is cut"])
    kind = ICMP_TYPES.get(icmp[0], f"type {icmp[0]}")
    return Told(
        [f"{kind}: {at.reason or f'goes to {at.next}'}"], {"type": icmp[0], "code": icmp[1], "error": at.reason}
    )


def explain_echo(at: Moment) -> Explaining:
    """A ping is answered."""
    yield
    return Told([f"not answered: {at.reason}" if at.reason else "answered by an echo reply, in the same buffer"])


def explain_error(at: Moment) -> Explaining:
    """The sender is told why its packet is given up."""
    meta, packet = at.before.meta, at.before.first
    yield
    kind, code = int(meta["icmp_type"]) & 0xFF, int(meta["icmp_code"]) & 0xFF
    name = ICMP_CODES.get((kind, code), ICMP_TYPES.get(kind, f"type {kind}"))
    sender = str(IPv4Address(packet[12:16])) if len(packet) >= 20 else "?"
    facts = {"type": kind, "code": code, "to": sender}
    if any(text.endswith("error message dropped") for text in at.counted):
        why = "the interface has no address, or one was sent just now"
        return Told([f"{at.reason}: no ICMP error ({name}) goes to {sender}: {why}"], facts | {"sent": False})
    return Told([f"{at.reason}: {sender} is told so by an ICMP error ({name})"], facts | {"sent": True})


EXPLAINERS = (
    Explainer(("ip4-input", "ip4-input-no-checksum"), explain_input),
    Explainer(("ip4-not-enabled",), explain_not_enabled),
    Explainer(("ip4-local", "ip4-receive"), explain_local),
    Explainer(("ip4-udp-lookup",), explain_udp),
    Explainer(("ip4-icmp-input",), explain_icmp),
    Explainer(("ip4-icmp-echo-request",), explain_echo),
    Explainer(("ip4-icmp-error",), explain_error),
)
