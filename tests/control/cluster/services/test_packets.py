"""Packets through a node with services: who gets them, from whom, and how replies come back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.control.cluster.driver import NIC
from tests.control.cluster.services.objects import endpoints, kube_node, service, vpp_node
from tests.control.cluster.services.rig import (
    ACK,
    HOST,
    ICMP,
    PEER,
    SYN,
    SYN_ACK,
    TCP,
    UDP,
    Packet,
    Rig,
)
from vectorplane.control.cluster import names
from vectorplane.control.cluster.settings import ClusterSettings

A, B, FAR = "10.1.1.2", "10.1.1.3", "10.1.2.9"
WEB = "10.96.0.1"
OUTSIDE = "8.8.8.8"
NODE, LOOPBACK = "192.168.16.1", "10.1.1.254"
NODES = (vpp_node(1, "node-1", "192.168.16.1/24"), kube_node("node-1", HOST), vpp_node(2, "node-2", f"{PEER}/24"))


@pytest.fixture(scope="module")
def shared() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.close()


@pytest.fixture
def rig(shared: Rig) -> Iterator[Rig]:
    """Without services, sessions and mappings of other tests."""
    shared.driver.put(*NODES)
    shared.apply()
    yield shared
    state = shared.driver.state
    shared.driver.delete(*state.services.values(), *state.endpoints.values(), *state.nodes.values())
    shared.driver.delete(*state.node_records.values())
    shared.apply()
    shared.engine.nat44.sessions.end(lambda s: s.flags >= 0)


def exchange(rig: Rig, request: Packet, link: str, backend: tuple[str, int], seen: str | None = None) -> Packet:
    """A connection begins: the request leaves at ``link`` for the backend, the reply comes back to the client as from
    where it had sent to, and more packets of both go the same ways. ``seen``: the source that the backend sees."""
    tcp = request.proto == TCP
    arrived = rig.one(request)
    assert (arrived.link, arrived.destination, arrived.dport) == (link, *backend)
    assert arrived.source == (seen or request.source)
    if seen is None:
        assert arrived.sport == request.sport
    for flags in (SYN_ACK, ACK, ACK):
        back = rig.one(arrived.reply(flags if tcp else 0))
        assert back.ends == request.reply().ends
        assert back.link == request.link
    more = rig.one(Packet(*request.__dict__.values()) if not tcp else _acked(request))
    assert more.ends == arrived.ends and more.link == link
    return arrived


def _acked(request: Packet) -> Packet:
    return Packet(
        request.link, request.source, request.destination, request.sport, request.dport, request.proto, ACK
    )  # fmt: skip


def tcp(link: str, source: str, destination: str, sport: int, dport: int) -> Packet:
    return Packet(link, source, destination, sport, dport, TCP, SYN)


@pytest.mark.parametrize("proto", [TCP, UDP])
def test_pod_to_a_pod_of_this_node(rig: Rig, proto: int) -> None:
    rig.put(service("web", WEB, ":80/TCP", ":81/UDP"), endpoints("web", B, ":8080"))
    rig.put(service("web", WEB, "t:80/TCP", "u:81/UDP"), endpoints("web", B, "t:8080/TCP", "u:8080/UDP"))
    port = 80 if proto == TCP else 81
    exchange(rig, Packet(rig.a, A, WEB, 5000, port, proto, SYN), rig.b, (B, 8080))


def test_pod_to_itself(rig: Rig) -> None:
    """The backend sees the NAT loopback, so that it answers through VPP."""
    rig.put(service("web", WEB, ":80"), endpoints("web", A, ":8080"))
    exchange(rig, tcp(rig.a, A, WEB, 5000, 80), rig.a, (A, 8080), LOOPBACK)


def test_pod_to_a_pod_of_another_node(rig: Rig) -> None:
    rig.put(service("web", WEB, ":80"), endpoints("web", FAR, ":8080"))
    exchange(rig, tcp(rig.a, A, WEB, 5000, 80), names.BVI, (FAR, 8080))


def test_pod_to_a_host_network_backend(rig: Rig) -> None:
    """Of this node: it lies in the main table."""
    rig.put(service("api", WEB, ":443"), endpoints("api", HOST, ":6443"))
    exchange(rig, tcp(rig.a, A, WEB, 5000, 443), names.HOST_LINK, (HOST, 6443))


def test_pod_to_a_host_network_backend_of_another_node(rig: Rig) -> None:
    rig.put(service("api", WEB, ":443"), endpoints("api", "172.30.2.2", ":6443"))
    exchange(rig, tcp(rig.a, A, WEB, 5000, 443), names.BVI, ("172.30.2.2", 6443))


def test_several_backends_get_all_flows_between_them(rig: Rig) -> None:
    rig.put(service("web", WEB, ":80"), endpoints("web", f"{A} {B} {FAR}", ":8080"))
    counts = {A: 0, B: 0, FAR: 0}
    for port in range(10000, 10600):
        arrived = rig.one(tcp(rig.b, B, WEB, port, 80))
        counts[arrived.destination] += 1
        assert arrived.source == (LOOPBACK if arrived.destination == B else B)
        assert rig.one(arrived.reply(SYN_ACK)).ends == (WEB, 80, B, port)
    assert all(150 < n < 250 for n in counts.values()), counts


def test_outside_to_a_node_port(rig: Rig) -> None:
    """The reply of a backend on another node comes back here, as the backend sees an address of this node."""
    rig.put(service("web", WEB, ":80@30080", type="NodePort"), endpoints("web", FAR, ":8080"))
    exchange(rig, tcp(NIC, OUTSIDE, NODE, 6000, 30080), names.BVI, (FAR, 8080), LOOPBACK)
    rig.put(endpoints("web", B, ":8080"))
    exchange(rig, tcp(NIC, OUTSIDE, NODE, 6001, 30080), rig.b, (B, 8080), LOOPBACK)


def test_pod_to_node_ports(rig: Rig) -> None:
    """Those of this node's addresses are served here; a packet for another node's leaves as for any host."""
    rig.put(service("web", WEB, ":80@30080", type="NodePort"), endpoints("web", f"{A} {FAR}", ":8080"))
    for number, address in enumerate((NODE, HOST)):
        for port in range(7000, 7008):
            arrived = rig.one(tcp(rig.b, B, address, port + 100 * number, 30080))
            assert arrived.destination in (A, FAR) and arrived.source == LOOPBACK
            assert rig.one(arrived.reply(SYN_ACK)).ends == (address, 30080, B, port + 100 * number)
    out = rig.one(tcp(rig.b, B, PEER, 7500, 30080))
    assert out.ends == (NODE, 7500, PEER, 30080) and out.link == NIC
    assert rig.one(out.reply(SYN_ACK)).ends == (PEER, 30080, B, 7500)


def test_remote_node_ports() -> None:
    """Served here, too, when the settings say so; and the other node is reached as before."""
    rig = Rig(settings=ClusterSettings(remote_node_ports=True))
    rig.put(*NODES, service("web", WEB, ":80@30080", type="NodePort"), endpoints("web", A, ":8080"))
    rig.put(service("two", "10.96.0.2", ":80@30081", type="NodePort"), endpoints("two", f"{A} {FAR}", ":8080"))
    exchange(rig, tcp(rig.b, B, PEER, 7000, 30080), rig.a, (A, 8080), LOOPBACK)
    assert rig.one(tcp(rig.b, B, PEER, 7000, 30081)).source == LOOPBACK
    assert rig.one(tcp(rig.b, B, PEER, 2001, 22)).ends == (NODE, 2001, PEER, 22)
    rig.engine.neighbours.remove(rig.engine.interfaces[NIC].sw_if_index, PEER)
    assert rig.send(tcp(rig.b, B, PEER, 2002, 22)) == [] and rig.asked == {PEER}
    rig.close()


def test_node_ports_do_not_take_the_host_away(rig: Rig) -> None:
    """NAT makes the addresses of its mappings VPP's own, also for a pod that comes later."""
    rig.put(service("web", WEB, ":80@30080", type="NodePort"), endpoints("web", FAR, ":8080"))
    pod = rig.add_pod("late")
    rig.apply()
    exchange(rig, tcp(pod.interface, str(pod.address), HOST, 1000, 6443), names.HOST_LINK, (HOST, 6443))
    rig.delete_pod("late")


