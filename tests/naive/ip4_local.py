"""What ip4-local and ip4-udp-lookup do with a packet, in plain Python."""

from __future__ import annotations

from collections.abc import Callable

from tests.naive.ip4_packet import l4_checksum

NODES = {1: "ip4-icmp-input", 17: "ip4-udp-lookup"}


def checksum_is_right(data: bytes, buffer: int) -> bool:
    """TCP's or UDP's checksum, and that a UDP length is not beyond the IP length.

    ``buffer``: bytes in the first buffer.
    """
    header, total = (data[0] & 15) * 4, int.from_bytes(data[2:4], "big")
    l4 = data[header:total]
    if data[9] == 17:
        if buffer < header + 8 or int.from_bytes(data[header + 4 : header + 6], "big") > total:
            return False
        if data[header + 6 : header + 8] == b"\0\0":
            return True
    if len(data) < total:
        return False
    source, destination = (int.from_bytes(data[i : i + 4], "big") for i in (12, 16))
    return l4_checksum(source, destination, data[9], l4) == 0


def local(data: bytes, route: Callable[[int], str]) -> tuple[str, str]:
    """Next node and error. ``route``: what the source's route is, `ours`, `out` or `nowhere`."""
    buffer = min(len(data), 2048)
    if buffer < 20 or buffer < (data[0] & 15) * 4:
        return "ip4-drop", "unknown ip protocol"
    if data[6] & 0x3F or data[7]:
        return "ip4-local-full-reassembly", "unknown ip protocol"
    if data[9] in (6, 17) and not checksum_is_right(data, buffer):
        return "ip4-drop", "bad tcp checksum" if data[9] == 6 else "bad udp checksum"
    kind = route(int.from_bytes(data[12:16], "big"))
    if kind == "ours":
        return "ip4-drop", "ip4 spoofed local-address packet drops"
    if kind == "nowhere" and data[16:20] != b"\xff\xff\xff\xff":
        return "ip4-drop", "ip4 source lookup miss"
    return NODES.get(data[9], "ip4-punt"), "unknown ip protocol"


def udp_lookup(data: bytes, ports: dict[int, str]) -> tuple[str, str, bytes]:
    """Next node, error and what is left of the packet."""
    buffer = min(len(data), 2048)
    header = (data[0] & 15) * 4 if len(data) >= 20 else 20
    if buffer < header + 8 or int.from_bytes(data[header + 4 : header + 6], "big") > len(data) - header:
        return "ip4-drop", "Packets with length errors", data
    port = int.from_bytes(data[header + 2 : header + 4], "big")
    if port in ports:
        return ports[port], "No error", data[header + 8 :]
    return "ip4-icmp-error", "No listener for dst port", data
