"""What a host does with what it is sent, and what its requests come to."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from tests.backends.sim_host.lab import SECOND, conserved, pair
from vectorplane.backends.engine.network import Network
from vectorplane.backends.engine.sim_host.host_link import HostLink
from vectorplane.backends.engine.sim_host.ip4 import build, fragments
from vectorplane.backends.engine.sim_host.probe import ProbeState
from vectorplane.backends.engine.sim_host.settle import settle
from vectorplane.backends.engine.sim_host.sim_host import SimHost

TO = "10.0.0.2"


def test_ping() -> None:
    network, a, b = pair(latency=500)
    probe = a.ping(TO, count=3, size=10)
    assert probe.state is ProbeState.WAITING and not probe.done
    assert settle(network, probe) == []
    assert (probe.sent, probe.received, probe.round_trip) == (3, 3, 1000)
    assert probe.source == IPv4Address(TO) and probe.answer == bytes(range(10))
    assert probe.finished == 2 * SECOND + 1000 and network.agenda.now - probe.finished in range(500)
    assert str(probe) == "ping 10.0.0.2: answered by 10.0.0.2 after 1000 ns"
    conserved(a, b)


def test_udp_services() -> None:
    network, a, b = pair()
    b.serve_udp(53)
    b.serve_udp(54, lambda data, client: b"%s from %s %d" % (data, str(client[0]).encode(), client[1]))
    b.serve_udp(55, lambda data, client: None)
    named, told, silent, refused = (a.send_udp(TO, port, b"q", 1000) for port in (53, 54, 55, 56))
    settle(network, [named, told, silent, refused])
    assert (named.answer, named.source_port) == (b"b: q", 53)
    assert told.answer == b"q from 10.0.0.1 1000"
    assert silent.state is ProbeState.TIMED_OUT and silent.sent == 3
    assert refused.state is ProbeState.REFUSED and refused.error is not None
    assert refused.error.source == IPv4Address(TO) and refused.error.text == "port unreachable"
    b.udp.services.close(53)
    settle(network, closed := a.send_udp(TO, 53, b"q"))
    assert closed.state is ProbeState.REFUSED
    b.serve_udp()
    settle(network, anywhere := a.send_udp(TO, 9999, b"q"))
    assert anywhere.answer == b"b: q"


def test_tcp_services() -> None:
    network, a, b = pair()
    settle(network, a.ping(TO))
    b.serve_tcp(80)
    pages = [a.connect(TO, 80) for _ in range(20)]
    post = a.connect(TO, 80, b"POST / HTTP/1.1\r\nContent-Length: 4000\r\n\r\n" + bytes(4000))
    head = a.connect(TO, 80, b"HEAD / HTTP/1.0\r\n\r\n")
    echo, nothing, refused = a.connect(TO, 80, b"hello"), a.connect(TO, 80, b""), a.connect(TO, 81)
    settle(network, [*pages, post, head, echo, nothing, refused])
    assert all(p.answered and p.answer.startswith(b"HTTP/1.0 200 OK\r\n") for p in (*pages, post, head))
    assert all(p.answer.endswith(b"\r\n\r\nb\n") for p in (*pages, post)) and head.answer.endswith(b"\r\n\r\n")
    assert echo.answer == b"b: hello" and nothing.answered
    assert (refused.state, refused.answer, refused.sent) == (ProbeState.REFUSED, b"", 1)
    assert echo.round_trip == 2000 and (echo.source, echo.source_port) == (IPv4Address(TO), 80)
    assert len({p.local_port for p in pages}) == 20
    network.run()
    assert not a.tcp.connections and not b.tcp.connections and not a.tcp.uses(pages[0].local_port)


def test_large_answers_and_requests() -> None:
    network, a, b = pair()
    body = bytes(range(256)) * 1200
    seen: list[bytes] = []
    b.serve_tcp(80, lambda request, client: seen.append(request) or (body if len(request) == 200_000 else None))
    settle(network, probe := a.connect(TO, 80, b"r" * 200_000))
    assert probe.answer == body and seen[-1] == b"r" * 200_000


def test_a_server_that_never_answers() -> None:
    network, a, b = pair()
    b.serve_tcp(80, lambda request, client: None)
    settle(network, probe := a.connect(TO, 80, timeout=3 * SECOND))
    assert probe.state is ProbeState.TIMED_OUT and probe.finished == 3 * SECOND
    network.run()
    assert not b.tcp.connections


def test_a_request_in_parts() -> None:
    """The server waits for the rest; what is said when it is over is a mistake."""
    network, a, b = pair()
    b.serve_tcp(80, lambda request, client: request[::-1] if request.endswith(b"?") else None)
    probe = a.connect(TO, 80, b"are ", timeout=100 * SECOND)
    for part in (b"you ", b"x" * 5000, b"there?"):
        network.run_until(network.agenda.now + 5 * SECOND)
        assert not probe.done
        a.send_more(probe, part)
    settle(network, probe)
    assert probe.answered and probe.answer == (b"are you " + b"x" * 5000 + b"there?")[::-1]
    with pytest.raises(ValueError, match=r"host a: .* has no connection"):
        a.send_more(probe, b"more")
    closed = a.connect(TO, 80, b"")
    with pytest.raises(ValueError, match=f"host a: the connection from port {closed.local_port} is closed"):
        a.send_more(closed, b"more")
    settle(network, closed)


def test_a_port_is_used_again() -> None:
    """The client closed last, so its port is free; the server's end forgets the old connection for the new SYN."""
    network, a, b = pair()
    b.serve_tcp(80)
    for _ in range(3):
        settle(network, probe := a.connect(TO, 80, sport=1234))
        assert probe.answered
    running = a.connect(TO, 80, sport=1234)
    with pytest.raises(ValueError, match="host a has a connection from port 1234"):
        a.connect(TO, 80, sport=1234)
    settle(network, running)
    conserved(a, b)