def test_a_node_port_of_the_host_that_serves(rig: Rig) -> None:
    """A mapping from an address to that same address is a translation, too, also on an interface that is both."""
    rig.put(service("api", WEB, ":80@30080", type="NodePort"), endpoints("api", HOST, ":6443"))
    exchange(rig, tcp(names.BVI, FAR, HOST, 6000, 30080), names.HOST_LINK, (HOST, 6443), NODE)
    rig.put(service("api", WEB, ":80@30080", type="NodePort", external_traffic_policy="Local"))
    exchange(rig, tcp(names.BVI, FAR, HOST, 6001, 30080), names.HOST_LINK, (HOST, 6443))


def test_a_backend_outside_of_the_cluster(rig: Rig) -> None:
    """It sees the node, so that its answer is translated back at once."""
    rig.put(service("db", WEB, ":80@30080", external_ips=["20.20.20.20"]), endpoints("db", "9.9.9.9", ":5432"))
    for link, source in ((rig.a, A), (names.HOST_LINK, HOST), (NIC, OUTSIDE)):
        for address, port in ((WEB, 80), ("20.20.20.20", 80), (NODE, 30080)):
            if (link, address) != (NIC, WEB):
                exchange(rig, tcp(link, source, address, 6000, port), NIC, ("9.9.9.9", 5432), NODE)
    rig.put(endpoints("db", f"9.9.9.9 {B}", ":5432"))
    for port in range(6001, 6009):
        arrived = rig.one(tcp(rig.a, A, "20.20.20.20", port, 80))
        assert arrived.source == (NODE if arrived.destination == "9.9.9.9" else LOOPBACK)


