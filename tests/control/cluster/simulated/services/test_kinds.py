"""Kinds of services that have less than all addresses, and backends that are no pods."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.control.cluster.simulated.services.world import DNS, OUTSIDE, WEB, World, endpoints, pod, service, world
from vectorplane.control.cluster.kube.model.pods import Pod


@pytest.fixture(scope="module")
def w() -> Iterator[World]:
    pods = [pod(f"client-{n}", f"node-{n}", serves=False) for n in (1, 2, 3)]
    with world(*pods, *(pod(f"w{n}", f"node-{n}", app="web") for n in (1, 2, 3))) as built:
        built.meet()
        yield built


def test_a_headless_service_has_no_address_and_its_pods_have(w: World) -> None:
    before = [item.key for node in w.running().values() for item in node.agent.wanted]
    w.apply(service("headless", selector={"app": "web"}, clusterIP="None"))
    assert [item.key for node in w.running().values() for item in node.agent.wanted] == before
    for name in ("w1", "w2", "w3"):
        asked = w.one(w.pod("client-1"), w.pod(name).address, WEB)
        assert asked.served == (w.pod(name).address, WEB) and asked.seen == w.pod("client-1").address
    w.delete(service("headless"))


def test_addresses_that_a_type_does_not_have(w: World) -> None:
    """``ClusterIP`` and ``NodePort`` have no load balancer, whatever the status says; ``externalIPs`` are for all."""
    w.apply(
        service("one", selector={"app": "web"}, externalIPs=["20.0.0.1"], ingress="20.1.0.1"),
        service("two", "NodePort", selector={"app": "web"}, externalIPs=["20.0.0.2"], ingress="20.1.0.2"),
        service("three", "LoadBalancer", selector={"app": "web"}, ingress="20.1.0.3"),
    )
    for address, works in (
        ("20.0.0.1", True),
        ("20.0.0.2", True),
        ("20.1.0.1", False),
        ("20.1.0.2", False),
        ("20.1.0.3", True),
    ):
        for client in (w.outside("node-2"), w.host("node-1")):
            asked = w.one(client, address, 80)
            assert not w.judge(asked)
            # what is not a service's leaves for the outside; that has every address, and says its own name
            assert (asked.served is not None and asked.served[0] != OUTSIDE) == works, asked
    w.delete(service("one"), service("two"), service("three"))


def test_external_names_make_nothing(w: World) -> None:
    before = [item.key for node in w.running().values() for item in node.agent.wanted]
    made = service("far", "ExternalName", externalName="example.com")
    del made["spec"]["ports"]
    w.apply(made)
    assert [item.key for node in w.running().values() for item in node.agent.wanted] == before
    w.delete(made)


def test_a_backend_outside_of_the_cluster(w: World) -> None:
    """A service without a selector, whose endpoints somebody gives: what is outside sees the node.

    Where pods are beside it, clients are not hidden from them; by the cluster IP what is outside is not reached then,
    for it would take two translations (docs/decisions/services.md).
    """
    clients = (w.pod("client-1"), w.host("node-3"), w.pod("w1"))
    made = service("db", "NodePort", externalIPs=["20.0.0.9"])
    near = w.pod("w2").address
    for given in ([OUTSIDE], [OUTSIDE, near], [near]):
        w.apply(made, endpoints("db", *given))
        ways = ((w.cluster_ip("db"), 80), ("20.0.0.9", 80), ("192.168.16.1", w.node_port("db")))
        asked = w.wait([w.ask(client, *to) for client in clients for to in ways for _ in range(6)])
        lost = {a.destination for a in asked if a.served is None}
        assert lost == ({w.cluster_ip("db")} if len(given) == 2 else set())
        assert {a.served for a in asked if a.served} == {(address, WEB) for address in given}
        assert not [text for a in asked if a.served and (text := w.judge(a))]
    w.delete(made, endpoints("db", OUTSIDE))


def test_direct_traffic_beside_sessions(w: World) -> None:
    """What a pod sends to a backend itself is not translated, whatever sessions there are between the two."""
    made = service("web", "NodePort", selector={"app": "web"})
    w.apply(made)
    for client in (w.pod("client-1"), w.pod("w2"), w.host("node-3")):
        for port in range(6000, 6012):
            assert w.one(client, w.cluster_ip("web"), 53, "UDP", sport=port).served
        for name in ("w1", "w2", "w3"):
            backend = w.pod(name).address
            if backend == client.address:
                continue
            asked = w.one(client, backend, WEB)
            assert asked.served == (backend, WEB) and asked.seen == client.address
            assert (str(asked.probe.source), asked.probe.source_port) == (backend, WEB)
            back = w.one(w.pod(name), client.address, DNS, "UDP").probe
            assert back.answered and (str(back.source), back.source_port) == (client.address, DNS)
    w.delete(made)


def test_a_drained_node(w: World) -> None:
    """Its pods are elsewhere; connections to others go on, and new ones find only those that are there."""
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop"},
        "spec": {
            "replicas": 6,
            "selector": {"matchLabels": {"app": "shop"}},
            "template": {
                "metadata": {"labels": {"app": "shop"}},
                "spec": {"containers": pod("x", "")["spec"]["containers"]},
            },
        },
    }
    w.apply(deployment, service("shop", "NodePort", selector={"app": "shop"}))
    w.meet()
    asks = [
        *((w.pod("client-1"), w.cluster_ip("shop"), 80) for _ in range(12)),
        *((w.outside("node-1"), "192.168.16.1", w.node_port("shop")) for _ in range(12)),
    ]
    begun = w.begin(*asks)
    led = [w.reached(n) for n, _ in enumerate(begun)]
    w.made.kube.drain("node-2")
    w.made.settle()
    w.refresh()
    left = {str(p.address) for p in w.made.kube.list_of(Pod) if p.labels.get("app") == "shop"}
    assert len(left) == 6 and set(led) - left and set(led) & left
    assert w.gone_on(begun) == [address in left for address in led]
    w.meet()
    served = set()
    for client, address, port in asks * 2:
        asked = w.one(client, address, port)
        assert asked.served is not None and not w.judge(asked), asked
        served.add(asked.served[0])
    assert served <= left
    w.made.kube.cordon("node-2", False)
    w.delete(deployment, service("shop"))
