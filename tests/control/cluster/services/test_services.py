"""One behaviour of the services' handler a test."""

from __future__ import annotations

import logging
import time
from ipaddress import IPv4Address
from typing import Any

import pytest

from tests.control.cluster.driver import NIC, Driver
from tests.control.cluster.services.objects import endpoints, kube_node, service, vpp_node
from vectorplane.backends.items import Nat44, NatInterface, NatService
from vectorplane.control.cluster.agent.event import StateChange
from vectorplane.control.cluster.agent.wanted import Wanted
from vectorplane.control.cluster.model.base import ObjectId
from vectorplane.control.cluster.services.claims import Claim, Claims
from vectorplane.control.cluster.services.handler import Services
from vectorplane.control.cluster.services.node_addresses import AtNode
from vectorplane.control.cluster.services.record import Purpose, ServiceRecord
from vectorplane.control.cluster.settings import ClusterSettings
from vectorplane.control.cluster.this_node import LocalPod, ThisNode

WEB = "10.96.0.1"
ME = (vpp_node(1, "node-1", "192.168.16.1/24"), kube_node("node-1", "172.30.1.2"))


def driver(**more: Any) -> Driver:
    return Driver(Services, **{"gateway": "192.168.16.254", "host_addresses": ["172.30.1.2"], **more})


def mapping(it: Driver, address: str, port: int, proto: int = 6) -> Any:
    return it.items.get(f"nat44/service/{address}/{proto}/{port}")


def locals_of(item: NatService) -> set[str]:
    return {str(b.address) for b in item.backends if b.probability}


def test_a_sole_backend_has_an_idle_one_beside_it() -> None:
    """It is the same mapping when a second one comes, so that connections stay."""
    it = driver()
    it.put(service("web", WEB, ":80"), endpoints("web", "10.1.1.9", ":8080"))
    sole = mapping(it, WEB, 80)
    assert [(str(b.address), b.port, b.probability) for b in sole.backends] == [
        ("10.1.1.9", 0, 0),
        ("10.1.1.9", 8080, 1),
    ]
    it.put(endpoints("web", "10.1.1.9 10.1.1.8", ":8080"))
    both = mapping(it, WEB, 80)
    assert [(str(b.address), b.port, b.probability) for b in both.backends] == [
        ("10.1.1.8", 8080, 1),
        ("10.1.1.9", 8080, 1),
    ]
    assert both.key == sole.key
    it.check()


def test_ports_join_by_name_and_only_ready_addresses_count() -> None:
    it = driver()
    made = endpoints("web", "10.1.1.9", "a:8080", subsets=[("10.1.1.8", ("b:9090", "c:1"))])
    waiting = {"addresses": [], "not_ready_addresses": [{"ip": "10.1.1.7"}], "ports": [{"name": "a", "port": 1}]}
    made = type(made).model_validate({**made.model_dump(), "subsets": [*made.model_dump()["subsets"], waiting]})
    it.put(service("web", WEB, "a:80", "b:90", "d:100"), made)
    assert locals_of(mapping(it, WEB, 80)) == {"10.1.1.9"} and locals_of(mapping(it, WEB, 90)) == {"10.1.1.8"}
    assert mapping(it, WEB, 100) is None


def test_headless_services_and_services_of_other_kinds() -> None:
    it = driver()
    it.put(service("web", "None", ":80"), service("two", "", ":80"), endpoints("web", "10.1.1.9", ":8080"))
    assert not [k for k in it.items if k.startswith("nat44/service")]


def test_two_ip_versions() -> None:
    """What is of IPv6 is left out."""
    it = driver()
    web = service("web", "fd00::1", ":80", cluster_ips=["fd00::1", WEB], external_ips=["fd00::2"])
    it.put(web, endpoints("web", "fd00::3 10.1.1.9", ":8080"))
    assert locals_of(mapping(it, WEB, 80)) == {"10.1.1.9"}


def test_sctp_is_told_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    it = driver()
    with caplog.at_level(logging.WARNING):
        it.put(service("sig", WEB, "s:80/SCTP", "t:80/TCP"), endpoints("sig", "10.1.1.9", "s:1/SCTP", "t:2/TCP"))
    assert mapping(it, WEB, 80, 17) is None and [b.port for b in mapping(it, WEB, 80).backends] == [0, 2]
    assert "service default/sig: port 80: protocol SCTP is not balanced" in caplog.text


def test_a_cluster_ip_that_is_none(caplog: pytest.LogCaptureFixture) -> None:
    it = driver()
    it.put(service("web", "10.96.0", ":80"), endpoints("web", "10.1.1.9", ":8080"))
    assert "service default/web: cluster_ip: expected an IP address, got '10.96.0'" in caplog.text
    it.check()