def test_outside_to_an_external_address(rig: Rig) -> None:
    rig.put(service("web", WEB, ":80", external_ips=["20.20.20.20"]), endpoints("web", FAR, ":8080"))
    exchange(rig, tcp(NIC, OUTSIDE, "20.20.20.20", 6000, 80), names.BVI, (FAR, 8080), LOOPBACK)
    rig.put(endpoints("web", f"{A} {B}", ":8080"))
    arrived = rig.one(tcp(NIC, OUTSIDE, "20.20.20.20", 6001, 80))
    assert arrived.source == LOOPBACK and arrived.destination in (A, B)


def test_backends_to_an_external_address(rig: Rig) -> None:
    """Of their own service and of others; a pod that is a backend is inside and outside to NAT."""
    rig.put(service("web", WEB, ":80", external_ips=["20.20.20.20"]), endpoints("web", A, ":8080"))
    near = service("near", "10.96.0.2", ":80", external_ips=["20.20.20.21"], external_traffic_policy="Local")
    rig.put(near, endpoints("near", A, ":9090"))
    exchange(rig, tcp(rig.a, A, "20.20.20.20", 6000, 80), rig.a, (A, 8080), LOOPBACK)
    exchange(rig, tcp(rig.a, A, "20.20.20.21", 6001, 80), rig.a, (A, 9090), LOOPBACK)
    rig.put(endpoints("near", f"{A} {B}", ":9090"))
    for port in range(7000, 7010):
        arrived = rig.one(tcp(rig.b, B, "20.20.20.21", port, 80))
        assert arrived.source == (LOOPBACK if arrived.destination == B else B)
        assert rig.one(arrived.reply(SYN_ACK)).ends == ("20.20.20.21", 80, B, port)
    exchange(rig, tcp(NIC, OUTSIDE, "20.20.20.20", 6000, 80), rig.a, (A, 8080), LOOPBACK)
    assert rig.one(tcp(rig.a, A, OUTSIDE, 6002, 443)).source == NODE
    assert rig.one(tcp(names.HOST_LINK, HOST, OUTSIDE, 6003, 443)).source == NODE


def test_external_traffic_policy_local_shows_the_client(rig: Rig) -> None:
    web = service(
        "web", WEB, ":80@30080", type="LoadBalancer", lb_ingress_ips=["20.20.20.20"], external_traffic_policy="Local"
    )
    rig.put(web, endpoints("web", f"{B} {FAR}", ":8080"))
    exchange(rig, tcp(NIC, OUTSIDE, "20.20.20.20", 6000, 80), rig.b, (B, 8080))
    exchange(rig, tcp(NIC, OUTSIDE, NODE, 6000, 30080), rig.b, (B, 8080))
    reached = {rig.one(tcp(rig.a, A, WEB, port, 80)).destination for port in range(8000, 8032)}
    assert reached == {B, FAR}  # the cluster IP is not external traffic


def test_no_local_backend_for_external_traffic(rig: Rig) -> None:
    """It is dropped, whoever it comes from; the cluster IP works."""
    web = service(
        "web", WEB, ":80@30080", type="LoadBalancer", lb_ingress_ips=["20.20.20.20"], external_traffic_policy="Local"
    )
    rig.put(web, endpoints("web", FAR, ":8080"))
    for address, port in (("20.20.20.20", 80), (NODE, 30080)):
        assert rig.send(tcp(NIC, OUTSIDE, address, 6000, port)) == []
        assert rig.send(tcp(rig.a, A, address, 6000, port)) == []
    exchange(rig, tcp(rig.a, A, WEB, 6000, 80), names.BVI, (FAR, 8080))


