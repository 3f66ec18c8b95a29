"""Agents, nodes and the store die at any moment: what is there in the end is what an untouched cluster has.

Ten deaths; with ``VECTORPLANE_LONG=1`` two hundred (a few minutes).
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.control.cluster.simulated.churn import Change, change
from tests.control.cluster.simulated.clusters import EXAMPLE, cluster
from tests.control.cluster.simulated.flows import MANIFEST, Flows
from tests.control.cluster.simulated.mortal import MortalNode, MortalStore, light, mortal, nodes_of
from vectorplane.backends.engine.network import Network
from vectorplane.control.cluster.keys import REFLECTED
from vectorplane.control.cluster.kube.manifests.read import load, parse
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.simulated.all_pairs import all_pairs
from vectorplane.control.cluster.simulated.cluster import Cluster
from vectorplane.control.cluster.simulated.node import SimNode
from vectorplane.control.cluster.state import ClusterState

_LONG = bool(os.environ.get("VECTORPLANE_LONG"))


class World:
    """A cluster, what it was told, and how often something of it died."""

    def __init__(self, made: Cluster, seed: int) -> None:
        self.cluster, self.rng = made, random.Random(seed)
        self.told: list[Change] = []
        self.there: set[str] = set()
        self.deaths: Counter[str] = Counter()
        start = [m.object for m in load([str(EXAMPLE)]).manifests] + [m.object for m in parse(MANIFEST, "s").manifests]
        self._tell(("apply", tuple(start)))
        self.numbers = {node.name: node.number for node in made.nodes.values()}
        self.flows = Flows(made)

    @property
    def store(self) -> MortalStore:
        store: Any = self.cluster.store
        assert isinstance(store, MortalStore)
        return store

    def _tell(self, what: Change) -> None:
        self.told.append(what)
        verb, objects = what
        answers = (self.cluster.apply if verb == "apply" else self.cluster.delete)(objects)
        assert not [a.error for a in answers if a.error is not None]

    def accident(self) -> None:
        """Something dies, at once or in the middle of a change, while packets are under way; traffic must not mind."""
        rng, work = self.rng, ("", " at work")
        kind = rng.choice(("agent", "node", "store")) + rng.choice(work)
        node = rng.choice(nodes_of(self.cluster))
        self.flows.start(rng.randint(0, 300))
        match kind:
            case "agent":
                self.cluster.kill_agent(node.name)
            case "node":
                self.cluster.kill(node.name)
            case "store":
                self.store.die()
            case "store at work":
                light(self.store.fuse, rng, 12)
            case _:
                node.whole = kind.startswith("node")
                light(node.fuse, rng, 25)
        before = node.deaths
        for _ in range(30):
            self._tell(change(rng, self.there))
            if not kind.endswith("at work") or node.deaths > before or self.store.dead:
                break
        else:
            raise AssertionError(f"{kind}: no operation of 30 changes was the last")
        self.flows.end([node.name] if kind.startswith("node") else [])
        if self.store.dead:
            self.cluster.advance(rng.choice((0.0, 0.5, 5.0)))
            self._tell(change(rng, self.there))
            self.flows.start(rng.randint(0, 300))
            self.store.revive()
            self.cluster.advance(4)
            self.flows.end()
        self.deaths[kind] += 1
        self.unique()

    def unique(self) -> None:
        """No address is that of two pods, in anybody's eyes."""
        running = [s.address for n in self.cluster.nodes.values() for s in n.containers.sandboxes.values() if s.address]
        assert len(set(running)) == len(running)
        for node in self.cluster.nodes.values():
            if node.agent.node is not None:
                assert not node.agent.node.ipam.conflicts()

    def rest(self) -> None:
        """Time to heal."""
        self.cluster.advance(20)
        assert not self.cluster.kube.errors()
        assert all(pod.running for pod in self.cluster.kube.list_of(Pod))

    def check(self) -> None:
        """It is as if nothing had happened."""
        self.unique()
        state = ClusterState()
        state.load(self.store.list("").entries)
        for node in nodes_of(self.cluster):
            assert node.number == self.numbers[node.name]
            assert not node.scheduler.verify() and not node.scheduler.diff()
            assert node.agent.node is not None
            for pod, sandbox in node.containers.sandboxes.items():
                assert node.agent.node.pods[pod].address == sandbox.address == state.pods[pod].ip_address
            assert node.agent.node.pods.keys() == node.containers.sandboxes.keys()
            _same(node, _untouched(self.cluster, node))
        with cluster() as other:
            for verb, objects in self.told:
                (other.apply if verb == "apply" else other.delete)(objects)
            assert _records(other) == _records(self.cluster)
            for port in ("80", "81"):
                assert all_pairs(other, port, "tcp", None).json() == all_pairs(self.cluster, port, "tcp", None).json()


