"""Every combination of where backends are, traffic policies, affinity and address, from every kind of client.

Each try is judged by an oracle (`tests/naive/service_balance.py`, `service_ways.py`): which backends may get it, whom
they see, and that the answer comes from where the client had sent to. `WHOLE_PRODUCT=1 pytest` on this file asks
all 35,000 questions (a minute); else a part of them, which is another combination for every client.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import product, zip_longest
from typing import Any, NamedTuple

import pytest

from tests.control.cluster.simulated.clusters import balanced
from tests.control.cluster.simulated.services.world import (
    Ask,
    World,
    pod,
    service,
    world,
)
from tests.naive.service_ways import Client

PLACES = ("sole", "near", "mixed", "all", "host", "hosts", "waits", "nobody")
"""Of backends: one pod of node-1; two of it; of node-1 and node-2; of all; in the network of node-1's host; of two
hosts; one that is not ready; none that the selector selects."""
POLICIES = ("Cluster", "Local")
_QUICK, _SLOW = 29, 1 if os.environ.get("WHOLE_PRODUCT") else 5
"""A run takes one of so many parts of the product."""
_AT_ONCE = 100
"""Tries, twice each: what the queue of a link holds."""


class Kind(NamedTuple):
    """A service of the product."""

    place: str
    external: str
    internal: str
    affinity: str

    @property
    def name(self) -> str:
        return f"{self.place}-{self.external}-{self.internal}-{self.affinity}".lower()


KINDS = [Kind(*k) for k in product(PLACES, POLICIES, POLICIES, ("None", "ClientIP"))]


def manifests() -> Iterator[dict[str, Any]]:
    for number in (1, 2, 3):
        yield pod(f"client-{number}", f"node-{number}", serves=False)
    yield pod("w1", "node-1", sole="y", near="y", mixed="y", all="y")
    yield pod("w1b", "node-1", near="y", all="y")
    yield pod("w2", "node-2", mixed="y", all="y")
    yield pod("w3", "node-3", all="y")
    yield pod("h1", "node-1", of_host=True, host="y", hosts="y")
    yield pod("h2", "node-2", of_host=True, hosts="y")
    yield pod("late", "node-2", waits="y")
    for number, kind in enumerate(KINDS):
        yield service(
            kind.name,
            "LoadBalancer",
            selector={kind.place: "y"},
            externalIPs=[f"20.0.{number}.1"],
            ingress=f"20.1.{number}.1",
            externalTrafficPolicy=kind.external,
            internalTrafficPolicy=kind.internal,
            sessionAffinity=kind.affinity,
        )


@pytest.fixture(scope="module")
def made() -> Iterator[World]:
    with world(*manifests()) as built:
        built.made.kube.set_ready("late", False)
        built.made.settle()
        built.refresh()
        built.meet()
        yield built


def groups(w: World) -> Iterator[list[Client]]:
    """Clients that may ask at once: the outside reaches an address by one node at a time."""
    pods = ("client-1", "client-2", "client-3", "w1", "w2", "w3")
    yield [*map(w.pod, pods), *map(w.host, w.made.nodes)]
    yield from ([w.outside(name)] for name in w.made.nodes)


def ways_to(w: World, kind: Kind, client: Client) -> Iterator[tuple[str, int, str]]:
    """Address, port and protocol of all that a client can ask of a service."""
    asked = w.kube_service(kind.name)
    fixed = [str(asked.spec.externalIPs[0]), str(asked.status.loadBalancer.ingress[0].ip)]
    if client.node:
        fixed.append(asked.cluster_ip)
    for port in asked.spec.ports:
        yield from ((address, port.port, port.protocol) for address in fixed)
        for node in w.nodes:
            if client.node or node.name == client.by:
                hosts = node.addresses if client.node else node.addresses[:1]
                yield from ((address, port.nodePort, port.protocol) for address in hosts)


def judged(w: World, shard: int, shards: int) -> tuple[list[str], list[Ask]]:
    asked: list[Ask] = []
    mine: list[tuple[Client, Kind, Any]] = []
    for group in groups(w):
        ways = ([(c, kind, way) for kind in KINDS for way in ways_to(w, kind, c)] for c in group)
        every = (tried for turn in zip_longest(*ways) for tried in turn if tried is not None)
        part = [tried for number, tried in enumerate(every) if number % shards == shard]
        for at in range(0, len(part), _AT_ONCE):
            asked += w.wait([w.ask(c, *way) for c, _, way in part[at : at + _AT_ONCE] for _ in range(2)])
        mine += part
    wrong = [text for a in asked if (text := w.judge(a))]
    for (c, kind, to), one, two in zip(mine, asked[::2], asked[1::2], strict=True):
        if kind.affinity == "ClientIP" and one.served != two.served:
            wrong.append(f"{kind.name}: {c} to {to} got {one.served}, then {two.served}")
    return wrong, asked


def test_a_part_of_the_product(made: World) -> None:
    wrong, asked = judged(made, 5, _QUICK)
    assert not wrong, "\n".join(wrong[:20])
    assert len(asked) > 1000
    balanced(made.made)


@pytest.mark.slow
def test_the_product(made: World) -> None:
    wrong, asked = judged(made, 0, _SLOW)
    assert not wrong, "\n".join(wrong[:20])
    assert sum(a.served is not None for a in asked) > len(asked) // 2
    balanced(made.made)