def test_who_has_an_address_that_two_want() -> None:
    """The first by namespace and name, whoever came first, also with nothing behind it."""
    it = driver()
    it.put(service("b", "10.96.0.2", ":80", external_ips=["20.0.0.1"]), endpoints("b", "10.1.1.9", ":8080"))
    assert mapping(it, "20.0.0.1", 80) is not None
    it.put(service("a", "10.96.0.3", ":80", external_ips=["20.0.0.1"]))
    assert mapping(it, "20.0.0.1", 80) is None
    it.check()
    it.put(endpoints("a", "10.1.1.7", ":8080"))
    assert locals_of(mapping(it, "20.0.0.1", 80)) == {"10.1.1.7"}
    it.delete(it.state.services[ObjectId("default", "a")])
    assert locals_of(mapping(it, "20.0.0.1", 80)) == {"10.1.1.9"}
    it.check()


def test_an_external_address_goes_before_a_node_port() -> None:
    it = driver()
    it.put(*ME, service("web", WEB, ":80@30080", type="NodePort"), endpoints("web", "10.1.1.9", ":8080"))
    assert locals_of(mapping(it, "172.30.1.2", 30080)) == {"10.1.1.9"}
    other = service("x", "10.96.0.2", ":30080", external_ips=["172.30.1.2"])
    it.put(other, endpoints("x", "10.1.1.8", ":8080"))
    assert locals_of(mapping(it, "172.30.1.2", 30080)) == {"10.1.1.8"}
    assert locals_of(mapping(it, "192.168.16.1", 30080)) == {"10.1.1.9"}
    it.check()
    it.delete(other)
    assert locals_of(mapping(it, "172.30.1.2", 30080)) == {"10.1.1.9"}
    it.check()


def test_a_backend_becomes_local_with_the_node_s_address() -> None:
    it = driver(host_addresses=[])
    web = service("web", WEB, ":80", internal_traffic_policy="Local")
    it.put(web, endpoints("web", "172.30.1.2", ":8080"))
    assert mapping(it, WEB, 80) is None
    it.put(*ME)
    assert {b.table for b in mapping(it, WEB, 80).backends} == {0}
    it.check()


def test_backends_that_are_all_outside_see_the_node() -> None:
    """As long as they are: an address may turn out to be a node's, or a pod may serve, too."""
    it = driver()
    it.put(*ME, service("db", WEB, ":80"), endpoints("db", "192.168.16.2 9.9.9.9", ":5432"))
    assert mapping(it, WEB, 80).twice == "twice-nat" and {b.table for b in mapping(it, WEB, 80).backends} == {0}
    it.put(vpp_node(2, "node-2", "192.168.16.2/24"))
    assert mapping(it, WEB, 80).twice == "self-twice-nat"
    it.check()
    it.put(endpoints("db", "9.9.9.9", ":5432"))
    assert mapping(it, WEB, 80).twice == "twice-nat"
    it.put(endpoints("db", "9.9.9.9 10.1.2.5", ":5432"))
    assert mapping(it, WEB, 80).twice == "self-twice-nat"
    it.check()


def test_pods_by_what_they_back() -> None:
    it = driver()
    it.put(service("a", WEB, ":80"), service("b", "10.96.0.2", ":80"))
    it.put(endpoints("a", "10.1.1.2", ":1"), endpoints("b", "10.1.1.2", ":1"))
    pod = it.add_pod("default", "one")
    assert str(pod.address) == "10.1.1.2"

    def role() -> str:
        item = it.items[f"interface/{pod.interface}/nat44"]
        assert isinstance(item, NatInterface)
        return item.role

    assert role() == "both"
    it.put(endpoints("a", "10.1.1.3", ":1"))
    assert role() == "both"
    it.delete(it.state.services[ObjectId("default", "b")])
    assert role() == "outside"
    it.delete_pod("default", "one")
    assert f"interface/{pod.interface}/nat44" not in it.items


def test_settings() -> None:
    it = driver(settings=ClusterSettings(nat_sessions=4096, nat_tcp_timeout=100, nat_other_timeout=50))
    assert it.items["nat44"] == Nat44(0, 0, 4096, True, 50, 100, 100, 50)
    assert str(IPv4Address("10.1.1.254")) in {str(getattr(i, "address", "")) for i in it.items.values()}


def test_a_cluster_of_ip6() -> None:
    """NAT44 has nothing to do there."""
    ipam = {
        "pod_subnet_cidr": "fd00:1::/90",
        "pod_subnet_one_node_prefix_len": 120,
        "vpp_host_subnet_cidr": "fd00:2::/90",
        "vpp_host_subnet_one_node_prefix_len": 126,
        "service_cidr": "fd00:3::/112",
    }
    it = Driver(
        Services, settings=ClusterSettings.model_validate({"ipam": ipam, "transport": "noOverlay"}), address=None
    )
    it.add_pod("default", "one")
    it.put(service("web", "fd00:3::1", ":80@30080", type="NodePort"), endpoints("web", "fd00:1::103", ":8080"))
    it.put(vpp_node(1, "node-1", "fd00::1/64"), kube_node("node-1", "fd00:2::6"))
    assert it.items == {}
    it.check()


