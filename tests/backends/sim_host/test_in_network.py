"""Hosts around engines: routing, ARP on both sides, NAT44, bridges, determinism, hosts that come and go."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from tests.backends.sim import balanced, forwarder, router
from tests.backends.sim_host.lab import SECOND, conserved, routed, tapped
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.nat44.static_mappings import Local
from vectorplane.backends.engine.network import Network
from vectorplane.backends.engine.sim_host.host_link import HostLink
from vectorplane.backends.engine.sim_host.probe import ProbeState
from vectorplane.backends.engine.sim_host.settle import settle
from vectorplane.backends.engine.sim_host.sim_host import SimHost
from vectorplane.backends.engine.sim_link import Link
from vectorplane.backends.engine.sim_nic import SimNic
from vectorplane.graph_nodes.nat44.nat import SM_OUT2IN_ONLY


def test_through_a_router() -> None:
    """The router drops the first packet to a neighbour that it does not know, and asks; the second one passes."""
    network, engine, a, b = routed(latency=700)
    b.serve_udp()
    b.serve_tcp(80)
    b.serve_sctp()
    settle(network, first := a.ping("10.1.1.2"))
    assert (first.sent, first.received, first.round_trip) == (2, 1, 4 * 700)
    to = "10.1.1.2"
    probes = [a.send_udp(to, 7, b"x"), a.connect(to, 80), a.sctp_init(to, 1), a.ping(to, size=4000)]
    probes += [a.connect(to, 81), a.ping(to, ttl=1), a.ping("10.1.1.9"), a.ping("10.1.0.1")]
    settle(network, probes)
    S = ProbeState
    assert [p.state for p in probes] == [S.ANSWERED] * 4 + [S.REFUSED, S.UNREACHABLE, S.TIMED_OUT, S.ANSWERED]
    error = probes[5].error
    assert error is not None and (error.text, str(error.source)) == ("time to live exceeded", "10.1.0.1")
    assert all(e.now == network.agenda.now for e in network.engines)
    balanced(engine)
    conserved(a, b)
    engine.close()


def test_workers_and_vector_sizes_change_nothing() -> None:
    def run(workers: int, **options: int) -> list[bytes]:
        engine, ports = router(1, ({"queues": workers}, {"queues": workers}), workers=workers, **options)
        a, b = (SimHost(n, f"10.1.{k}.2/24", gateway=f"10.1.{k}.1") for k, n in enumerate("ab"))
        network = Network([engine], host_links=[HostLink(a, ports[0]), HostLink(b, ports[1])])
        frames = tapped(network)
        b.serve_tcp()
        b.serve_udp()
        settle(network, [a.ping("10.1.1.2"), b.connect("10.1.0.2", 5)])
        several = [a.connect("10.1.1.2", 80, b"x" * 5000) for _ in range(5)]
        settle(
            network, [a.ping("10.1.1.2", size=4000), *several, *(a.send_udp("10.1.1.2", i + 1, b"") for i in range(30))]
        )
        network.run()
        engine.close()
        return frames

    assert run(1) == run(1) == run(1, vector_size=1) == run(2) == run(2, vector_size=1)


def test_path_mtu() -> None:
    """The router's far port takes smaller packets only: TCP learns it from the ICMP error."""
    network, engine, a, b = routed()
    engine.interfaces.set_mtu(engine.interfaces["port1"].sw_if_index, 600)
    b.serve_tcp(80, lambda request, client: request if len(request) == 4000 else None)
    settle(network, a.ping("10.1.1.2"))
    settle(network, tcp := a.connect("10.1.1.2", 80, b"y" * 4000))
    assert tcp.answer == b"y" * 4000 and tcp.error is not None and tcp.error.mtu == 600
    assert (tcp.finished or 0) - tcp.started < SECOND  # nothing had to wait for a timer
    settle(network, ping := a.ping("10.1.1.2", size=1000, df=True))
    assert ping.error is not None and ping.error.text == "fragmentation needed"
    assert max(len(r.frame) for r in b.received) == 614
    engine.close()


