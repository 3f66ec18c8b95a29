"""Random clusters and policies in packets: what arrives is what the documentation says, whatever was there before.

``VECTORPLANE_TRUTH_EXAMPLES`` says how many clusters the long run makes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.control.cluster.policies.build import block
from tests.control.cluster.policies.test_random import LABELS, POLICY_PORTS, SELECTORS
from tests.control.cluster.simulated.clusters import cluster
from tests.control.cluster.truth.held import Held
from tests.control.cluster.truth.objects import namespace, pod, policy
from tests.control.cluster.truth.packets import Packets, Try
from tests.control.cluster.truth.shops import FRONT, Shops, shop
from vectorplane.control.cluster.kube.model.nodes import Namespace
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.model.policies import NetworkPolicy
from vectorplane.control.cluster.kube.model.services import Service
from vectorplane.control.cluster.model.policy import Peer, Policy, PolicyRule, PolicyType
from vectorplane.control.cluster.simulated.cluster import OUTSIDE, Cluster

_LONG = int(os.environ.get("VECTORPLANE_TRUTH_EXAMPLES", "15"))
_NAMES = [f"{n}/{p}" for n in "xy" for p in "abc"]
_NODES = ("node-1", "node-2")
_PORTS = st.sampled_from(
    [
        (),
        ({"name": "web", "containerPort": 80},),
        ({"name": "web", "containerPort": 81}, {"name": "web-udp", "containerPort": 80, "protocol": "UDP"}),
    ]
)
_PODS = st.dictionaries(st.sampled_from(_NAMES), st.tuples(st.sampled_from(_NODES), LABELS, _PORTS), min_size=3)
_SERVICES = st.dictionaries(
    st.sampled_from(["x/s", "y/s", "x/t"]),
    st.tuples(
        st.sampled_from([{"app": "1"}, {"app": "2"}, {"app": "1", "tier": "1"}]),
        st.sampled_from([80, 81]),
        st.booleans(),
    ),
    max_size=2,
)
_KEYS = st.tuples(st.sampled_from("xy"), st.sampled_from("pqr"))


def _blocks(addresses: list[str]) -> st.SearchStrategy[Peer]:
    one, other = addresses[0], addresses[-1]
    return st.sampled_from(
        [
            block("0.0.0.0/0"),
            block("10.1.0.0/16", f"{one}/32"),
            block("10.1.1.0/24"),
            block(f"{one}/32"),
            block("10.1.0.0/16", f"{one}/32", f"{other}/32"),
            block("0.0.0.0/0", "10.0.0.0/8", "192.168.16.0/24"),
            block("10.96.0.0/12"),
        ]
    )


def _policies(addresses: list[str]) -> st.SearchStrategy[dict[tuple[str, str], Policy]]:
    peers = st.one_of(
        st.builds(Peer, pods=SELECTORS),
        st.builds(Peer, namespaces=SELECTORS),
        st.builds(Peer, pods=SELECTORS, namespaces=SELECTORS),
        _blocks(addresses),
    )
    lists = st.lists(
        st.builds(PolicyRule, peers=st.lists(peers, max_size=2).map(tuple), ports=_some(POLICY_PORTS)), max_size=2
    ).map(tuple)
    made = st.builds(
        Policy,
        namespace=st.just(""),
        name=st.just(""),
        pods=SELECTORS,
        policy_type=st.sampled_from(PolicyType),
        ingress=lists,
        egress=lists,
    )
    return st.dictionaries(_KEYS, made, min_size=1, max_size=4)


def _some(of: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, max_size=2).map(tuple)


class Random:
    """A cluster that is emptied after each example."""

    def __init__(self, made: Cluster) -> None:
        self.cluster = made

    def apply(self, objects: list[Any]) -> None:
        """They come or change."""
        refused = [str(a.error) for a in self.cluster.apply(objects) if a.error is not None]
        assert not refused, refused

    def delete(self, *kinds: Any) -> None:
        """All of these kinds."""
        for kind in kinds:
            self.cluster.delete(
                [o for o in self.cluster.kube.list_of(kind) if o.name not in ("default", "kube-system")]
            )

    def clear(self) -> None:
        """Nothing is left, on the nodes neither."""
        self.delete(NetworkPolicy, Service, Pod, Namespace)
        self.cluster.settle()
        for node in self.cluster.nodes.values():
            assert "contiv-policy" not in node.cli("show acl-plugin acl"), "a list is left"

    def run(self, data: st.DataObject) -> None:
        """One cluster, two sets of policies, one after the other."""
        pods = data.draw(_PODS, "pods")
        self.apply([namespace(n, data.draw(LABELS, f"labels of {n}")) for n in "xy"])
        self.apply([pod(name, *of) for name, of in pods.items()])
        services = data.draw(_SERVICES, "services")
        self.apply([shop(name, labels, target, udp=udp) for name, (labels, target, udp) in services.items()])
        packets = Packets(self.cluster, pods)
        packets.warm_up()
        held = Held(packets)
        addresses = [str(packets.address(name)) for name in pods]
        for _ in range(2):
            wanted = data.draw(_policies(addresses), "policies")
            self._policies({k: p.model_copy(update={"namespace": k[0], "name": k[1]}) for k, p in wanted.items()})
            held.check()
            self._pairs(packets, list(pods))
            self._shops(packets, pods, services)
            if data.draw(st.booleans(), "labels change"):
                name = data.draw(st.sampled_from(sorted(pods)), "whose")
                pods[name] = (pods[name][0], data.draw(LABELS, "labels"), pods[name][2])
                self.apply([pod(name, *pods[name])])
                self._pairs(packets, list(pods))
            held.hold([Try(a, b, "TCP", 80) for a in pods for b in pods if a != b])

    def _policies(self, wanted: dict[tuple[str, str], Policy]) -> None:
        have = self.cluster.kube.list_of(NetworkPolicy)
        self.cluster.delete([p for p in have if (p.namespace, p.name) not in wanted])
        self.apply(list(map(policy, wanted.values())))

    def _pairs(self, packets: Packets, pods: list[str]) -> None:
        others = [OUTSIDE, *(f"node/{name}" for name in _NODES)]
        pairs = [(a, b) for a in (*pods, *others) for b in (*pods, *others) if a != b and (a in pods or b in pods)]
        what = (("TCP", 80), ("TCP", 81), ("UDP", 80), ("ICMP", 0))
        tries = [Try(a, b, *of) for a, b in pairs for of in what if (a, of[0]) != (OUTSIDE, "ICMP")]
        said, seen = packets.documented(tries), packets.arrive(tries)
        wrong = [f"{one}: {'arrives' if seen[one] else 'is lost'}" for one in tries if seen[one] != said[one]]
        assert not wrong, wrong

    def _shops(self, packets: Packets, pods: dict[str, Any], services: dict[str, Any]) -> None:
        for name, (labels, target, udp) in services.items():
            space, _, short = name.partition("/")
            backends = {p for p, of in pods.items() if p[0] == space and labels.items() <= of[1].items()}
            found = self.cluster.kube.get(Service, short, space)
            assert found is not None
            if backends:
                Shops(packets).check(
                    pods, backends, IPv4Address(found.cluster_ip), FRONT, target=target, udp=udp, times=5
                )


@pytest.fixture(scope="module")
def made() -> Iterator[Random]:
    with cluster(nodes=2) as up:
        yield Random(up)


def _example(made: Random, data: st.DataObject) -> None:
    try:
        made.run(data)
    finally:
        made.clear()


_SETTINGS = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


@settings(_SETTINGS, max_examples=4)
@given(data=st.data())
def test_a_few(made: Random, data: st.DataObject) -> None:
    _example(made, data)


@pytest.mark.slow
@settings(_SETTINGS, max_examples=_LONG)
@given(data=st.data())
def test_many(made: Random, data: st.DataObject) -> None:
    _example(made, data)
