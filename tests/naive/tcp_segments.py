"""Cutting TCP over IPv4 into segments, in plain Python on scapy's layers."""

from __future__ import annotations

from scapy.layers.inet import IP, TCP, UDP
from scapy.packet import NoPayload, Packet, Raw

FIN_PSH = 0x09
BUFFER = 2048


def segments(packet: Packet, mss: int, first_buffer: int) -> list[bytes]:
    """The packet, whatever it is wrapped in, as segments of at most ``mss`` bytes; each fits into one buffer.

    ``first_buffer``: bytes of the packet that its first buffer holds: the first segment has no more than those.
    """
    tcp = packet.getlayer(TCP)
    payload = bytes(tcp.payload)
    header = len(packet) - len(payload)
    made, at = [], 0
    while at < len(payload):
        room = first_buffer - header if at == 0 and first_buffer > header else BUFFER - header
        size = min(mss, room, len(payload) - at)
        p = packet.copy()
        t = p.getlayer(TCP)
        t.remove_payload()
        t.add_payload(Raw(payload[at : at + size]))
        t.seq = (tcp.seq + at) & 0xFFFFFFFF
        if at + size < len(payload):
            t.flags = int(tcp.flags) & ~FIN_PSH
        layer: Packet = p
        while not isinstance(layer, NoPayload):
            if isinstance(layer, IP):
                layer.len = layer.chksum = None
            elif isinstance(layer, UDP):
                layer.len = None
            elif isinstance(layer, TCP):
                layer.chksum = None
            layer = layer.payload
        made.append(bytes(p))
        at += size
    return made