def test_without_snat() -> None:
    """Pods' packets leave as they are; services work all the same, and what nobody serves is dropped."""
    rig = Rig(settings=ClusterSettings(nat_external_traffic=False))
    web = service("web", WEB, ":80", external_ips=["20.20.20.20"])
    rig.put(*NODES, web)
    assert rig.send(tcp(rig.a, A, "20.20.20.20", 6000, 80)) == []
    assert rig.send(tcp(NIC, OUTSIDE, "20.20.20.20", 6000, 80)) == []
    exchange(rig, tcp(rig.a, A, OUTSIDE, 5000, 443), NIC, (OUTSIDE, 443))
    rig.put(endpoints("web", B, ":8080"))
    exchange(rig, tcp(NIC, OUTSIDE, "20.20.20.20", 6000, 80), rig.b, (B, 8080), LOOPBACK)
    rig.close()


def test_no_overlay() -> None:
    """Pods of other nodes are reached through the main table."""
    rig = Rig(settings=ClusterSettings(transport="noOverlay"), away="192.168.16.2")
    rig.put(*NODES, service("web", WEB, ":80@30080", type="NodePort"), endpoints("web", FAR, ":8080"))
    exchange(rig, tcp(rig.a, A, WEB, 5000, 80), NIC, (FAR, 8080))
    exchange(rig, tcp(NIC, OUTSIDE, NODE, 5000, 30080), NIC, (FAR, 8080), LOOPBACK)
    rig.put(endpoints("web", A, ":8080"))
    exchange(rig, tcp(rig.a, A, WEB, 6000, 80), rig.a, (A, 8080), LOOPBACK)
    exchange(rig, tcp(rig.b, B, WEB, 6000, 80), rig.a, (A, 8080))
    rig.close()


def test_pod_to_the_internet(rig: Rig) -> None:
    exchange_out = rig.one(tcp(rig.a, A, OUTSIDE, 5000, 443))
    assert exchange_out.ends == (NODE, 5000, OUTSIDE, 443) and exchange_out.link == NIC
    for _ in range(3):
        back = rig.one(exchange_out.reply(SYN_ACK))
        assert back.ends == (OUTSIDE, 443, A, 5000) and back.link == rig.a
        again = rig.one(Packet(rig.a, A, OUTSIDE, 5000, 443, TCP, ACK))
        assert again.ends == exchange_out.ends and again.link == NIC


def test_ping_to_the_internet(rig: Rig) -> None:
    out = rig.one(Packet(rig.a, A, OUTSIDE, 77, proto=ICMP, type=8))
    assert (out.source, out.destination, out.link) == (NODE, OUTSIDE, NIC)
    back = rig.one(out.reply())
    assert (back.source, back.destination, back.sport, back.link) == (OUTSIDE, A, 77, rig.a)


def test_a_backend_to_the_internet(rig: Rig) -> None:
    """A pod that is a backend is not its service when it begins a connection."""
    rig.put(service("web", WEB, ":80", external_ips=["20.20.20.20"]), endpoints("web", A, ":8080"))
    for _ in range(2):
        out = rig.one(Packet(rig.a, A, OUTSIDE, 8080, 53))
        assert (out.source, out.destination, out.dport) == (NODE, OUTSIDE, 53)
        assert rig.one(out.reply()).ends == (OUTSIDE, 53, A, 8080)


def test_vxlan_of_the_node_is_not_translated() -> None:
    """Neither when it leaves, nor when it comes; what is in it is, without an end to the number of sessions."""
    rig = Rig(tunnel=True)
    rig.put(*NODES, service("web", WEB, ":80@30080", type="NodePort"), endpoints("web", FAR, ":8080"))
    for port in range(5000, 5020):
        outer = rig.one(tcp(rig.a, A, WEB, port, 80))
        assert (outer.link, outer.source, outer.destination, outer.dport) == (NIC, NODE, PEER, 4789)
        back = rig.one(Packet(NIC, PEER, NODE, outer.sport, 4789, data=_turned(rig, outer.data)))
        assert back.ends == (WEB, 80, A, port) and back.link == rig.a
    assert {s.out_port for s in rig.engine.nat44.sessions} == {80}
    rig.close()


def _turned(rig: Rig, data: bytes) -> bytes:
    """The answer to what is in a tunnel, in the tunnel."""
    inner = rig.read(names.BVI, data[8:])
    mac = bytes(rig.engine.interfaces[names.BVI].mac)
    return data[:8] + inner.reply(SYN_ACK).frame(mac)


