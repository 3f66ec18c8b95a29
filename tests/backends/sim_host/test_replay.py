"""Captures that hosts send: times, rewriting, what is skipped, and that records are taken one at a time."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether

from tests.backends.sim_host.lab import SECOND, pair, routed, tapped
from vectorplane.backends.engine.sim_host.ip4 import fragments
from vectorplane.backends.engine.sim_host.replay import from_source, whole_packet
from vectorplane.backends.engine.sim_host.settle import settle


def test_as_it_is() -> None:
    network, a, b = pair(latency=10)
    frames = [bytes(Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02") / IP() / bytes([i])) for i in range(5)]
    replay = a.replay([(1_000_000 + i * 100, f) for i, f in enumerate(frames)], shift=-900_000)
    network.run()
    assert [(r.time, r.frame) for r in b.received] == [(100_010 + i * 100, f) for i, f in enumerate(frames)]
    assert (replay.sent, replay.skipped, replay.late, replay.done) == (5, 0, 0, True)


def test_records_are_taken_one_at_a_time_and_it_can_be_stopped() -> None:
    network, a, b = pair()
    taken = 0

    def endless() -> Iterator[tuple[int, bytes]]:
        nonlocal taken
        while True:
            taken += 1
            yield taken * SECOND, bytes(60)

    replay = a.replay(endless())
    network.run_until(10 * SECOND + 5000)
    assert (taken, replay.sent) == (12, 11) and b.frames_in == 11  # the first was sent at once
    replay.stop()
    network.run()
    assert taken == 12 and b.frames_in == 11


def test_late_and_unfit_records() -> None:
    network, a, b = pair()
    network.run_until(SECOND)
    replay = a.replay([(0, b"short"), (0, bytes(20)), (2 * SECOND, bytes(20))], shift=0)
    network.run()
    assert (replay.sent, replay.skipped, replay.late) == (2, 1, 2) and b.frames_in == 2
    packets = a.replay([(0, bytes(30))], packets=True)
    network.run()
    assert (packets.sent, packets.skipped) == (0, 1)


def test_rewritten_frames_are_the_hosts_own() -> None:
    """Through a router, answered by the other host; frames that are not IPv4 stay away."""
    network, engine, a, b = routed()
    b.serve_udp()
    settle(network, a.ping("10.1.1.2"))
    frames = tapped(network)
    head = Ether(src="02:00:00:00:00:99", dst="02:00:00:00:00:98") / IP(src="172.16.0.1", dst="10.1.1.2")
    records = [head / UDP(sport=5, dport=6) / b"one", Ether() / ARP(), head / ICMP(), head / TCP(flags="S")]
    replay = a.replay([(i * 1000, bytes(r)) for i, r in enumerate(records)], rewrite=True)
    network.run()
    assert (replay.sent, replay.skipped) == (3, 1)
    assert b.handled["UDP request"] == 1 and b.handled["echo request"] == 2
    # nobody at a waits for the datagram that b answers with, which b is told
    assert b.dropped == {"TCP port nobody listens at": 1, "ICMP error about nothing known": 1}
    own = [Ether(f) for f in frames if Ether(f).src == a.mac.hex(":")]
    assert {p[IP].src for p in own} == {"10.1.0.2"} and len(own) == 4
    assert sum(a.dropped.values()) == 3  # nobody at the host asked for these answers
    engine.close()


@given(
    st.sampled_from([UDP(sport=1, dport=2), TCP(sport=1, dport=2), ICMP(), UDP(sport=1, dport=2, chksum=0)]),
    st.binary(max_size=200),
    st.binary(min_size=4, max_size=4),
)
def test_rewriting_against_scapy(layer: object, data: bytes, source: bytes) -> None:
    packet = bytes(IP(src="172.16.0.1", dst="10.1.1.2") / layer / data)
    wanted = IP(packet)
    wanted.src = ".".join(map(str, source))
    del wanted.chksum
    for kind in (UDP, TCP):
        if kind in wanted and wanted[kind].chksum:
            del wanted[kind].chksum
    assert from_source(packet, source) == bytes(wanted)
    if len(packet) >= 68 and len(data) > 100:
        # a checksum in a piece can only be adjusted, and is right when all have been put together
        pieces = [from_source(p, source) for p in fragments(packet, 60)]
        assert b"".join(p[20:] for p in pieces) == bytes(wanted)[20:]


@given(st.binary(max_size=60))
def test_what_is_no_packet(data: bytes) -> None:
    packet = whole_packet(data)
    assert packet is None or (data.startswith(packet) and len(from_source(packet, b"abcd")) == len(packet))
