"""Packets as these tests make and read them: what a conversation is about, whatever carries it."""

from __future__ import annotations

from dataclasses import dataclass

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror
from scapy.layers.l2 import ARP, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

TRANSPORTS = {"tcp": TCP, "udp": UDP}
VXLAN_PORT, VNI = 4789, 10


@dataclass(frozen=True)
class Ends:
    """Source and destination. ICMP echo: its identifier is the source port."""

    src: str
    sport: int
    dst: str
    dport: int
    kind: str

    def __str__(self) -> str:
        return f"{self.src}:{self.sport} -> {self.dst}:{self.dport} {self.kind}"


def message(kind: str, src: str, dst: str, sport: int, dport: int, tag: str, *, answer: bool = False) -> Packet:
    """An IP packet that carries a tag. ``answer``: a SYN-ACK, an echo reply; else what begins a conversation."""
    ip = IP(src=src, dst=dst, ttl=64, id=int(tag.strip("<>")) % 65536)
    data = Raw(tag.encode())
    match kind:
        case "tcp":
            return ip / TCP(sport=sport, dport=dport, flags="SA" if answer else "S", seq=1000) / data
        case "udp":
            return ip / UDP(sport=sport, dport=dport) / data
        case "ping":
            return ip / ICMP(type=0 if answer else 8, id=sport, seq=1) / data
    raise ValueError(kind)


def encapsulated(inner: Packet, macs: tuple[str, str], nodes: tuple[str, str]) -> Packet:
    """In VXLAN, as a node sends it to another. ``macs``: of the two overlay interfaces, sender first."""
    outer = IP(src=nodes[0], dst=nodes[1], ttl=64) / UDP(sport=50_000, dport=VXLAN_PORT, chksum=0)
    return outer / VXLAN(vni=VNI, flags=8) / Ether(src=macs[0], dst=macs[1]) / inner


@dataclass(frozen=True)
class Seen:
    """A frame that left. ``peer``: the node that a tunnel leads to, else empty; ``ip``: what is inside."""

    link: str
    frame: Ether
    peer: str
    ip: IP

    @property
    def ends(self) -> Ends:
        """Of what is inside."""
        return ends(self.ip)

    @property
    def error(self) -> bool:
        """Is it an ICMP error?"""
        return IPerror in self.ip

    def reads(self, dynamic: bool = False) -> bytes:
        """The frame, to be compared; all its checksums must be right.

        ``dynamic``: but for a source port (or identifier) that NAT chose, and what follows from it.
        """
        check(self.frame)
        if not dynamic:
            return bytes(self.frame)
        copy = Ether(bytes(self.frame))
        inside = _inside(copy)
        if inside is not copy[IP]:
            copy[UDP].sport = 0  # a hash of what is inside
        layer = next(inside[t] for t in (TCP, UDP, ICMP) if t in inside)
        if isinstance(layer, ICMP):
            layer.id = 0
        else:
            layer.sport = 0
        layer.chksum = 0
        return bytes(copy)


def seen(link: str, frame: bytes) -> Seen | None:
    """What a frame has. None: ARP."""
    packet = Ether(frame)
    if ARP in packet:
        return None
    assert IP in packet, packet
    inside = _inside(packet)
    return Seen(link, packet, packet[IP].dst if inside is not packet[IP] else "", inside)


def _inside(packet: Ether) -> IP:
    return packet[VXLAN].payload[IP] if VXLAN in packet else packet[IP]


def ends(ip: IP) -> Ends:
    """Of an IP packet."""
    if ICMP in ip:
        return Ends(ip.src, ip[ICMP].id or 0, ip.dst, 0, "ping")
    for kind, layer in TRANSPORTS.items():
        if layer in ip:
            return Ends(ip.src, ip[layer].sport, ip.dst, ip[layer].dport, kind)
    raise AssertionError(ip)


def check(frame: Ether) -> None:
    """All checksums of a frame, and of what it carries, are right (or, of UDP, absent)."""
    again = Ether(bytes(frame))
    packet: Packet = again
    while IP in packet:
        ip = packet[IP]
        del ip.chksum
        for layer in (TCP, UDP, ICMP):
            if layer in ip and not (layer is UDP and ip[UDP].chksum == 0):
                del ip[layer].chksum
                break
        packet = ip[VXLAN].payload if VXLAN in ip else Raw()
    assert bytes(again) == bytes(frame), f"wrong checksum: {frame!r}"