def test_direct_between_pods(rig: Rig) -> None:
    """Untouched, although there are connections through the service between the same."""
    rig.put(service("web", WEB, ":80"), endpoints("web", B, ":8080"))
    exchange(rig, tcp(rig.a, A, WEB, 5000, 80), rig.b, (B, 8080))
    exchange(rig, tcp(rig.a, A, B, 5001, 8080), rig.b, (B, 8080))
    exchange(rig, tcp(rig.b, B, A, 8080, 9090), rig.a, (A, 9090))
    exchange(rig, tcp(rig.a, A, FAR, 5001, 8080), names.BVI, (FAR, 8080))


def test_host_and_pods(rig: Rig) -> None:
    rig.put(service("web", WEB, ":80"), endpoints("web", B, ":8080"))
    exchange(rig, tcp(names.HOST_LINK, HOST, B, 5000, 8080), rig.b, (B, 8080))
    exchange(rig, tcp(names.HOST_LINK, HOST, WEB, 5001, 80), rig.b, (B, 8080))
    exchange(rig, tcp(rig.a, A, HOST, 5000, 22), names.HOST_LINK, (HOST, 22))


def test_nothing_serves(rig: Rig) -> None:
    """The client is told (kube-proxy refuses the connection, too), and nothing leaves the node."""
    rig.put(service("web", WEB, ":80"))
    found = rig.send(tcp(rig.a, A, WEB, 5000, 80))
    assert [(p.link, p.proto, p.type) for p in found] == [(rig.a, ICMP, 3)]


def test_internal_traffic_policy_local(rig: Rig) -> None:
    rig.put(service("web", WEB, ":80", internal_traffic_policy="Local"), endpoints("web", f"{B} {FAR}", ":8080"))
    for port in range(5000, 5016):
        assert rig.one(tcp(rig.a, A, WEB, port, 80)).destination == B
    rig.put(endpoints("web", FAR, ":8080"))
    assert {p.link for p in rig.send(tcp(rig.a, A, WEB, 6000, 80))} <= {rig.a}


def test_affinity(rig: Rig) -> None:
    """All connections of a client go to one backend; those of another may go to another."""
    web = service("web", WEB, ":80", session_affinity="ClientIP", session_affinity_timeout=100)
    rig.put(web, endpoints("web", f"{A} {B} {FAR}", ":8080"))
    chosen = set()
    for last in range(2, 30):
        client = f"172.30.1.{last}"
        found = {rig.one(tcp(names.HOST_LINK, client, WEB, port, 80)).destination for port in range(5000, 5004)}
        assert len(found) == 1
        chosen |= found
    assert chosen == {A, B, FAR}


def test_weights() -> None:
    """Three of four connections stay on the node."""
    rig = Rig(settings=ClusterSettings(service_local_endpoint_weight=3))
    rig.put(service("web", WEB, ":80"), endpoints("web", f"{B} {FAR}", ":8080"))
    near = sum(rig.one(tcp(rig.a, A, WEB, port, 80)).destination == B for port in range(10000, 10400))
    assert 270 < near < 330
    rig.close()


def test_backends_change_while_it_works(rig: Rig) -> None:
    """Connections to backends that stay go on; those to one that is gone end with it."""
    rig.put(service("web", WEB, ":80"), endpoints("web", f"{A} {B} {FAR}", ":8080"))
    by_backend: dict[str, list[Packet]] = {A: [], B: [], FAR: []}
    for port in range(5000, 5040):
        arrived = rig.one(tcp(names.HOST_LINK, HOST, WEB, port, 80))
        rig.one(arrived.reply(SYN_ACK))
        by_backend[arrived.destination].append(arrived)
    assert all(by_backend.values())
    rig.put(endpoints("web", f"{B} {FAR} 10.1.2.10", ":8080"))
    for arrived in (*by_backend[B], *by_backend[FAR]):
        more = rig.one(Packet(names.HOST_LINK, HOST, WEB, arrived.sport, 80, TCP, ACK))
        assert more.ends == arrived.ends
    for arrived in by_backend[A]:
        assert rig.send(Packet(names.HOST_LINK, HOST, WEB, arrived.sport, 80, TCP, ACK)) == []
    reached = {rig.one(tcp(names.HOST_LINK, HOST, WEB, port, 80)).destination for port in range(6000, 6040)}
    assert reached == {B, FAR, "10.1.2.10"}
