"""Engines joined by links: routing, ARP, ping, lockstep, determinism, conservation."""

from __future__ import annotations

from typing import Any

import pytest

from tests.backends.sim import HOST, balanced, checksum, forwarder, mac_of, number_of, router, udp
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.network import Network
from vectorplane.backends.engine.sim_link import Link
from vectorplane.backends.engine.sim_nic import SimNic

SECOND = 1_000_000_000


def ping(sequence: int, destination: str = "10.2.1.1") -> bytes:
    """An ICMP echo request from 10.1.0.9, a host behind port0 of router 1."""
    base = udp(sequence, size=98, src="10.1.0.9", dst=destination)
    header = bytearray(base[14:34])
    header[9], header[10:12] = 1, bytes(2)
    header[10:12] = checksum(bytes(header)).to_bytes(2, "big")
    body = bytes([8, 0, 0, 0, 0, 7]) + sequence.to_bytes(2, "big") + bytes(range(56))
    body = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
    return base[:14] + bytes(header) + body


def two_routers(latency: int = 5000, ports: Any = ({}, {"line_rate": 10**9}), **options: Any) -> Any:
    """host -- port0 [1] port1 -- port0 [2] port1; 10.12.0.0/24 is between them."""
    one, left = router(1, ports, **options)
    two, right = router(2, ports[::-1], **options)
    a, b = left[1], right[0]
    one.addresses.add(a.sw_if_index, "10.12.0.1/24")
    two.addresses.add(b.sw_if_index, "10.12.0.2/24")
    one.routes.add("10.2.0.0/16", one.routes.path("10.12.0.2", "port1"))
    two.routes.add("10.1.0.0/16", two.routes.path("10.12.0.1", "port0"))
    one.neighbours.add(left[0].sw_if_index, "10.1.0.9", HOST, static=True)
    return Network([one, two], [Link(a, b, latency)]), (one, two), (left[0], a, b, right[1])