def test_sctp() -> None:
    network, a, b = pair()
    b.serve_sctp(5000)
    answered, refused, nobody = a.sctp_init(TO, 5000), a.sctp_init(TO, 5001), a.sctp_init("10.0.0.3", 5000)
    settle(network, [answered, refused, nobody])
    assert answered.answered and answered.answer[0] == 2
    assert refused.state is ProbeState.REFUSED and nobody.state is ProbeState.UNREACHABLE
    b.sctp.close(5000)
    settle(network, closed := a.sctp_init(TO, 5000))
    assert closed.state is ProbeState.REFUSED


def test_nobody_there() -> None:
    network, a, _ = pair()
    probes = [a.ping("10.0.0.3"), a.send_udp("10.0.0.3", 1, b""), a.connect("10.0.0.3", 1), a.ping("192.0.2.1")]
    settle(network, probes)
    assert [p.state for p in probes] == [ProbeState.UNREACHABLE] * 4
    assert [p.error.text for p in probes if p.error] == ["host unreachable"] * 3 + ["network unreachable"]
    assert a.not_sent == {"neighbour not known": 3, "no route": 1}


def test_static_neighbours_and_a_gateway_outside_every_prefix() -> None:
    """As a pod has it: /32, and a gateway whose MAC address it was told."""
    a = SimHost("pod", "10.1.1.2/32", gateway="169.254.1.1", arp={"169.254.1.1": b"\x02\xaa\x0a\x02\x00\x01"})
    b = SimHost("far", "10.2.0.1/32", routes={"10.1.1.2/32": None}, answers_all=True, arp_for=["169.254.0.0/16"])
    network = Network([], host_links=[HostLink(a, b)])
    b.serve_udp()
    probes = [a.ping("8.8.8.8"), a.send_udp("10.2.0.1", 5, b"x")]
    settle(network, probes)
    assert [str(p.source) for p in probes] == ["8.8.8.8", "10.2.0.1"]
    assert "ARP request" not in b.handled
    del a.arp.static[IPv4Address("169.254.1.1").packed]
    settle(network, asked := a.ping("8.8.8.8"))
    assert asked.answered and b.handled["ARP request"] == 1


