"""What lists look like, who shares them, and where their rules come from."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from pydantic import ValidationError

from tests.control.cluster.driver import Driver
from tests.control.cluster.policies.acls import PROTOCOLS, NodeLists
from tests.control.cluster.policies.build import block, endpoints, namespace, pod, pods, policy, port, select, service
from tests.control.cluster.policies.build import rule as allow
from tests.control.cluster.policies.two_nodes import TwoNodes
from tests.naive.acl import Seen
from vectorplane.backends.items import Acl, AclBinding
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.pod import ContainerPort
from vectorplane.control.cluster.model.policy import Expression, PolicyPort
from vectorplane.control.cluster.model.service import ServicePort
from vectorplane.control.cluster.policies.handler import Policies

REFLECTION = "contiv-policy-REFLECTION"
HTTP = ServicePort(name="http", port=8000)


def _one_pod(*more: object) -> Driver:
    driver = Driver(Policies)
    driver.add_pod("x", "a", "10.1.1.2")
    driver.put(namespace("x"), pod("x/a", "10.1.1.2"), *more)  # type: ignore[arg-type]
    return driver


def _binding(driver: Driver, name: str = "a") -> AclBinding:
    item = driver.items[f"interface/{driver.node.pods[PodId('x', name)].interface}/acl"]
    assert isinstance(item, AclBinding)
    return item


def _rules(driver: Driver, name: str) -> list[str]:
    item = driver.items[f"acl/{name}"]
    assert isinstance(item, Acl)
    return [f"{r.action} {r.src} {r.dst} {r.proto} {r.dport[0]}-{r.dport[1]}" for r in item.rules]


def test_order_is_the_most_specific_first() -> None:
    rules = (
        allow(block("10.0.0.0/8"), block("10.1.0.0/16"), ports=(port(80), port(90, end=99), port(0, "UDP"))),
        allow(ports=(port(7, "SCTP"),)),
    )
    driver = _one_pod(policy("x/p", ingress=rules))
    found = [r for r in _rules(driver, _binding(driver).outputs[0]) if "/32 " not in r.replace("0.0.0.0/0", "")]
    any4 = "0.0.0.0/0"
    assert found == [
        f"permit+reflect 10.1.0.0/16 {any4} 6 80-80",
        f"permit+reflect 10.1.0.0/16 {any4} 6 90-99",
        f"permit+reflect 10.1.0.0/16 {any4} 17 0-65535",
        f"permit+reflect 10.0.0.0/8 {any4} 6 80-80",
        f"permit+reflect 10.0.0.0/8 {any4} 6 90-99",
        f"permit+reflect 10.0.0.0/8 {any4} 17 0-65535",
        f"permit+reflect {any4} {any4} 132 7-7",
        f"deny {any4} {any4} 0 0-65535",
        "permit+reflect ::/0 ::/0 132 7-7",
        "deny ::/0 ::/0 0 0-65535",
    ]


def test_one_direction_only_gets_the_reflective_list_in_the_other() -> None:
    driver = _one_pod(policy("x/in", ingress=()))
    assert _binding(driver).inputs == (REFLECTION,)
    assert _binding(driver).outputs[0] != REFLECTION
    driver.put(policy("x/in", egress=()))
    assert _binding(driver).outputs == (REFLECTION,)
    assert _rules(driver, REFLECTION) == [
        "permit+reflect 0.0.0.0/0 0.0.0.0/0 0 0-65535",
        "permit+reflect ::/0 ::/0 0 0-65535",
    ]


def test_names_depend_on_nothing_but_the_rules() -> None:
    one, other = _one_pod(policy("x/p", ingress=())), _one_pod(policy("x/q", ingress=(), egress=()))
    assert _binding(one).outputs == _binding(other).outputs
    assert len(_binding(one).outputs[0].encode()) <= 63


def test_pods_without_policies_have_no_lists() -> None:
    driver = _one_pod(
        policy("y/p", ingress=()), policy("x/p", select(pod="b"), ingress=()), policy("x/all", egress=(allow(),))
    )
    assert not driver.items


def test_a_pod_in_its_host_s_network_is_no_pod_to_policies() -> None:
    driver = _one_pod(policy("x/p", select(pod="a"), ingress=(allow(pods()),)))
    driver.put(pod("x/daemon", "10.9.9.9", host="10.9.9.9"))
    assert not any("10.9.9.9" in r for r in _rules(driver, _binding(driver).outputs[0]))


def test_a_peer_counts_from_when_it_has_an_address() -> None:
    driver = _one_pod(policy("x/p", select(pod="a"), ingress=(allow(pods(pod="b")),)))
    driver.put(pod("x/b"))
    before = _binding(driver).outputs
    assert driver.put(pod("x/b", "10.1.2.2"))
    driver.check()
    assert _binding(driver).outputs != before
    assert "permit+reflect 10.1.2.2/32 0.0.0.0/0 0 0-65535" in _rules(driver, _binding(driver).outputs[0])


def test_what_does_not_concern_this_node_costs_nothing() -> None:
    driver = _one_pod(policy("x/p", ingress=(allow(pods()),)))
    assert driver.put(pod("y/b", "10.1.2.2")) == ""
    assert driver.put(policy("y/p", ingress=())) == ""
    assert driver.put(pod("x/b", "10.1.2.3")) == "lists of x/a"


def test_a_pod_whose_record_has_not_come_yet_is_not_open() -> None:
    driver = Driver(Policies)
    driver.put(policy("x/deny", ingress=()))
    driver.add_pod("x", "a", "10.1.1.2")
    assert _binding(driver).outputs


def test_sctp_where_the_dataplane_does_not_see_its_ports() -> None:
    """VPP takes them as 0: then less passes than is allowed, never more; without ports all of SCTP does."""
    driver = _one_pod(policy("x/p", ingress=(allow(ports=(port(7, "SCTP"),)),)))
    a = driver.node.pods[PodId("x", "a")]
    seen = Seen(False, int(ip_address("10.1.2.2")), int(a.address), PROTOCOLS["SCTP"], (0, 0))
    assert not NodeLists(driver.items.values()).passes(a.interface, False, seen)
    driver.put(policy("x/p", ingress=(allow(ports=(port(0, "SCTP"),)),)))
    assert NodeLists(driver.items.values()).passes(a.interface, False, seen)


def test_unit_names_its_policies() -> None:
    driver = _one_pod(policy("x/b", ingress=()), policy("x/a", egress=()))
    assert driver.wanted.who(_binding(driver).key) == ("policies x/a, x/b",)


def test_why() -> None:
    driver = _one_pod(
        policy("x/db", ingress=(allow(pods(pod="b"), ports=(port(80),)), allow(pods(pod="b")))),
        policy("x/deny", ingress=()),
    )
    driver.put(pod("x/b", "10.1.2.2"))
    name = _binding(driver).outputs[0]
    told = {r: driver.handler.why(name, i, PodId("x", "a")) for i, r in enumerate(_rules(driver, name))}
    any4 = "0.0.0.0/0"
    assert told[f"permit+reflect 10.1.2.2/32 {any4} 6 80-80"] == ("policy x/db ingress rule 0",)
    assert told[f"permit+reflect 10.1.2.2/32 {any4} 0 0-65535"] == ("policy x/db ingress rule 1",)
    assert told[f"deny {any4} {any4} 0 0-65535"] == (
        "default deny of policy x/db (ingress)",
        "default deny of policy x/deny (ingress)",
    )
    assert told[f"permit+reflect 192.168.16.1/32 {any4} 0 0-65535"] == ("the pod's own node",)
    assert told[f"permit+reflect 10.1.1.254/32 {any4} 0 0-65535"] == (
        "the pod itself, by way of a service (NAT loopback)",
    )
    assert all(told.values())
    assert driver.handler.why(name, 99) == driver.handler.why(name, -1) == driver.handler.why("other", 0) == ()
    assert driver.handler.why(name, 0, PodId("x", "b")) == ()
    assert "nothing is denied" in driver.handler.why(REFLECTION, 0)[0]


def test_why_of_a_list_that_pods_of_several_namespaces_share() -> None:
    driver = _one_pod(policy("x/p", ingress=()), policy("y/q", ingress=()))
    driver.add_pod("y", "c", "10.1.1.3")
    name, last = _binding(driver).outputs[0], len(_rules(driver, _binding(driver).outputs[0])) - 1
    assert driver.handler.why(name, last) == (
        "default deny of policy x/p (ingress)",
        "default deny of policy y/q (ingress)",
    )
    assert driver.handler.why(name, last, PodId("y", "c")) == ("default deny of policy y/q (ingress)",)


def test_why_of_services() -> None:
    cluster = TwoNodes()
    for node, name in ((0, "a"), (0, "near"), (1, "far")):
        cluster.run(node, pod(f"x/{name}"))
    near, far = (str(cluster.pod("x", name).ip_address) for name in ("near", "far"))
    cluster.put(
        policy("x/out", select(pod="a"), egress=(allow(pods(pod="near")),)),
        service("x/shop", "10.96.0.10", (HTTP,)),
        endpoints("x/shop", {"http": (80, "TCP")}, near, far),
    )
    driver = cluster.drivers[0]
    first = _binding(driver).inputs[0]
    assert driver.handler.why(first, 0) == ("service x/shop, policy x/out egress rule 0",)
    refused = ("default deny of policy x/out (egress) of pod x/a, by way of a service",)
    assert driver.handler.why("contiv-policy-NODE-GLOBAL", 0) == refused
    cluster.put(policy("x/out", select(pod="a"), egress=(allow(pods(pod="far")),)))
    assert driver.handler.why(_binding(driver, "near").outputs[0], 0) == refused
    cluster.put(policy("x/out", select(pod="a"), egress=(allow(block("10.96.0.0/12")),)))
    told = driver.handler.why(_binding(driver).inputs[0], 0)
    assert told == ("service x/shop, whose backends are not all allowed: default deny of policy x/out (egress)",)


@pytest.mark.parametrize(
    ("make", "fields"),
    [
        (PolicyPort, {"protocol": "ICMP"}),
        (PolicyPort, {"number": 90, "end": 80}),
        (PolicyPort, {"name": "http", "end": 80}),
        (Expression, {"key": "a", "operator": "LIKE"}),
    ],
)
def test_what_no_policy_may_say(make: type, fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        make(**fields)


def test_a_peer_calls_its_ports_differently() -> None:
    driver = _one_pod(policy("x/p", select(pod="a"), egress=(allow(pods(pod="b"), ports=(port("web"),)),)))
    for number in (80, 81):
        named = (ContainerPort(name="web", container_port=number),)
        driver.put(pod("x/b", "10.1.2.2", ports=named))
        driver.check()
        assert f"permit+reflect 0.0.0.0/0 10.1.2.2/32 6 {number}-{number}" in _rules(driver, _binding(driver).inputs[0])