def test_what_is_told() -> None:
    it = driver()
    assert it.put(service("web", WEB, ":80")) == "service default/web"
    assert it.put(*ME) == "node ports at node 1"
    it.put(endpoints("web", "10.1.1.9", ":8080"))
    assert it.wanted.who(f"nat44/service/{WEB}/6/80") == ("service default/web",)
    assert it.put(kube_node("other")) == ""


def test_another_card_leads_out() -> None:
    it = driver(gateway="192.168.16.254")
    roles = {i.interface: i.role for i in it.items.values() if isinstance(i, NatInterface)}
    assert roles[NIC] == "output"
    it = driver(gateway="192.168.99.1")
    roles = {i.interface: i.role for i in it.items.values() if isinstance(i, NatInterface)}
    assert roles[NIC] == "outside"


def test_claims() -> None:
    a, b, c = (ObjectId("n", name) for name in "abc")
    claims, one, all_nodes = Claims(), Claim(6, 80, IPv4Address("1.1.1.1")), Claim(6, 80, None)
    assert claims.put(b, {one}) == set()
    assert claims.put(c, {all_nodes}) == set() and claims.named(6, 80) == {one.address}
    assert claims.put(a, {one}) == {b, c} and claims.winner(one) == a
    assert claims.put(a, ()) == {b, c} and claims.winner(one) == b
    assert claims.put(b, ()) == {c} and claims.winner(one) is None and claims.named(6, 80) == frozenset()


class Listing:
    """A renderer that writes down what it is told."""

    def __init__(self, node: ThisNode, wanted: Wanted) -> None:
        self.services: dict[ObjectId, ServiceRecord] = {}
        self.nodes: set[int] = set()
        self.pods: dict[str, bool] = {}

    def reset(self) -> None:
        self.__init__(None, None)  # type: ignore[misc, arg-type]

    def put_service(self, service: ServiceRecord) -> None:
        self.services[service.id] = service

    def drop_service(self, service: ObjectId) -> None:
        self.services.pop(service, None)

    def put_node(self, node: AtNode) -> None:
        self.nodes.add(node.number)

    def drop_node(self, number: int) -> None:
        self.nodes.discard(number)

    def put_pod(self, pod: LocalPod, backing: bool) -> None:
        self.pods[str(pod.id)] = backing

    def drop_pod(self, pod: Any) -> None:
        self.pods.pop(str(pod), None)


def test_another_renderer() -> None:
    made: list[Listing] = []

    def make(node: ThisNode, wanted: Wanted) -> Listing:
        made.append(Listing(node, wanted))
        return made[-1]

    it = Driver(lambda node, state, wanted: Services(node, state, wanted, make))
    web = service("web", WEB, ":80@30080", type="NodePort", session_affinity="ClientIP")
    it.put(*ME, web, endpoints("web", "10.1.1.2 10.1.2.2", ":8080"))
    it.add_pod("default", "one")
    record = made[0].services[ObjectId("default", "web")]
    assert [(e.purpose, str(e.address), e.port) for e in record.entries] == [
        (Purpose.CLUSTER, WEB, 80),
        (Purpose.NODE_PORT, "None", 30080),
    ]
    assert [b.local for b in record.entries[0].backends] == [True, False] and record.affinity == 10800
    assert made[0].pods == {"default/one": True} and made[0].nodes == {1}
    it.delete(web, ME[0])
    assert made[0].services == {} and made[0].pods == {"default/one": False} and made[0].nodes == set()


def test_a_change_costs_what_changes() -> None:
    """A thousand services, 200 with node ports, 10,000 backends, 100 nodes: anew in far less than 5 s, one endpoint in
    far less than 20 ms, and only its service's items are touched."""
    it = driver()
    for n in range(1, 101):
        it.state.put_record(vpp_node(n, f"node-{n}", f"192.168.16.{n}/24"))
        it.state.put_record(kube_node(f"node-{n}", f"172.30.{n}.2"))
    for i in range(1000):
        ports = f":80@{30000 + i}" if i < 200 else ":80"
        ips = " ".join(f"10.1.{(7 * i + k) % 100 + 1}.{(i + 13 * k) % 250 + 2}" for k in range(10))
        it.state.put_record(service(f"s{i}", f"10.96.{i // 250}.{i % 250 + 1}", ports, type="NodePort"))
        it.state.put_record(endpoints(f"s{i}", ips, ":8080"))
    start = time.process_time()
    it.resync()
    assert time.process_time() - start < 3
    changed = it.state.put_record(endpoints("s5", "10.1.1.2 10.1.2.2", ":8080"))
    start = time.process_time()
    it.wanted.begin()
    it.handler.update(StateChange([changed]))  # type: ignore[list-item]
    change = it.wanted.change()
    assert time.process_time() - start < 0.02
    assert change.puts.keys() | change.drops.keys() == {
        "nat44/service/10.96.0.6/6/80",
        "nat44/service/192.168.16.1/6/30005",
        "nat44/service/172.30.1.2/6/30005",
    }
