"""Random clusters and policies, changed at random: ACLs against the documentation's rules; updates against a resync."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.control.cluster.policies.build import block, endpoints, namespace, pod, port, rule, select, service
from tests.control.cluster.policies.two_nodes import HOSTS, TwoNodes
from tests.naive.network_policy import allowed
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.base import ObjectId
from vectorplane.control.cluster.model.pod import ContainerPort
from vectorplane.control.cluster.model.policy import Peer, Policy, PolicyType
from vectorplane.control.cluster.model.service import ServicePort

NAMES = [(n, p) for n in "xy" for p in "abc"]
PORTS = (80, 81)
LABELS = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["1", "2"]), max_size=2)
EXPRESSIONS = st.tuples(st.sampled_from(["app", "tier"]), st.sampled_from(["IN", "NOT_IN", "EXISTS", "DOES_NOT_EXIST"]))
SELECTORS = st.builds(
    lambda labels, expressions: select(*((*e, "1") if e[1] in ("IN", "NOT_IN") else e for e in expressions), **labels),
    LABELS,
    st.lists(EXPRESSIONS, max_size=1),
)
BLOCKS = st.sampled_from(
    [
        block("0.0.0.0/0"),
        block("10.1.0.0/16", "10.1.1.2/31"),
        block("10.1.1.0/24", "10.1.1.3/32", "10.1.1.4/30"),
        block("10.1.2.2/32"),
        block("10.96.0.0/12"),
        block("10.0.0.0/8", "10.0.0.0/7"),
        block("fe10::/64"),
    ]
)
PEERS = st.one_of(
    st.builds(Peer, pods=SELECTORS),
    st.builds(Peer, namespaces=SELECTORS),
    st.builds(Peer, pods=SELECTORS, namespaces=SELECTORS),
    BLOCKS,
)
POLICY_PORTS = st.sampled_from(
    [port(80), port(81), port(0), port(80, "UDP"), port(80, end=81), port("web"), port("web", "UDP"), port(0, "SCTP")]
)
RULES = st.builds(
    lambda peers, ports: rule(*peers, ports=tuple(ports)),
    st.lists(PEERS, max_size=2),
    st.lists(POLICY_PORTS, max_size=2),
)
POLICIES = st.builds(
    Policy,
    namespace=st.sampled_from("xy"),
    name=st.sampled_from("pqr"),
    pods=SELECTORS,
    policy_type=st.sampled_from(PolicyType),
    ingress=st.lists(RULES, max_size=2).map(tuple),
    egress=st.lists(RULES, max_size=2).map(tuple),
)
NAMED = st.sampled_from(
    [
        (),
        (ContainerPort(name="web", container_port=80),),
        (ContainerPort(name="web", container_port=81), ContainerPort(name="web", container_port=80, protocol="UDP")),
    ]
)
STEPS = st.one_of(
    st.tuples(st.just("policy"), POLICIES),
    st.tuples(st.just("policy"), POLICIES),
    st.tuples(st.just("delete policy"), st.tuples(st.sampled_from("xy"), st.sampled_from("pqr"))),
    st.tuples(st.just("pod"), st.tuples(st.sampled_from(NAMES), LABELS, NAMED)),
    st.tuples(st.just("namespace"), st.tuples(st.sampled_from("xy"), LABELS)),
    st.tuples(st.just("delete namespace"), st.sampled_from("xy")),
    st.tuples(st.just("move"), st.sampled_from(NAMES)),
    st.tuples(st.just("revert"), st.sampled_from(NAMES)),
    st.tuples(st.just("service"), st.tuples(st.sampled_from("st"), st.booleans(), st.booleans())),
    st.tuples(
        st.just("endpoints"),
        st.tuples(st.sampled_from("st"), st.lists(st.sampled_from(NAMES), unique=True), st.sampled_from(PORTS)),
    ),
)  # fmt: skip
VIPS = {"s": ip_address("10.96.0.1"), "t": ip_address("10.96.0.2")}


def _take(cluster: TwoNodes, kind: str, what: Any) -> None:
    state = cluster.drivers[0].state
    if kind == "policy":
        cluster.put(what)
    elif kind == "delete policy" and ObjectId(*what) in state.policies:
        cluster.delete(state.policies[ObjectId(*what)])
    elif kind == "pod":
        name, labels, ports = what
        record = cluster.pod(*name)
        containers = pod("x/a", ports=ports).containers
        cluster.put(record.model_copy(update={"labels": labels, "containers": containers}))
    elif kind == "namespace":
        cluster.put(namespace(what[0]).model_copy(update={"labels": what[1]}))
    elif kind == "delete namespace" and what in state.namespaces:
        cluster.delete(state.namespaces[what])
    elif kind == "move":
        record = cluster.pod(*what)
        node = cluster.where[PodId(*what)]
        cluster.stop(PodId(*what))
        cluster.drivers[node].node.ipam.release(PodId(*what))
        cluster.run(1 - node, record.model_copy(update={"ip_address": None, "host_ip_address": None}))
    elif kind == "revert":
        cluster.revert_delete(PodId(*what))
    elif kind == "service":
        name, node_port, shared = what
        ports = (ServicePort(name="web", port=8000, node_port=30000 if node_port else 0),)
        cluster.put(service(f"x/{name}", str(VIPS["s" if shared else name]), ports))
    elif kind == "endpoints":
        name, backends, number = what
        addresses = [str(cluster.pod(*b).ip_address) for b in backends]
        cluster.put(endpoints(f"x/{name}", {"web": (number, "TCP")}, *addresses))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(STEPS, min_size=1, max_size=14))
def test_random(steps: list[tuple[str, Any]]) -> None:
    cluster = TwoNodes()
    for n, p in NAMES:
        cluster.run(p == "c", pod(f"{n}/{p}", labels={"app": "1"} if p == "a" else {}))
    for kind, what in steps:
        _take(cluster, kind, what)
        cluster.check()
    lists, oracle = cluster.lists, cluster.oracle
    outside = ip_address("198.51.100.9")
    ends: list[Any] = [cluster.pod(*name) for name in NAMES]
    for one in ends:
        for other in [*ends, outside, ip_address(HOSTS[0]), ip_address(HOSTS[1])]:
            for protocol, number in (("TCP", 80), ("TCP", 81), ("UDP", 80), ("SCTP", 81), ("ICMP", 0)):
                expected = allowed(oracle, one, other, protocol, number)
                assert cluster.connects(one, other, protocol, number, lists=lists) == expected
                if not hasattr(other, "name"):
                    expected = allowed(oracle, other, one, protocol, number)
                    assert cluster.connects(other, one, protocol, number, lists=lists) == expected
    _check_services(cluster, ends)


def _check_services(cluster: TwoNodes, ends: list[Any]) -> None:
    """By way of a service a pod reaches exactly the backends that it may reach directly.

    By a node port it reaches all or none, as it can't be told from others behind it.
    """
    lists, oracle, state = cluster.lists, cluster.oracle, cluster.drivers[0].state
    for client in ends:
        at_node_port = []
        for identity, of in state.endpoints.items():
            record = state.services.get(identity)
            if record is None:
                continue
            number = of.subsets[0].ports[0].port
            for address in of.subsets[0].addresses:
                backend = oracle.pod_at(address.ip)
                if backend is None:
                    at_node_port += [(None, 0, False)] * any(p.node_port for p in record.ports)
                    continue  # it has moved since
                expected = allowed(oracle, client, backend, "TCP", number)
                vip = ip_address(record.cluster_ip), 8000
                assert cluster.connects(client, backend, "TCP", number, via=vip, lists=lists) == expected
                if any(p.node_port for p in record.ports):
                    at_node_port.append((backend, number, expected))
        all_of_them = all(expected for _, _, expected in at_node_port)
        for backend, number, expected in at_node_port:
            if backend is not None:
                passes = cluster.connects(
                    client, backend, "TCP", number, via=(ip_address(HOSTS[1]), 30000), lists=lists
                )
                assert not passes or expected
                assert passes or not all_of_them
