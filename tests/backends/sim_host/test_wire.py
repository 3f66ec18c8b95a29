"""Everything that hosts send, taken apart by scapy and put together again with checksums and lengths of its own."""

from __future__ import annotations

import struct
from collections import Counter

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.layers.sctp import SCTP
from scapy.packet import Packet, Raw
from scapy.utils import checksum as sum_of

from tests.backends.sim_host.lab import pair, routed, tapped
from vectorplane.backends.engine.sim_host.settle import settle


def agreed(frame: bytes) -> Packet:
    """The frame as scapy reads it; what scapy computes itself is what stands in the frame."""
    whole, packet = frame, Ether(frame)
    layer: Packet = packet
    fragment = IP in packet and (packet[IP].frag or packet[IP].flags.MF)
    if ICMP in packet and packet[ICMP].type == 3:  # scapy takes a long quotation for an extension (RFC 4884)
        assert sum_of(frame[34:]) == 0
        layer = packet[IP]
        layer.remove_payload()
        frame, packet = frame[:34], packet / Raw(frame[34:])
    while layer:
        for name in ("chksum", "len", "ihl", "dataofs"):
            if name in layer.fields and not (fragment and not isinstance(layer, IP)):
                del layer.fields[name]
        layer.raw_packet_cache = None
        layer = layer.payload
    assert bytes(packet)[: len(frame)] == frame, packet.show(dump=True)
    return Ether(whole)


def test_every_kind() -> None:
    network, a, b = pair()
    frames = tapped(network)
    b.serve_udp(53)
    b.serve_tcp(80, lambda request, client: bytes(5001))
    b.serve_sctp(5000)
    to = "10.0.0.2"
    probes = [a.ping(to, size=1), a.ping(to, size=5000), a.send_udp(to, 53, b"odd"), a.send_udp(to, 53, bytes(4000))]
    probes += [a.send_udp(to, 54, b"x" * 700), a.connect(to, 80), a.connect(to, 81), a.sctp_init(to, 5000)]
    probes += [a.sctp_init(to, 5001), a.ping("10.0.0.9")]
    settle(network, probes)
    network.run()
    seen: Counter[str] = Counter()
    for frame in frames:
        packet = agreed(frame)
        for kind in (ARP, UDP, TCP, SCTP, ICMP):
            seen[kind.__name__] += kind in packet
        if IP in packet:
            assert packet[IP].len <= 1500 and packet[IP].ttl == 64
    assert all(seen[k] for k in ("ARP", "UDP", "TCP", "SCTP", "ICMP")), seen
    refused = [Ether(f) for f in frames if ICMP in Ether(f) and Ether(f)[ICMP].type == 3]
    assert [p[ICMP].code for p in refused] == [3]
    assert len(refused[0][IP]) == 576  # as much as is quoted
    assert [str(p.state.value) for p in probes] == ["answered"] * 4 + ["refused", "answered", "refused"] + [
        "answered",
        "refused",
        "unreachable",
    ]
    assert probes[1].answer == (bytes(range(256)) * 20)[:5000] and probes[3].answer == b"b: " + bytes(4000)


def test_arp_and_ethernet() -> None:
    network, a, b = pair()
    frames = tapped(network)
    settle(network, a.ping("10.0.0.2"))
    request, reply = (Ether(f) for f in frames[:2])
    assert (request.dst, request[ARP].op, request[ARP].psrc, request[ARP].pdst) == (
        "ff:ff:ff:ff:ff:ff",
        1,
        "10.0.0.1",
        "10.0.0.2",
    )
    assert (reply.dst, reply.src, reply[ARP].op) == (a.mac.hex(":"), b.mac.hex(":"), 2)
    assert (reply[ARP].hwsrc, reply[ARP].hwdst, reply[ARP].psrc) == (b.mac.hex(":"), a.mac.hex(":"), "10.0.0.2")


def test_scapys_packets_are_understood() -> None:
    network, a, _ = pair()
    a.serve_udp()
    a.serve_sctp()
    a.serve_tcp(80)
    a.arp.static[bytes([10, 0, 0, 2])] = b"\2" * 6
    frames = tapped(network)
    head = Ether(dst=a.mac.hex(":")) / IP(src="10.0.0.2", dst="10.0.0.1")
    init = SCTP(sport=7, dport=8) / struct.pack("!BBHIIHHI", 1, 0, 20, 99, 1 << 16, 1, 1, 5)
    for packet in (
        head / UDP(sport=1, dport=2) / b"hi",
        head / ICMP() / b"abc",
        head / TCP(sport=1000, dport=80, flags="S", options=[("NOP", None), ("MSS", 100)]),
        head / init,
    ):
        a.receive(bytes(packet))
    udp, echo, tcp, sctp = (Ether(f) for f in frames)
    assert bytes(udp[UDP].payload) == b"a: hi" and (udp[UDP].sport, udp[UDP].dport) == (2, 1)
    assert echo[ICMP].type == 0 and bytes(echo[ICMP].payload) == b"abc"
    assert tcp[TCP].flags == "SA" and tcp[TCP].ack == 1 and ("MSS", 1460) in tcp[TCP].options
    assert sctp[SCTP].tag == 99 and bytes(sctp[SCTP].payload)[:1] == b"\2"
    assert a.dropped.total() == 0


def test_through_a_router() -> None:
    """What a router makes of hosts' frames is right, too; and hosts take only what is."""
    network, engine, a, b = routed()
    frames = tapped(network)
    b.serve_tcp()
    settle(network, [a.ping("10.1.1.2", size=3000), a.connect("10.1.1.2", 80, b"x" * 4000), a.ping("10.1.1.2", ttl=1)])
    assert len([agreed(f) for f in frames]) > 20
    assert not a.dropped and not b.dropped
    engine.close()