def _untouched(made: Cluster, node: MortalNode) -> SimNode:
    """A node that starts now for the first time, where the same pods run, by the same store."""
    fresh = SimNode(node.name, made.settings, node._plain, node.management, 1, Network([]), node.containers)
    fresh.start(made.now)
    fresh.agent.run_pending()
    return fresh


def _same(node: MortalNode, fresh: SimNode) -> None:
    """Both want the same, and both dataplanes hold the same."""
    try:
        assert set(node.agent.wanted) == set(fresh.agent.wanted)
        for kind in fresh.backend.kinds():
            held = [Counter(backend.dump(kind)) for backend in (node.backend, fresh.backend)]
            assert held[0] == held[1], kind
    finally:
        fresh.kill()


def _records(made: Cluster) -> dict[str, Any]:
    """What the store says, but for where pods are and with which address."""
    found = {}
    for entry in made.store.list(REFLECTED).entries:
        value = dict(entry.value)
        if "/pod/" in entry.key:
            value = {k: v for k, v in value.items() if k not in ("ip_address", "host_ip_address")}
        if "/endpoints/" in entry.key:
            value = {"serve": sorted(a["pod"] for s in value.get("subsets", ()) for a in s.get("addresses", ()))}
        found[entry.key] = value
    return found


@pytest.mark.parametrize("seed", range(20 if _LONG else 1))
def test_deaths(seed: int, tmp_path: Path) -> None:
    with mortal(tmp_path) as made:
        world = World(made, seed)
        while sum(world.deaths.values()) < 10:
            world.accident()
        world.rest()
        world.check()
        assert world.flows.answered > 100
        print(f"seed {seed}: {dict(world.deaths)}, {world.flows.answered} exchanges, nothing lost")


def test_an_agent_that_comes_back_finds_all_as_it_should_be(tmp_path: Path) -> None:
    """Not one operation, and what its own pods send goes on."""
    with mortal(tmp_path) as made:
        world = World(made, 0)
        for _ in range(5):
            world._tell(change(world.rng, world.there))
        for node in nodes_of(made):
            world.flows.start(10)
            before = node.operations
            made.kill_agent(node.name)
            assert node.agent.node is not None and node.operations == before
            assert not any(record.events for record in node.scheduler.history)
            world.flows.end()


def test_the_whole_process_dies(tmp_path: Path) -> None:
    """Begun anew with the store that it left, the nodes have their ids, and pods that are there again their addresses.

    Also where they are by chance: a node was drained, so others have more pods than they would get now.
    """
    objects = [m.object for m in load([str(EXAMPLE)]).manifests]
    steady = [m.object for m in parse(MANIFEST, "steady.yaml").manifests]
    with mortal(tmp_path) as made:
        made.apply(objects)
        made.kube.drain("node-2")
        made.settle()
        made.kube.cordon("node-2", on=False)
        for pod in made.kube.list_of(Pod, "web")[:2]:
            made.kube.delete(Pod, pod.name, "web")  # the next ones of the Deployment have other names
        made.settle()
        made.apply(steady)
        numbers, before = _numbers(made), _placed(made)
        store: Any = made.store
        store.die()
    with mortal(tmp_path) as made:
        store = made.store
        assert store._life == 1
        made.apply([*objects, *steady])
        now = _placed(made)
        again = before.keys() & now.keys()
        assert len(again) >= 5
        assert {name: now[name] for name in again} == {name: before[name] for name in again}
        assert len({address for _, address in now.values()}) == len(now)
        assert _numbers(made) == numbers


def _numbers(made: Cluster) -> dict[str, int | None]:
    return {node.name: node.number for node in made.nodes.values()}


def _placed(made: Cluster) -> dict[str, tuple[str, Any]]:
    return {f"{p.namespace}/{p.name}": (p.spec.nodeName, p.address) for p in made.kube.list_of(Pod)}
