"""What egress policies make of services: senders are asked before the translation, backends behind it."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from tests.control.cluster.policies.build import (
    block,
    endpoints,
    namespace,
    namespaces,
    pod,
    pods,
    policy,
    port,
    select,
    service,
)
from tests.control.cluster.policies.build import rule as allow
from tests.control.cluster.policies.two_nodes import HOSTS, VPPS, TwoNodes
from vectorplane.backends.items import AclBinding
from vectorplane.control.cluster import names
from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.pod import Pod
from vectorplane.control.cluster.model.service import ServicePort
from vectorplane.control.cluster.settings import ClusterSettings

VIP, EXTERNAL = ip_address("10.96.0.10"), ip_address("20.20.20.20")
HTTP = ServicePort(name="http", port=8000, node_port=30080)
NEAR, FAR = "x/near", "x/far"


class Shop:
    """A client on the first node; a service with a backend there and one on the other node, port 80."""

    def __init__(self, settings: ClusterSettings | None = None, **more: object) -> None:
        self.cluster = TwoNodes(settings)
        self.cluster.put(namespace("x"), namespace("y"))
        self.client = self._run(0, "x/client")
        self.near, self.far = self._run(0, NEAR), self._run(1, FAR)
        self.cluster.put(service("x/shop", str(VIP), (HTTP,), **more), self.served(self.near, self.far))

    def _run(self, node: int, where: str) -> Pod:
        self.cluster.run(node, pod(where))
        return self.cluster.pod(*where.split("/"))

    def served(self, *by: Pod) -> object:
        """By these backends."""
        return endpoints("x/shop", {"http": (80, "TCP")}, *(str(p.ip_address) for p in by))

    def reaches(self, by: Pod, vip: Ip = VIP, number: int = 8000, client: Pod | None = None) -> bool:
        """Does the client reach the service when this backend is chosen?"""
        self.cluster.check()
        return self.cluster.connects(client or self.client, by, "TCP", 80, via=(vip, number))


def _egress(*rules: object, of: str = "client") -> object:
    return policy("x/out", select(pod=of), egress=rules)  # type: ignore[arg-type]


def test_no_policy_no_lists() -> None:
    shop = Shop()
    assert not shop.cluster.drivers[0].items
    assert shop.reaches(shop.near)
    assert shop.reaches(shop.far)


def test_all_backends_allowed() -> None:
    shop = Shop()
    shop.cluster.put(_egress(allow(pods(), ports=(port(80),))))
    assert shop.reaches(shop.near)
    assert shop.reaches(shop.far)
    assert not shop.cluster.connects(shop.client, shop.near, "TCP", 8000)
    assert not shop.cluster.connects(shop.client, VIP, "TCP", 8001)
    for address in (*VPPS, *HOSTS):
        assert shop.reaches(shop.far, ip_address(address), 30080)


def test_port_of_the_backend_counts_not_that_in_front() -> None:
    shop = Shop()
    shop.cluster.put(_egress(allow(pods(), ports=(port(8000),))))
    assert not shop.reaches(shop.near)


@pytest.mark.parametrize("allowed", [NEAR, FAR])
def test_mixed_backends(allowed: str) -> None:
    """The service may be asked; which backend answers is decided behind the translation."""
    shop = Shop()
    shop.cluster.put(_egress(allow(pods(pod=allowed.split("/")[1]))))
    assert shop.reaches(shop.near) == (allowed == NEAR)
    assert shop.reaches(shop.far) == (allowed == FAR)
    node = shop.cluster.drivers[0]
    bindings = {i.interface: i for i in node.items.values() if isinstance(i, AclBinding)}
    assert (names.BVI in bindings) == (allowed == NEAR)
    near = node.node.pods[PodId("x", "near")].interface
    assert (near in bindings) == (allowed == FAR)
    assert names.BVI not in {i.interface for i in shop.cluster.drivers[1].items.values() if isinstance(i, AclBinding)}


def test_another_pod_still_reaches_a_refused_backend() -> None:
    shop = Shop()
    shop.cluster.put(_egress(allow(pods(pod="far"))))
    other = shop._run(0, "x/other")
    assert shop.reaches(shop.near, client=other)
    assert shop.cluster.connects(other, shop.near, "TCP", 80)
    assert not shop.reaches(shop.near)


def test_refused_backend_may_itself_be_isolated() -> None:
    shop = Shop()
    shop.cluster.put(_egress(allow(pods(pod="far"))), policy("x/in", select(pod="near"), ingress=(allow(pods()),)))
    assert not shop.reaches(shop.near)
    assert shop.reaches(shop.far)
    assert shop.cluster.connects(shop.far, shop.near, "TCP", 80)


def test_no_backend_allowed_though_the_address_is() -> None:
    """A block with the service's address does not allow the service: its pods decide."""
    shop = Shop()
    shop.cluster.put(_egress(allow(block("10.96.0.0/12"))))
    assert not shop.reaches(shop.near)
    assert not shop.reaches(shop.far)
    assert shop.cluster.connects(shop.client, ip_address("10.96.7.7"), "TCP", 8000)