def test_what_was_learnt_is_believed_for_a_while() -> None:
    network, a, b = pair()
    settle(network, a.ping(TO))
    network.run_until(200 * SECOND)
    settle(network, a.ping(TO))
    assert b.handled["ARP request"] == 1
    network.run_until(600 * SECOND)
    settle(network, a.ping(TO))
    assert b.handled["ARP request"] == 2
    b.announce()
    network.run()
    assert a.dropped["ARP request for others"] == 1


def test_itself() -> None:
    network, a, _ = pair()
    a.serve_tcp()
    probes = [a.ping("10.0.0.1", size=3000), a.connect("10.0.0.1", 80)]
    settle(network, probes)
    assert all(p.answered for p in probes) and a.frames_out == 0
    conserved(a)


def test_mtu() -> None:
    """Datagrams are cut, unless they may not be; TCP finds out what fits."""
    network, a, b = pair(mtu=600)
    b.serve_tcp(80, lambda request, client: bytes(3000))
    probes = [a.ping(TO, size=1000), a.ping(TO, size=1000, df=True), a.connect(TO, 80)]
    settle(network, probes)
    cut, whole, tcp = probes
    assert cut.answered and tcp.answer == bytes(3000)
    assert whole.state is ProbeState.UNREACHABLE and whole.error is not None
    assert (whole.error.text, whole.error.mtu) == ("fragmentation needed", 600)
    assert max(len(r.frame) for r in b.received) <= 614


def test_broadcast() -> None:
    network, a, b = pair()
    b.serve_udp(67)
    settle(network, [found := a.send_udp("10.0.0.255", 67, b"?"), unheard := a.send_udp("10.0.0.255", 68, b"?")])
    assert found.source == IPv4Address(TO) and unheard.state is ProbeState.TIMED_OUT
    settle(network, ping := a.ping("255.255.255.255"))
    assert ping.state is ProbeState.TIMED_OUT and b.dropped["echo request by broadcast"] == 3


def test_several_addresses() -> None:
    a = SimHost("a", ["10.0.0.1/24", "10.9.0.1/24"])
    b = SimHost("b", ["10.0.0.2/24", "10.9.0.2/24"])
    network = Network([], host_links=[HostLink(a, b)])
    b.serve_udp(1, lambda data, client: str(client[0]).encode())
    settle(network, probes := [a.send_udp("10.0.0.2", 1, b""), a.send_udp("10.9.0.2", 1, b"")])
    assert [p.answer for p in probes] == [b"10.0.0.1", b"10.9.0.1"]


def test_raw_frames_and_packets() -> None:
    network, a, b = pair()
    packet = build(bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), 99, bytes(3000), ident=7)
    a.send_packet(packet + b"behind it")
    a.send_raw(b.mac + a.mac + b"\x86\xdd" + bytes(40))
    network.run()
    assert b.dropped == {"unknown IP protocol": 1, "unknown ethertype": 1} and b.handled["fragment"] == 2
    assert a.dropped == {"ICMP error about nothing known": 1}
    conserved(a, b)
    with pytest.raises(ValueError, match="host a: send_packet: not a whole IPv4 packet"):
        a.send_packet(packet[:-1])


def test_the_log_is_bounded() -> None:
    network, a, b = pair(log=3)
    settle(network, a.ping(TO, count=5, interval=10))
    assert [r.time for r in b.received] == sorted(r.time for r in b.received) and len(b.received) == 3


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (0, "not IP version 4"),
        (3, "bad IP length"),
        (11, "bad IP checksum"),
        (8, "time to live is 0"),
        (12, "bad IP source"),
        (16, "for another IP address"),
    ],
)
def test_bad_packets_are_named(field: int, reason: str) -> None:
    _, a, _ = pair()
    packet = bytearray(build(bytes([10, 0, 0, 2]), bytes([10, 0, 0, 1]), 17, bytes(8), ident=1))
    packet[field] = {0: 0x65, 3: 255, 11: packet[11] ^ 1, 8: 0, 12: 0xE0, 16: 11}[field]
    if field != 11:
        packet[10:12] = bytes(2)
        packet = bytearray(build(bytes(packet[12:16]), bytes(packet[16:20]), 17, bytes(8), ident=1, ttl=packet[8]))
        packet[0] = 0x65 if field == 0 else 0x45
        packet[3] = 255 if field == 3 else packet[3]
    a.receive(a.mac + bytes(6) + b"\x08\x00" + bytes(packet))
    assert a.dropped == {reason: 1}


