"""Services change while connections are under way: which of them go on, and where new ones go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.control.cluster.simulated.services.world import World, pod, service, world
from tests.naive.service_ways import Client

EXTERNAL = "20.0.0.1"


@pytest.fixture(scope="module")
def made() -> Iterator[World]:
    pods = [pod(f"client-{n}", f"node-{n}", serves=False) for n in (1, 2, 3)]
    pods += [pod(f"w{n}", f"node-{n}", app="web") for n in (1, 2, 3)]
    with world(*pods) as built:
        built.meet()
        yield built


@pytest.fixture
def w(made: World) -> Iterator[World]:
    """All pods are ready; there is no service."""
    yield made
    for name in [s.name for s in made.state.services.values()]:
        made.delete(service(name))
    made.ready(w1=True, w2=True, w3=True)


def web(name: str = "web", **more: object) -> dict[str, object]:
    return service(name, "NodePort", selector={"app": "web"}, externalIPs=[EXTERNAL], **more)


def everybody(w: World) -> list[tuple[Client, str, int]]:
    """Clients of every kind, and what they ask of the service ``web``."""
    inside, at_nodes = w.cluster_ip("web"), w.node_port("web")
    return [
        (w.pod("client-1"), inside, 80),
        (w.pod("client-3"), inside, 80),
        (w.pod("w1"), inside, 80),
        (w.host("node-2"), inside, 80),
        (w.pod("client-2"), EXTERNAL, 80),
        (w.pod("client-2"), "192.168.16.2", at_nodes),
        (w.pod("client-2"), "192.168.16.1", at_nodes),
        (w.pod("client-2"), "10.20.0.3", at_nodes),
        (w.outside("node-1"), "192.168.16.1", at_nodes),
        (w.outside("node-3"), "192.168.16.3", at_nodes),
        (w.outside("node-1"), EXTERNAL, 80),
    ]


def test_one_backend_two_and_one_again(w: World) -> None:
    w.ready(w2=False, w3=False)
    w.apply(web())
    asked = w.begin(*everybody(w))
    w.ready(w3=True)
    more = w.begin(*everybody(w))
    assert {w.one(w.pod("client-1"), w.cluster_ip("web"), 80).served for _ in range(20)} == {
        (w.pod(name).address, 8080) for name in ("w1", "w3")
    }
    w.ready(w3=False)
    assert all(w.gone_on(asked)), [str(a) for a in asked]
    assert {a.served for a in asked} == {(w.pod("w1").address, 8080)}
    assert {a.served for a, on in zip(more, w.gone_on(more), strict=True) if on} == {(w.pod("w1").address, 8080)}


def test_only_connections_to_the_backend_that_left_end(w: World) -> None:
    w.apply(web())
    asked = w.begin(*everybody(w) * 3)
    led = [w.reached(n) for n, _ in enumerate(asked)]
    assert set(led) == {w.pod(name).address for name in ("w1", "w2", "w3")}
    leaves = w.pod("w2").address
    w.ready(w2=False)
    assert w.gone_on(asked) == [address != leaves for address in led]
    w.ready(w2=True)
    assert all(w.gone_on(w.begin(*everybody(w))))


def test_what_is_no_backend_s_business(w: World) -> None:
    """Labels, a port more, a session affinity, another type: connections by what stays go on."""
    w.apply(web())
    asked = w.begin(*everybody(w))
    ports = [{"name": "web", "port": 80, "targetPort": "web"}, {"name": "more", "port": 81, "targetPort": "web"}]
    w.apply(web(ports=ports))
    assert w.one(w.pod("client-1"), w.cluster_ip("web"), 81).served
    assert w.one(w.pod("client-1"), w.cluster_ip("web"), 53).served is None
    w.apply(
        service("web", "LoadBalancer", ports=ports, selector={"app": "web"}, externalIPs=[EXTERNAL], ingress="20.0.0.2")
    )
    assert w.one(w.outside("node-1"), "20.0.0.2", 81).served
    w.made.kill_agent("node-1")
    assert all(w.gone_on(asked))


def test_a_type_that_has_no_node_ports(w: World) -> None:
    w.apply(web())
    at_nodes = w.node_port("web")
    asked = w.begin(
        (w.pod("client-1"), w.cluster_ip("web"), 80),
        (w.pod("client-1"), "192.168.16.1", at_nodes),
        (w.outside("node-2"), "192.168.16.2", at_nodes),
    )
    w.apply(service("web", selector={"app": "web"}))
    assert w.gone_on(asked) == [True, False, False]
    for client, address, port in ((w.outside("node-2"), "192.168.16.2", at_nodes), (w.pod("client-1"), EXTERNAL, 80)):
        assert w.one(client, address, port).served is None


def test_a_service_that_is_deleted(w: World) -> None:
    w.apply(web(), service("other", selector={"app": "other"}), service("same", selector={"app": "web"}))
    *asked, direct = w.begin(*everybody(w), (w.pod("client-2"), w.pod("w1").address, 8080))
    w.delete(web())
    assert not any(w.gone_on([*asked, direct]))  # of the last one the oracle says that it is no service's
    assert direct.served == (w.pod("w1").address, 8080) and direct.seen == w.pod("client-2").address
    assert not w.judge(w.one(w.pod("client-1"), w.cluster_ip("same"), 80))


def test_datagrams(w: World) -> None:
    """The same ports: the same backend, as long as it is one, and then another one."""
    w.ready(w2=False, w3=False)
    w.apply(web())
    client, address = w.pod("client-2"), w.cluster_ip("web")
    first = w.one(client, address, 53, "UDP", sport=5000).served
    assert first == (w.pod("w1").address, 5353)
    w.ready(w2=True, w3=True)
    assert {w.one(client, address, 53, "UDP", sport=5000).served for _ in range(5)} == {first}
    w.ready(w1=False)
    second = w.one(client, address, 53, "UDP", sport=5000).served
    assert second in {(w.pod(name).address, 5353) for name in ("w2", "w3")}
    w.ready(w1=True)
    assert {w.one(client, address, 53, "UDP", sport=5000).served for _ in range(5)} == {second}


def test_the_last_backend_leaves_and_one_comes(w: World) -> None:
    w.apply(web())
    w.ready(w1=False, w2=False, w3=False)
    for client, address, port in everybody(w):
        assert w.one(client, address, port).served is None, (client, address)
    w.ready(w2=True)
    for client, address, port in everybody(w):
        asked = w.one(client, address, port)
        assert asked.served and not w.judge(asked)


def test_two_services_at_one_external_address(w: World) -> None:
    port = {"name": "web", "targetPort": "web"}
    w.apply(web(ports=[{**port, "port": 80}]), web("two", ports=[{**port, "port": 81}]))
    asked = w.begin((w.outside("node-1"), EXTERNAL, 80))
    w.apply(web("two", ports=[{**port, "port": 82}]))
    for number, served in ((80, True), (81, False), (82, True)):
        for client in (w.outside("node-1"), w.pod("client-1"), w.pod("w1"), w.host("node-3")):
            tried = w.one(client, EXTERNAL, number)
            assert (tried.served is not None) == served and not w.judge(tried), tried
    w.delete(web("two"))
    assert w.gone_on(asked) == [True]
    assert w.one(w.outside("node-1"), EXTERNAL, 82).served is None
