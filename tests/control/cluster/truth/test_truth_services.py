"""Pods that reach services under policies: each backend answers whom the documentation lets ask it, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Any

import pytest

from tests.control.cluster.policies.build import block, both, namespaces, pods, port, rule, select
from tests.control.cluster.policies.build import policy as record
from tests.control.cluster.truth.nine_pods import NAMES, NinePods, nine_pods
from tests.control.cluster.truth.objects import policy
from tests.control.cluster.truth.shops import FRONT, NODE_PORT, Shops, shop
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.model.services import Service

BACKENDS = {"x/a", "x/b", "x/c"}
"""One on each node; all have the label of the service."""
A = select(pod="a")


@pytest.fixture(scope="module")
def nine() -> Iterator[NinePods]:
    with nine_pods() as made:
        made.apply([shop("x/tcp", {"ns": "x"}, "serve-80-tcp", kind="NodePort")])
        made.apply([shop("x/udp", {"ns": "x"}, 81, udp=True)])
        yield made


def begin(nine: NinePods) -> Shops:
    """No policies; the service has its three backends."""
    nine.begin_anew()
    nine.label({name: {"pod": name[-1], "ns": "x"} for name in sorted(BACKENDS)})
    return Shops(nine.packets)


def cluster_ip(nine: NinePods, name: str) -> IPv4Address:
    """Of a service."""
    found = nine.cluster.kube.get(Service, name, "x")
    assert found is not None
    return IPv4Address(found.cluster_ip)


def check(nine: NinePods, shops: Shops, times: int = 12) -> dict[str, set[str]]:
    """Both services, from everywhere; gives who answered whom of TCP."""
    met = shops.check(NAMES, BACKENDS, cluster_ip(nine, "tcp"), FRONT, target=80, times=times)
    shops.check(NAMES, BACKENDS, cluster_ip(nine, "udp"), FRONT, target=81, udp=True, times=times)
    return {client: set(seen.answered) for client, seen in met.items()}


def test_without_policies(nine: NinePods) -> None:
    met = check(nine, begin(nine), times=30)
    assert met == dict.fromkeys(NAMES, BACKENDS)  # itself, too


OUT: list[tuple[str, tuple[Any, ...]]] = [
    ("nothing", ()),
    ("the port in front is not that of a backend", (rule(ports=(port(FRONT),)),)),
    ("one backend", (rule(pods(pod="a")), rule(namespaces(ns="z")))),
    ("a namespace", (rule(namespaces(ns="x")),)),
    ("a namespace, at one port", (rule(namespaces(ns="x"), ports=(port(80),)),)),
    ("a port by name", (rule(namespaces(ns="x"), ports=(port("serve-81-udp", "UDP"),)),)),
    ("the service's address is not that of a backend", (rule(block("10.96.0.0/12")),)),
    ("blocks", (rule(block("10.1.1.0/24"), block("10.1.2.0/24")),)),
]


@pytest.mark.slow
@pytest.mark.parametrize("given", OUT, ids=[name for name, _ in OUT])
@pytest.mark.parametrize("where", ["x", "y"])
def test_egress(nine: NinePods, given: tuple[str, tuple[Any, ...]], where: str) -> None:
    """Of pods beside the backends, which are backends themselves (x), or of others (y)."""
    shops = begin(nine)
    nine.apply([policy(record(f"{where}/out", select(("pod", "IN", "a", "b")), egress=given[1]))])
    met = check(nine, shops)
    others = {name for name in NAMES if name[0] != where or name[-1] == "c"}
    assert all(met[name] for name in others)


def test_mixed_backends_all_answer_that_may(nine: NinePods) -> None:
    shops = begin(nine)
    for allowed in ("a", "b", "c"):
        may = pods(pod=allowed)
        nine.apply([policy(record("x/out", A, egress=(rule(may),)))])
        nine.apply([policy(record("y/out", A, egress=(rule(block(f"{nine.packets.address(f'x/{allowed}')}/32")),)))])
        met = check(nine, shops, times=30)
        assert met["x/a"] == {"x/a", f"x/{allowed}"}
        assert met["y/a"] == {f"x/{allowed}"}
        assert met["y/b"] == met["z/a"] == BACKENDS


@pytest.mark.slow
def test_ingress_of_backends(nine: NinePods) -> None:
    """They see the client, not the node that translates."""
    shops = begin(nine)
    nine.apply([policy(record("x/in", A, ingress=(rule(namespaces(ns="y"), ports=(port(80),)),)))])
    met = check(nine, shops, times=30)
    assert met["y/b"] == BACKENDS
    assert met["z/b"] == BACKENDS - {"x/a"}


def test_changes(nine: NinePods) -> None:
    """Of a policy, of labels, of who is a backend."""
    shops = begin(nine)
    nine.apply([policy(record("y/out", A, egress=(rule(namespaces(team="blue")),)))])
    assert not check(nine, shops)["y/a"]
    nine.label({"x": {"team": "blue", "ns": "x"}})
    assert check(nine, shops, times=30)["y/a"] == BACKENDS
    nine.apply([policy(record("x/in", select(pod="b"), ingress=()))])
    assert check(nine, shops, times=30)["y/a"] == {"x/a", "x/c"}
    nine.label({"x/b": {"pod": "b"}})
    met = shops.check(NAMES, {"x/a", "x/c"}, cluster_ip(nine, "tcp"), FRONT, target=80)
    assert not any(seen.lost for seen in met.values())
    nine.label({"x": {"ns": "x"}})
    assert not check(nine, shops)["y/a"]


X = select(ns="x")


@pytest.mark.slow
@pytest.mark.parametrize(
    "rules",
    [(), (rule(both(X, A)),), (rule(namespaces(ns="x")),)],
    ids=["nobody", "one backend", "all backends"],
)
@pytest.mark.parametrize("of", ["x", "y"])
def test_node_ports(nine: NinePods, of: str, rules: tuple[Any, ...]) -> None:
    """Of all nodes, at both of their addresses. A pod may always ask its own node, but a service is no part of it.

    To one that may not send what it likes, node ports of other nodes are addresses as any other: none of the rules
    speaks of them.
    """
    shops = begin(nine)
    nine.apply([policy(record(f"{of}/out", A, egress=rules))])
    isolated = f"{of}/a"
    home = nine.cluster.kube.objects.one(Pod, "a", of)
    assert home is not None
    for node in nine.cluster.nodes.values():
        for address in (node.address, node.management):
            assert isinstance(address, IPv4Address)
            others = [name for name in NAMES if name != isolated]
            shops.check(others, BACKENDS, address, NODE_PORT, target=80, times=6)
            if node.name == home.spec.nodeName:
                shops.check([isolated], BACKENDS, address, NODE_PORT, target=80, times=6)
            else:
                assert not shops.visit([isolated], address, NODE_PORT, times=2)[isolated].answered
