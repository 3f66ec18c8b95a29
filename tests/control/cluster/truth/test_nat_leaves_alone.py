"""What NAT must not spoil between pods, and on their way into the world and back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.control.cluster.truth.nine_pods import PLACES, NinePods, nine_pods
from vectorplane.backends.engine.sim_host.probe import ProbeState
from vectorplane.control.cluster.simulated.cluster import OUTSIDE


@pytest.fixture(scope="module")
def nine() -> Iterator[NinePods]:
    with nine_pods() as made:
        yield made


def test_every_echo_of_a_ping_to_the_world_is_answered(nine: NinePods) -> None:
    """With one identifier, which NAT changes: the second one meets the session already where it comes in."""
    packets = nine.packets
    probes = [packets.hosts[name].ping(packets.address(OUTSIDE), count=4) for name in PLACES]
    packets.cluster.wait_for(*probes)
    assert [probe.received for probe in probes] == [4] * len(PLACES)


def test_pods_of_a_node_may_use_the_same_port_to_the_world(nine: NinePods) -> None:
    packets = nine.packets
    for _ in range(3):
        some = [packets.hosts[name].send_udp(packets.address(OUTSIDE), 53, b"?", 5353, retries=0) for name in PLACES]
        more = [packets.hosts[name].connect(packets.address(OUTSIDE), 80, sport=6000) for name in PLACES]
        packets.cluster.wait_for(*some, *more)
        assert {probe.state for probe in (*some, *more)} == {ProbeState.ANSWERED}
        packets.cluster.advance(5)  # until the ports are free again


@pytest.mark.parametrize("to", ["x/a", "x/b", "x/c", "node/node-1", "node/node-2"])
def test_sctp_is_answered_by_whom_it_was_sent_to(nine: NinePods, to: str) -> None:
    """Between nodes, too: else a receiver's policies would see its own node, which is always allowed."""
    packets = nine.packets
    senders = [name for name in PLACES if name != to]
    probes = [packets.hosts[name].sctp_init(packets.address(to), 80, 7000) for name in senders]
    packets.cluster.wait_for(*probes)
    answered = {name: probe.source for name, probe in zip(senders, probes, strict=True)}
    assert answered == dict.fromkeys(senders, packets.address(to))