def run_pings(count: int = 5, **options: Any) -> tuple[list[tuple[int, bytes]], Network]:
    network, engines, (host, a, b, _) = two_routers(**options)
    host.inject([(1000 + i * SECOND // 100, ping(i)) for i in range(count)])
    network.run_until(SECOND)
    balanced(*engines)
    assert all(e.now == SECOND for e in engines)
    for sender, receiver in ((a, b), (b, a)):
        got = int(receiver.engine.plane.if_stats["rx"].total(receiver.sw_if_index)[0])
        assert sender.sent == got + receiver.missed
    answers = host.transmitted()
    for engine in engines:
        engine.close()
    return answers, network


def test_ping_across_two_routers() -> None:
    """The first request is lost to ARP, as in VPP; the others are answered after twice the link's time."""
    answers, network = run_pings()
    assert [int.from_bytes(f[40:42], "big") for _, f in answers] == [1, 2, 3, 4]
    assert all(f[34:36] == b"\0\0" and f[:12] == HOST + mac_of(1, 0) for _, f in answers)
    # 98 bytes and 24 of overhead at 1 Gbit/s, twice, and the latency twice
    assert [t for t, _ in answers] == [1000 + i * SECOND // 100 + 2 * (976 + 5000) for i in (1, 2, 3, 4)]
    assert network.rounds < 40  # a second of almost nothing


def test_two_runs_and_two_vector_sizes_are_one() -> None:
    first = run_pings(20)[0]
    assert first == run_pings(20)[0] == run_pings(20, vector_size=1)[0]
    assert len(first) == 19


def test_several_workers() -> None:
    """ARP packets are a barrier for the workers of each engine; one second router is enough to see them all pass."""
    ports = ({"queues": 2}, {"queues": 2, "line_rate": 10**9})
    assert run_pings(8, ports=ports, workers=2)[0] == run_pings(8)[0]


def test_the_latency_counts() -> None:
    short, long = run_pings(3, latency=1)[0], run_pings(3, latency=777_000)[0]
    assert [t - s for (t, _), (s, _) in zip(long, short, strict=True)] == [2 * 776_999] * 2


def test_a_chain_under_load() -> None:
    """Everything that is sent into one end comes out at the other, is dropped with a reason, or missed at a ring."""
    ports = ({"rx_ring": 64}, {"line_rate": 10**8, "tx_ring": 20, "rx_ring": 4})
    network, (one, two), (host, _, b, last) = two_routers(ports=ports)
    two.neighbours.add(last.sw_if_index, "10.2.1.9", HOST, static=True)
    host.inject([(i * 3000, udp(i, size=200, dst="10.2.1.9")) for i in range(400)])
    network.run()
    out = [number_of(f) for _, f in last.transmitted()]
    drops = one.plane.error_counts("drops")
    assert out == sorted(out) and 0 < len(out) < 400
    assert drops["port1-tx: no free tx slots"] > 100
    assert len(out) + sum(drops.values()) + host.missed + b.missed == 400
    balanced(one, two)
    one.close()
    two.close()


def test_a_link_within_one_engine() -> None:
    """port1 is joined to port2 of the same router: a packet goes round once more for every hop of its TTL."""
    engine, ports = router(1, ({}, {}, {}))
    engine.neighbours.add(ports[1].sw_if_index, "10.1.1.2", mac_of(1, 2), static=True)
    engine.routes.add("192.0.2.0/24", engine.routes.path("10.1.1.2", "port1"))
    engine.neighbours.add(ports[0].sw_if_index, "10.1.0.9", HOST, static=True)
    network = Network([engine], [Link(ports[1], ports[2], 100)])
    ports[0].inject([(50, udp(1, src="10.1.0.9", ttl=5))])
    network.run()
    assert ports[1].sent == 4
    (answer,) = ports[0].transmitted()
    assert answer[0] == 50 + 4 * 100 and answer[1][34:36] == b"\x0b\0"  # time exceeded
    balanced(engine)
    engine.close()


def test_without_links_and_without_time() -> None:
    engine, (first, second) = forwarder()
    first.inject([(10, udp(1)), (SECOND, udp(2))])
    network = Network([engine])
    network.run_until(SECOND - 1)
    assert len(second.transmitted()) == 1 and engine.now == SECOND - 1
    network.run()
    assert len(second.transmitted()) == 1
    engine.close()
    network, engines, (host, *_, last) = two_routers(clock="fast")
    engines[1].neighbours.add(last.sw_if_index, "10.2.1.9", HOST, static=True)
    engines[0].neighbours.add(engines[0].interfaces["port1"].sw_if_index, "10.12.0.2", mac_of(2, 0), static=True)
    host.inject([(i, udp(i, dst="10.2.1.9")) for i in range(3000)])
    network.run()
    assert [number_of(f) for _, f in last.transmitted()] == list(range(3000))
    with pytest.raises(ValueError, match="no time"):
        network.run_until(1)
    balanced(*engines)
    for engine in engines:
        engine.close()


def test_stop() -> None:
    engine, (first, _) = forwarder()
    first.inject([(1, udp(1))])
    network = Network([engine])
    network.stop()
    network.run()
    assert network.rounds == 0
    engine.close()


def test_refused() -> None:
    engine, (a, b) = forwarder()
    other, _ = forwarder()
    real = Engine(clock="real", buffers=2048)
    with pytest.raises(ValueError, match="latency"):
        Link(a, b, 0)
    with pytest.raises(ValueError, match="itself"):
        Link(a, a)
    with pytest.raises(ValueError, match="before it is linked"):
        Link(a, SimNic())
    link = Link(a, b)
    with pytest.raises(ValueError, match="has a link"):
        Link(a, b)
    with pytest.raises(ValueError, match="not in the network"):
        Network([other], [link])
    with pytest.raises(ValueError, match="clock"):
        Network([engine, real])
    with pytest.raises(ValueError, match="twice"):
        Network([engine, engine])
    for e in (engine, other, real):
        e.close()