def test_own_node_port_is_no_way_round() -> None:
    """A pod may talk to its node, but not by it to pods that it may not talk to."""
    shop = Shop()
    shop.cluster.put(_egress())
    here = ip_address(HOSTS[0])
    assert shop.cluster.connects(shop.client, here, "TCP", 10250)
    assert not shop.reaches(shop.far, here, 30080)


def test_node_port_hides_the_sender() -> None:
    """As an external address does; with policy Local this node's own does not, but another node refuses nobody."""
    shop = Shop()
    shop.cluster.put(_egress(allow(pods(pod="near"))))
    for address in map(ip_address, HOSTS):
        assert not shop.reaches(shop.near, address, 30080)
    shop.cluster.put(service("x/shop", str(VIP), (HTTP,), external_traffic_policy="Local"))
    assert shop.reaches(shop.near, ip_address(HOSTS[0]), 30080)
    assert not shop.reaches(shop.near, ip_address(HOSTS[1]), 30080)
    shop.cluster.put(_egress(allow(pods())))
    for address in map(ip_address, HOSTS):
        assert shop.reaches(shop.near, address, 30080)


def test_external_address_hides_the_sender() -> None:
    """Mixed backends can't be told from each other behind twice-NAT, so the address is denied in front."""
    more = {"external_ips": (EXTERNAL,)}
    shop = Shop(**more)
    shop.cluster.put(_egress(allow(pods(pod="far"))))
    assert not shop.reaches(shop.far, EXTERNAL)
    assert shop.reaches(shop.far)
    shop.cluster.put(service("x/shop", str(VIP), (HTTP,), external_traffic_policy="Local", **more))
    assert shop.reaches(shop.far, EXTERNAL)
    assert not shop.reaches(shop.near, EXTERNAL)
    shop.cluster.put(service("x/shop", str(VIP), (HTTP,), **more), _egress(allow(pods())))
    assert shop.reaches(shop.far, EXTERNAL)
    assert shop.reaches(shop.near, EXTERNAL)


def test_backend_outside_of_the_cluster_can_not_be_refused_behind() -> None:
    shop = Shop()
    shop.cluster.put(endpoints("x/shop", {"http": (80, "TCP")}, str(shop.near.ip_address), "203.0.113.7"))
    shop.cluster.put(_egress(allow(pods())))
    assert not shop.reaches(shop.near)
    shop.cluster.put(_egress(allow(pods()), allow(block("203.0.113.0/24"))))
    assert shop.reaches(shop.near)


def test_a_pod_that_serves_itself() -> None:
    shop = Shop()
    shop.cluster.put(policy("x/deny", egress=(), ingress=()))
    assert not shop.reaches(shop.near)
    assert shop.reaches(shop.near, client=shop.near)
    assert not shop.reaches(shop.far, client=shop.near)
    assert not shop.reaches(shop.near, client=shop.far)


def test_without_an_overlay_the_node_s_card_refuses() -> None:
    shop = Shop(ClusterSettings(transport="noOverlay"))
    shop.cluster.put(_egress(allow(pods(pod="near"))))
    binding = shop.cluster.drivers[0].items["interface/GigabitEthernet0/8/0/acl"]
    assert isinstance(binding, AclBinding)
    assert binding.outputs == ("contiv-policy-NODE-GLOBAL",)
    assert "interface/vxlanBVI/acl" not in shop.cluster.drivers[0].items


