"""An agent that is killed at any operation of the store or the dataplane, and the one that comes after it."""

from __future__ import annotations

import random

import pytest

from tests.control.cluster.agent.fakes import Clock, Runtime, Site, drop, node_record, put
from tests.control.cluster.agent.faulty import Fuse, FusedBackend, FusedStore, Killed
from vectorplane.control.cluster.agent.event import AddPod, DeletePod
from vectorplane.control.cluster.agent.runtime import RunningPod
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.keys import NODE_IDS
from vectorplane.control.cluster.model.pod import Pod
from vectorplane.control.cluster.model.service import Service
from vectorplane.control.cluster.store.embedded import EmbeddedStore

NAMES = [f"p{i}" for i in range(6)]
ACTIONS = ["add", "add", "add", "delete", "report", "forget", "service", "no service", "peer", "no peer"]


class World:
    """A store, a container runtime, and one node whose agent may be killed; what it was told stays told."""

    def __init__(self, fresh_dataplane: bool) -> None:
        self.store, self.fuse, self.fresh = EmbeddedStore(), Fuse(), fresh_dataplane
        self.site = Site(FusedStore(self.store, self.fuse), backend=FusedBackend(self.fuse))  # type: ignore[arg-type]
        self.kills = 0
        self.containers = 0
        self.boot()

    def boot(self) -> None:
        """A new process; killed while it starts, another one."""
        while True:
            self.fuse.burnt = False
            if self.fresh:
                self.site.backend = FusedBackend(self.fuse)
            self.site.agent(verify=True)
            try:
                self.site.running.run_pending()
                return
            except Killed:
                self.kills += 1

    def pump(self) -> None:
        """The agent deals with everything; killed, its successor does."""
        try:
            self.site.running.run_pending()
        except Killed:
            self.kills += 1
            self.boot()

    def cni(self, event: AddPod | DeletePod) -> object:
        """The runtime asks until it has an answer, each time with a new sandbox when it adds."""
        while True:
            try:
                return self.site.running.push_and_wait(event)
            except Killed:
                self.kills += 1
                self.boot()
                if isinstance(event, AddPod):
                    event = self.sandbox(event.pod)

    def sandbox(self, pod: PodId) -> AddPod:
        self.containers += 1
        return AddPod(pod, f"c{self.containers}")

    def do(self, action: str, name: str, number: int) -> None:
        """One thing happens in the cluster."""
        pod, runtime = PodId("default", name), self.site.runtime.running
        match action:
            case "add" if pod not in runtime:
                if self.store.get(f"/vnf-agent/contiv-ksr/k8s/pod/{name}/namespace/default") is None:
                    put(self.store, Pod(name=name, namespace="default"))
                answer = self.cni(self.sandbox(pod))
                runtime[pod] = RunningPod(pod, f"c{self.containers}", "", answer.address)  # type: ignore[attr-defined]
            case "delete" if pod in runtime:
                self.cni(DeletePod(pod, runtime[pod].container))
                del runtime[pod]
            case "report" if pod in runtime:
                put(self.store, Pod(name=name, namespace="default", ip_address=runtime[pod].address))
            case "forget":
                drop(self.store, Pod(name=name, namespace="default"))
            case "service":
                put(self.store, Service(name=name, namespace="default", cluster_ip=f"10.96.0.{number}"))
            case "no service":
                drop(self.store, Service(name=name, namespace="default"))
            case "peer":
                put(self.store, node_record(number, f"node-{number}", f"192.168.16.{number}/24"))
            case "no peer":
                drop(self.store, node_record(number, f"node-{number}"))
        self.pump()

    def unique(self) -> None:
        """No address is that of two pods, neither in the runtime's eyes nor in IPAM's."""
        running = [pod.address for pod in self.site.runtime.running.values()]
        assert len(set(running)) == len(running)
        node = self.site.running.node
        assert node is not None and not node.ipam.conflicts()
        given = node.ipam.allocations()
        assert len(set(given.values())) == len(given)
        for pod in self.site.runtime.running.values():
            assert given[pod.pod] == pod.address == node.pods[pod.pod].address

    def untouched(self) -> Site:
        """What an agent makes of all this that was never killed and has a dataplane of its own."""
        site = Site(self.store, clock=Clock())
        site.runtime = Runtime(dict(self.site.runtime.running))
        site.agent().run_pending()
        return site


def live(seed: int) -> None:
    """A random history with a few kills."""
    rng = random.Random(seed)
    world = World(fresh_dataplane=rng.random() < 0.3)
    world.fuse.light(rng.randint(1, 20), rng.random() < 0.5)
    actions = rng.randint(10, 40)
    while actions > 0 or world.kills < 2:
        actions -= 1
        world.do(rng.choice(ACTIONS), rng.choice(NAMES), rng.randint(2, 4))
        world.unique()
        if world.fuse.left is None:
            world.fuse.light(rng.randint(1, 20), rng.random() < 0.5)
    world.fuse.left = None
    world.site.later(60)
    world.pump()
    untouched = world.untouched()
    agent = world.site.running
    assert set(agent.wanted) == set(untouched.running.wanted)
    assert set(world.site.backend.items.values()) == set(untouched.backend.items.values())
    assert not world.site.backend.violations and not agent._scheduler.verify()
    assert agent.node is not None and agent.node.id == 1 == untouched.running.node.id  # type: ignore[union-attr]


@pytest.mark.parametrize("seed", range(10))
def test_killed_anywhere(seed: int) -> None:
    live(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 210))
def test_killed_anywhere_often(seed: int) -> None:
    live(seed)


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_every_operation_of_a_start(after: bool) -> None:
    """Also between the claim of the id and its publication, and between the sweeps of an old dataplane."""
    for at in range(1, 200):
        store, fuse = EmbeddedStore(), Fuse()
        put(store, node_record(1, "other"), Service(name="s", namespace="default", cluster_ip="10.96.0.1"))
        site = Site(FusedStore(store, fuse), backend=FusedBackend(fuse))  # type: ignore[arg-type]
        fuse.light(at, after)
        site.agent()
        try:
            site.running.run_pending()
        except Killed:
            fuse.burnt = False
            site.agent()
            site.running.run_pending()
        else:
            assert at > 30
            break
        assert site.running.node is not None and site.running.node.id == 2
        assert [e.value["name"] for e in store.list(NODE_IDS).entries] == ["other", "node-1"]
        assert set(site.backend.items) == {i.key for i in site.running.wanted} and not site.backend.violations
    else:
        raise AssertionError("it was killed every time")
