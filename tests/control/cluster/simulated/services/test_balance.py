"""Which of several backends gets a connection: evenly, by weight, the same in each run, the same for a client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from tests.control.cluster.simulated.services.world import World, pod, service, world
from tests.naive.service_ways import Client
from vectorplane.control.cluster.load import parse_settings
from vectorplane.control.cluster.simulated.default_settings import DEFAULT_SETTINGS

CHI_SQUARE = {1: 10.83, 2: 13.82, 3: 16.27, 4: 18.47}
"""By degrees of freedom what chance exceeds once in a thousand times."""
_AT_ONCE = 200


def pods(*serving: tuple[str, str]) -> list[dict[str, object]]:
    asking = [pod(f"client-{n}", f"node-{n}", serves=False) for n in (1, 2)]
    return [*asking, *(pod(name, node, app="web") for name, node in serving), service("web", selector={"app": "web"})]


def counts(w: World, client: Client, address: str, times: int) -> Counter[str]:
    """How often each backend served; each time from another port."""
    found: Counter[str] = Counter()
    for _ in range(0, times, _AT_ONCE):
        for asked in w.wait([w.ask(client, address, 53, "UDP") for _ in range(min(times, _AT_ONCE))]):
            assert asked.served is not None and not w.judge(asked), asked
            found[asked.served[0]] += 1
    return found


def assert_like(found: Counter[str], shares: Mapping[str, int]) -> None:
    """Counts are as chance makes them with these shares."""
    assert found.keys() == shares.keys()
    total, parts = sum(found.values()), sum(shares.values())
    square = sum((found[a] - total * share / parts) ** 2 / (total * share / parts) for a, share in shares.items())
    assert square < CHI_SQUARE[len(shares) - 1], (found, shares, square)


FIVE = (("a", "node-1"), ("b", "node-1"), ("c", "node-1"), ("d", "node-2"), ("e", "node-2"))


@pytest.mark.slow
def test_evenly_and_the_same_each_time() -> None:
    runs = []
    for _ in range(2):
        with world(*pods(*FIVE), nodes=2) as w:
            w.meet()
            address = w.cluster_ip("web")
            found = [counts(w, w.pod("client-1"), address, 1000), counts(w, w.host("node-2"), address, 1000)]
            for one in found:
                assert_like(one, {w.pod(name).address: 1 for name, _ in FIVE})
            assert found[0] != found[1]
            runs.append(found)
    assert runs[0] == runs[1]


@pytest.mark.slow
def test_weights_and_what_follows_when_backends_change() -> None:
    """``service_local_endpoint_weight``: a pod of the client's own node counts as three."""
    settings = parse_settings(DEFAULT_SETTINGS + "service_local_endpoint_weight: 3\n")
    with world(*pods(*FIVE), nodes=2, settings=settings) as w:
        w.meet()
        address = w.cluster_ip("web")
        at = {name: w.pod(name).address for name, _ in FIVE}
        assert_like(
            counts(w, w.pod("client-1"), address, 1000), {at["a"]: 3, at["b"]: 3, at["c"]: 3, at["d"]: 1, at["e"]: 1}
        )
        assert_like(
            counts(w, w.pod("client-2"), address, 1000), {at["a"]: 1, at["b"]: 1, at["c"]: 1, at["d"]: 3, at["e"]: 3}
        )
        w.ready(b=False, c=False, e=False)
        assert_like(counts(w, w.pod("client-1"), address, 1000), {at["a"]: 3, at["d"]: 1})
        w.ready(d=False)
        assert counts(w, w.pod("client-2"), address, 50) == {at["a"]: 50}
        w.ready(d=True, e=True)
        assert_like(counts(w, w.pod("client-2"), address, 1000), {at["a"]: 1, at["d"]: 3, at["e"]: 3})


@pytest.mark.parametrize("kind", ["inside", "node port"])
def test_affinity_and_its_time(kind: str) -> None:
    """Counted from the end of NAT's last session with the client: 300 s for datagrams, as the settings say."""
    with world(*pods(*FIVE), nodes=2) as w:
        sticky = {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 100}}}
        w.apply(service("web", "NodePort", selector={"app": "web"}, **sticky))
        w.meet()
        address, port = (w.cluster_ip("web"), 53) if kind == "inside" else ("192.168.16.1", w.node_port("web", "dns"))
        client = w.pod("client-1") if kind == "inside" else w.outside("node-1")

        def served(times: int) -> set[str]:
            asked = w.wait([w.ask(client, address, port, "UDP") for _ in range(times)])
            return {a.served[0] for a in asked if a.served}

        first = served(30)
        assert len(first) == 1
        w.made.advance(350)  # sessions have ended, but not yet the affinity
        assert served(30) == first
        others = [name for name, _ in FIVE if w.pod(name).address not in first]
        w.ready(**dict.fromkeys(others, False))
        w.ready(**dict.fromkeys(others, True))
        assert served(30) == first
        later: set[str] = set()
        for _ in range(12):
            w.made.advance(450)
            now = served(5)
            assert len(now) == 1
            later |= now
        assert len(later) > 1
        gone = next(name for name, _ in FIVE if w.pod(name).address in now)
        w.ready(**{gone: False})
        moved = served(30)
        assert len(moved) == 1 and moved != now
        w.ready(**{gone: True})
        assert served(30) == moved