def test_nat44() -> None:
    """A service with two backends behind NAT44: both answer, and the client sees the service's address only."""
    engine, ports = router(1, ({}, {}, {}))
    nat = engine.nat44
    nat.enable()
    nat.interfaces.add(ports[0].sw_if_index, False)
    for port in ports[1:]:
        nat.interfaces.add(port.sw_if_index, True)
    backends = [Local(int(IPv4Address(f"10.1.{k}.2")), 8080, 1) for k in (1, 2)]
    for proto in (6, 17):
        nat.mappings.add_lb(int(IPv4Address("192.0.2.1")), 80, proto, backends, SM_OUT2IN_ONLY)
    hosts = [SimHost(f"h{k}", f"10.1.{k}.2/24", gateway=f"10.1.{k}.1") for k in range(3)]
    network = Network([engine], host_links=[HostLink(h, p) for h, p in zip(hosts, ports, strict=True)])
    client, *servers = hosts
    for s in servers:
        s.serve_tcp(8080)
        s.serve_udp(8080)
        settle(network, s.ping("10.1.0.2"))
    pages = [client.connect("192.0.2.1", 80) for _ in range(20)]
    settle(network, [*pages, udp := client.send_udp("192.0.2.1", 80, b"u")])
    assert all(p.answered and str(p.source) == "192.0.2.1" for p in (*pages, udp))
    assert {p.answer.rpartition(b"\r\n\r\n")[2] for p in pages} == {b"h1\n", b"h2\n"}
    assert not any(h.dropped for h in hosts)
    balanced(engine)
    engine.close()


def test_a_bridge_domain() -> None:
    """Three hosts of one network behind one bridge find each other by ARP."""
    engine = Engine(buffers=4096)
    engine.bridges.create(1)
    links = []
    for k in range(3):
        nic = SimNic()
        index = engine.interfaces.add(f"port{k}", device=nic).sw_if_index
        engine.interfaces.set_up(index)
        engine.bridges.attach(index, 1)
        links.append(HostLink(SimHost(f"h{k}", f"10.0.0.{k + 1}/24"), nic))
    network = Network([engine], host_links=links)
    hosts = [link.host for link in links]
    probes = [h.ping(f"10.0.0.{k}") for h in hosts if isinstance(h, SimHost) for k in (1, 2, 3)]
    settle(network, probes)
    assert all(p.answered and p.sent == 1 for p in probes)
    assert hosts[2].dropped["ARP request for others"] > 0  # flooded
    conserved(*hosts)
    engine.close()


def test_between_two_engines() -> None:
    one, left = router(1)
    two, right = router(2)
    one.addresses.add(left[1].sw_if_index, "10.12.0.1/24")
    two.addresses.add(right[0].sw_if_index, "10.12.0.2/24")
    one.routes.add("10.2.0.0/16", one.routes.path("10.12.0.2", "port1"))
    two.routes.add("10.1.0.0/16", two.routes.path("10.12.0.1", "port0"))
    a, b = SimHost("a", "10.1.0.2/24", gateway="10.1.0.1"), SimHost("b", "10.2.1.2/24", gateway="10.2.1.1")
    hosts = [HostLink(a, left[0], 3000), HostLink(b, right[1], 200)]
    network = Network([one, two], [Link(left[1], right[0], 50_000)], hosts)
    b.serve_tcp(80)
    assert network.look_ahead == 200
    settle(network, probe := a.connect("10.2.1.2", 80, timeout=60 * SECOND))
    assert probe.answered and (probe.finished or 0) > 0
    settle(network, ping := a.ping("10.2.1.2"))
    assert ping.round_trip == 2 * (3000 + 50_000 + 200)
    balanced(one, two)
    one.close()
    two.close()


def test_hosts_come_and_go() -> None:
    engine, ports = router(1, ({}, {}, {}))
    a = SimHost("a", "10.1.0.2/24", gateway="10.1.0.1")
    network = Network([engine], host_links=[HostLink(a, ports[0])])
    network.run_until(5 * SECOND)
    b = SimHost("b", "10.1.1.2/24", gateway="10.1.1.1")
    link = HostLink(b, ports[1], 10)
    with pytest.raises(RuntimeError, match="host b is in no network"):
        b.ping("10.1.0.2")
    network.add_host_link(link)
    assert network.look_ahead == 10
    with pytest.raises(ValueError, match="host b is in a network already"):
        network.add_host_link(link)
    settle(network, probe := a.ping("10.1.1.2"))
    assert probe.answered and b.now >= 5 * SECOND
    before = b.frames_in
    gone = a.ping("10.1.1.2", timeout=SECOND, retries=0)
    network.run_until(network.agenda.now + 1005)  # the request is on the far cable
    network.remove_host_link(link)
    assert ports[1].link is None and network.look_ahead == 1000
    settle(network, gone)
    assert gone.state is ProbeState.TIMED_OUT and b.frames_in == before
    other = SimHost("other", "10.1.1.2/24", gateway="10.1.1.1", mac=b.mac)
    network.add_host_link(HostLink(other, ports[1]))
    settle(network, back := a.ping("10.1.1.2"))
    assert back.answered and other.handled["echo request"] == 1
    with pytest.raises(KeyError):
        network.remove_host_link(link)
    engine.close()