def test_endpoints_come_and_go() -> None:
    shop = Shop()
    shop.cluster.put(_egress(allow(pods(pod="far"))))
    shop.cluster.put(shop.served(shop.near))
    assert not shop.reaches(shop.near)
    shop.cluster.put(shop.served(shop.far))
    assert shop.reaches(shop.far)
    assert not shop.cluster.drivers[0].handler._processor.global_rules()
    shop.cluster.put(shop.served(shop.near, shop.far))
    shop.cluster.put(shop.near.model_copy(update={"labels": {"pod": "far"}}))
    assert shop.reaches(shop.near)
    shop.cluster.delete(shop.served())
    assert not shop.cluster.connects(shop.client, VIP, "TCP", 8000)


def test_a_backend_s_pod_goes_and_comes_on_another_node() -> None:
    shop = Shop()
    shop.cluster.put(_egress(allow(pods(pod="near"))))
    shop.cluster.stop(PodId("x", "far"))
    shop.cluster.check()
    shop.cluster.put(shop.served(shop.near))
    shop.far = shop._run(0, FAR)
    shop.cluster.put(shop.served(shop.near, shop.far))
    assert not shop.reaches(shop.far)
    assert shop.reaches(shop.near)


def test_two_services_at_one_address() -> None:
    """A mistake of somebody's; neither becomes a way round the other's pods."""
    shop = Shop()
    shop.cluster.put(_egress(allow(pods(pod="far"))))
    shop.cluster.put(service("x/shop", str(VIP), (HTTP,)), shop.served(shop.far))
    shop.cluster.put(
        service("y/copy", str(VIP), (HTTP,)), endpoints("y/copy", {"http": (80, "TCP")}, str(shop.near.ip_address))
    )
    assert shop.reaches(shop.far)
    assert not shop.reaches(shop.near)
    shop.cluster.put(shop.near.model_copy(update={"labels": {"pod": "far"}}))
    assert shop.reaches(shop.near)
    shop.cluster.put(shop.far.model_copy(update={"labels": {}}))
    assert not shop.reaches(shop.far)
    assert shop.reaches(shop.near)


def test_nodes_come_later() -> None:
    shop = Shop()
    shop.cluster.put(_egress(allow(namespaces(ns="x"))))
    state = shop.cluster.drivers[0].state
    record = state.node_records[2]
    shop.cluster.delete(record)
    shop.cluster.check()
    assert not shop.cluster.connects(shop.client, ip_address(VPPS[1]), "TCP", 30080)
    shop.cluster.put(record)
    assert shop.reaches(shop.far, ip_address(VPPS[1]), 30080)


def test_a_service_at_another_s_address_changes_what_is_said_of_both() -> None:
    shop = Shop()
    shop.cluster.put(_egress(allow(pods(pod="far"))), shop.served(shop.far))
    copied = endpoints("y/copy", {"http": (80, "TCP")}, str(shop.near.ip_address))
    shop.cluster.put(service("y/copy", str(VIP), (HTTP,)), copied)
    shop.cluster.delete(shop.served())
    assert not shop.reaches(shop.near)
    assert not shop.cluster.connects(shop.client, VIP, "TCP", 8000)
    shop.cluster.put(shop.served(shop.far))
    assert shop.reaches(shop.far)
    shop.cluster.delete(copied)
    assert shop.reaches(shop.far)
    assert not shop.reaches(shop.near, client=shop.client, number=8001)
    shop.cluster.put(service("y/copy", "", (HTTP,), external_ips=(VIP,)), copied)
    assert not shop.reaches(shop.far), "the sender is hidden by one of the two, and their backends are mixed"


def test_backend_in_another_node_s_host_is_refused_where_it_leaves() -> None:
    shop = Shop()
    shop.cluster.put(endpoints("x/shop", {"http": (80, "TCP")}, str(shop.near.ip_address), HOSTS[1]))
    shop.cluster.put(_egress(allow(pods())))
    assert shop.reaches(shop.near)
    assert not shop.cluster.connects(shop.client, ip_address(HOSTS[1]), "TCP", 80, via=(VIP, 8000))


def test_node_ports_of_other_nodes_are_addresses_like_any_other() -> None:
    """As with kube-proxy: what is sent there leaves as it is, so that only the address counts, here as for others."""
    shop = Shop(ClusterSettings())
    there = ip_address(VPPS[1])
    shop.cluster.put(_egress(allow(pods())))
    assert not shop.cluster.connects(shop.client, there, "TCP", 30080)
    shop.cluster.put(_egress(allow(block(f"{there}/32"))))
    assert shop.cluster.connects(shop.client, there, "TCP", 30080)
    assert not shop.reaches(shop.far, ip_address(VPPS[0]), 30080), "the own node's are translated here"