def test_fragments_of_options_keep_lengths() -> None:
    packet = build(bytes(4), bytes(4), 17, bytes(range(100)), ident=1)
    pieces = fragments(packet, 60)
    assert [len(p) for p in pieces] == [60, 60, 40] and b"".join(p[20:] for p in pieces) == packet[20:]
    with pytest.raises(ValueError, match="does not fit an MTU of 24"):
        fragments(packet, 24)


def refusals(a: SimHost) -> list[tuple[Any, str]]:
    return [
        (lambda: SimHost("x", []), "host x has no address"),
        (lambda: SimHost("x", "10.0.0"), "host x: "),
        (lambda: SimHost("x", "10.0.0.1/24", mtu=10), "host x: an MTU of 10"),
        (lambda: SimHost("x", "10.0.0.1/24", mac=b"\1" * 6), "host x: '01:01:01:01:01:01' is no MAC"),
        (lambda: SimHost("x", "10.0.0.1/24", gateway="nobody"), "host x: route 0.0.0.0/0"),
        (lambda: a.ping("10.0.0.300"), "host a: "),
        (lambda: a.ping(TO, count=0), "host a: ping: count 0"),
        (lambda: a.ping(TO, size=65508), "size 65508"),
        (lambda: a.send_udp(TO, 0, b""), "host a: send_udp: port 0"),
        (lambda: a.send_udp(TO, 1, bytes(65508)), "65508 bytes"),
        (lambda: a.send_udp(TO, 1, b"", ttl=0), "ttl 0"),
        (lambda: a.connect(TO, 1, sport=70000), "port 70000"),
        (lambda: a.serve_udp(70000), "port 70000"),
        (lambda: a.serve_sctp(0), "port 0"),
        (lambda: HostLink(a, a), "itself"),
        (lambda: HostLink(SimHost("y", "10.0.0.9/24"), a), "host a has a link already"),
        (lambda: HostLink(SimHost("y", "10.0.0.9/24"), SimHost("z", "10.0.0.8/24"), 0), "latency"),
    ]


@pytest.mark.parametrize("number", range(17))
def test_refused(number: int) -> None:
    _, a, _ = pair()
    call, message = refusals(a)[number]
    with pytest.raises(ValueError, match=message):
        call()
    assert len(refusals(a)) == 17 and a.frames_out == 0


def test_in_no_network() -> None:
    with pytest.raises(RuntimeError, match="host x is in no network"):
        SimHost("x", "10.0.0.1/24").ping(TO)


def test_answers_that_are_too_long() -> None:
    """An echo that does not fit into a datagram is counted, and time goes on."""
    network, a, b = pair()
    a.serve_udp()
    b.serve_udp()
    datagram = UDP(sport=7, dport=7) / bytes(65505)
    a.send_packet(bytes(IP(src="10.0.0.1", dst=TO) / datagram))
    a.send_packet(bytes(IP(src="10.0.0.1", dst="10.0.0.1") / datagram))
    b.send_raw(bytes(Ether(dst=a.mac.hex(":")) / IP(src="10.0.0.1", dst="10.0.0.1") / UDP(sport=7, dport=7)))
    network.run()
    assert a.not_sent["UDP answer too long"] == b.not_sent["UDP answer too long"] == 1
    assert a.dropped["bad IP source"] == 1
    conserved(a, b)


def test_two_that_echo_come_to_an_end() -> None:
    """Both answer at all ports: an answer is no request that has to be answered for ever."""
    network, a, b = pair()
    settle(network, a.ping(TO))
    for host in (a, b):
        host.serve_udp()
    before = a.frames_in + b.frames_in
    header = (1000).to_bytes(2, "big") + (2000).to_bytes(2, "big") + (10).to_bytes(2, "big") + bytes(2)
    a.send_packet(build(a.addresses[0].ip.packed, b.addresses[0].ip.packed, 17, header + b"hi", ident=1))
    network.run()
    assert a.frames_in + b.frames_in - before in (2, 3, 4)
    conserved(a, b)
