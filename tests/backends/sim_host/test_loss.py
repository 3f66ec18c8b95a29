"""Frames get lost: nothing hangs, and what TCP delivers is whole."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backends.sim_host.lab import SECOND, conserved, pair
from vectorplane.backends.engine.sim_host.probe import ProbeState
from vectorplane.backends.engine.sim_host.settle import settle

BODY = bytes(range(256)) * 40


def losing(numbers: frozenset[int]) -> Callable[[bytes], bool]:
    """Loses the frames with these numbers."""
    sent = 0

    def lost(frame: bytes) -> bool:
        nonlocal sent
        sent += 1
        return sent - 1 in numbers

    return lost


@settings(max_examples=150, deadline=None)
@given(st.frozensets(st.integers(0, 40), max_size=4))
def test_tcp_delivers(numbers: frozenset[int]) -> None:
    """Fewer losses than retries, so all arrives; both ends come to their end."""
    network, a, b = pair()
    (link,) = network.host_links
    settle(network, a.ping("10.0.0.2"))  # they know each other
    link.loses = losing(numbers)
    b.serve_tcp(80, lambda request, client: BODY if len(request) == 3000 else None)
    probe = a.connect("10.0.0.2", 80, b"q" * 3000, timeout=600 * SECOND)
    settle(network, probe)
    assert probe.answered and probe.answer == BODY
    network.run()
    assert not a.tcp.connections and not b.tcp.connections
    conserved(a, b)


@settings(max_examples=60, deadline=None)
@given(st.frozensets(st.integers(0, 60), min_size=20, max_size=61), st.booleans())
def test_nothing_hangs(numbers: frozenset[int], all_else: bool) -> None:
    network, a, b = pair()
    (link,) = network.host_links
    link.loses = losing(numbers)
    b.serve_tcp(80, lambda request, client: BODY)
    b.serve_udp()
    b.serve_sctp()
    probes = [a.connect("10.0.0.2", 80), a.send_udp("10.0.0.2", 5, b"x"), a.sctp_init("10.0.0.2", 5)]
    probes.append(a.ping("10.0.0.2", count=3))
    assert settle(network, probes) == []
    for p in probes:
        assert p.done and p.finished is not None and p.finished <= 11 * SECOND
    assert probes[0].state is not ProbeState.ANSWERED or probes[0].answer == BODY
    network.run()
    assert not a.tcp.connections and not b.tcp.connections
    conserved(a, b)


def test_each_single_loss() -> None:
    for number in range(12):
        network, a, b = pair()
        (link,) = network.host_links
        link.loses = losing(frozenset((number,)))
        b.serve_udp()
        udp = a.send_udp("10.0.0.2", 5, b"x")
        settle(network, udp)
        assert udp.answered, number
        assert link.lost == (number < 4)


def test_all_is_lost() -> None:
    network, a, _ = pair(arp={"10.0.0.2": b"\x02\xaa\x0a\x00\x00\x02", "10.0.0.1": b"\x02\xaa\x0a\x00\x00\x01"})
    (link,) = network.host_links
    link.loses = lambda frame: True
    probes = [a.ping("10.0.0.2"), a.send_udp("10.0.0.2", 1, b""), a.connect("10.0.0.2", 80), a.sctp_init("10.0.0.2", 1)]
    slow = a.connect("10.0.0.2", 80, timeout=1000 * SECOND)
    settle(network, [*probes, slow])
    assert {p.state for p in probes} == {ProbeState.TIMED_OUT}
    assert slow.state is ProbeState.TIMED_OUT and slow.finished == 63 * SECOND and slow.sent == 6
    assert link.lost == a.frames_out


def test_a_limit() -> None:
    network, a, _ = pair()
    (link,) = network.host_links
    link.loses = lambda frame: True
    probe = a.connect("10.0.0.2", 80)
    assert settle(network, probe, limit=SECOND // 2) == [probe] and network.agenda.now == SECOND // 2