def test_links_come_and_go() -> None:
    engine, ports = router(1, ({}, {}, {}))
    link = Link(ports[0], ports[1], 77)
    network = Network([engine])
    network.add_link(link)
    assert network.look_ahead == 77
    network.remove_link(link)
    assert ports[0].link is ports[1].link is None and network.look_ahead > SECOND
    network.add_host_link(HostLink(a := SimHost("a", "10.1.0.2/24"), ports[0]))
    settle(network, probe := a.ping("10.1.0.1"))
    assert probe.answered
    engine.close()


def test_idle_hosts_cost_no_rounds() -> None:
    network, engine, a, _ = routed()
    settle(network, a.ping("10.1.1.2"))
    rounds = network.rounds
    network.run_until(network.agenda.now + SECOND // 2)
    assert network.rounds == rounds
    engine.close()


def test_work_of_the_control_side_is_taken_up() -> None:
    """A probe that the engine was told to send between two runs leaves when the network goes on, at its time."""
    network, engine, a, _ = routed()
    network.run_until(SECOND)
    engine.neighbours.probe(engine.interfaces["port0"].sw_if_index, int(IPv4Address("10.1.0.2")))
    network.run_until(2 * SECOND)
    assert a.handled["ARP request"] == 1 and a.received[0].time == SECOND + 1000
    engine.close()


def test_refused() -> None:
    engine, (port, other) = forwarder()
    with pytest.raises(ValueError, match="before a host is linked"):
        HostLink(SimHost("x", "10.0.0.1/24"), SimNic())
    link = HostLink(SimHost("x", "10.0.0.1/24"), port)
    with pytest.raises(ValueError, match="port port0 has a link"):
        HostLink(SimHost("y", "10.0.0.1/24"), port)
    with pytest.raises(ValueError, match="port port0 has a link"):
        Link(other, port)
    with pytest.raises(ValueError, match="not in the network"):
        Network([], host_links=[link])
    fast = Engine(clock="fast", buffers=2048)
    nic = SimNic()
    fast.interfaces.add("port0", device=nic)
    with pytest.raises(ValueError, match="hosts need"):
        Network([fast], host_links=[HostLink(SimHost("z", "10.0.0.1/24"), nic)])
    fast.close()
    engine.close()


def test_what_a_host_had_under_way_ends_with_its_cable() -> None:
    network, engine, a, b = routed()
    settle(network, a.ping("10.1.1.2"))
    b.serve_tcp(80, lambda request, client: None)
    probes = [a.ping("10.1.1.9", count=5), a.send_udp("10.1.1.9", 1, b""), a.sctp_init("10.1.1.9", 1)]
    probes.append(a.connect("10.1.1.2", 80))
    replay = a.replay([(0, bytes(60)), (SECOND, bytes(60))])
    ran: list[int] = []
    a.at(a.now + SECOND, ran.append)
    network.run_until(network.agenda.now + SECOND // 2)
    (link,) = (link for link in network.host_links if link.host is a)
    network.remove_host_link(link)
    assert {p.state for p in probes} == {ProbeState.TIMED_OUT} and replay.done
    network.run_until(network.agenda.now + 100 * SECOND)
    assert not ran and not a.tcp.connections and not b.tcp.connections
    network.add_host_link(HostLink(a, link.end))
    settle(network, again := a.ping("10.1.1.2"))
    assert again.answered
    conserved(a, b)
    engine.close()


def test_an_interface_that_is_gone() -> None:
    network, engine, a, b = routed()
    settle(network, a.ping("10.1.1.2"))
    engine.interfaces.remove(engine.interfaces["port0"].sw_if_index)
    settle(network, [gone := a.ping("10.1.1.2"), back := b.ping("10.1.0.2"), own := b.ping("10.1.1.1")])
    assert gone.state is ProbeState.TIMED_OUT and not back.answered and own.answered
    engine.close()


def test_a_condition_without_links() -> None:
    """Timers run, one after the other, as long as the condition holds; a host that comes then begins at that time."""
    engine, ports = router(1, ({}, {}))
    network, ran = Network([engine]), list[int]()
    for when in (10, 20, 30):
        engine.timers.at(when, ran.append)
    network.run_while(lambda: len(ran) < 2)
    assert ran == [10, 20]
    network.run_until(SECOND)
    assert ran == [10, 20, 30]
    engine.run_until(3 * SECOND)
    network.add_host_link(HostLink(a := SimHost("a", "10.1.0.2/24"), ports[0]))
    settle(network, probe := a.ping("10.1.0.1"))
    assert probe.started == 3 * SECOND and probe.round_trip == 4000  # ARP, then the ping
    engine.close()
