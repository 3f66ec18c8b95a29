"""A cluster's store, runtimes and dataplanes in memory, and handlers as small as handlers can be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, ip_interface, ip_network
from typing import Any

from tests.control.cluster.driver import NIC, SimWiring
from tests.control.scheduler.fake_backend import FakeBackend
from vectorplane.backends.items import Interface, InterfaceAddress, Item, Path, Route, Table
from vectorplane.control.cluster.agent.agent import Agent
from vectorplane.control.cluster.agent.event import AddPod, DeletePod, Event, StateChange
from vectorplane.control.cluster.agent.node_config import NodeConfig
from vectorplane.control.cluster.agent.pods import AddResult
from vectorplane.control.cluster.agent.runtime import RunningPod
from vectorplane.control.cluster.agent.wanted import Wanted
from vectorplane.control.cluster.ipam.node_id import NodeRecord
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.ipam.settings import IpamSettings
from vectorplane.control.cluster.keys import key_of
from vectorplane.control.cluster.model.service import Service
from vectorplane.control.cluster.settings import ClusterSettings
from vectorplane.control.cluster.state import AnyRecord, ClusterState, value_of
from vectorplane.control.cluster.store.embedded import EmbeddedStore
from vectorplane.control.cluster.store.store import Store
from vectorplane.control.cluster.this_node import LocalPod, ThisNode
from vectorplane.control.scheduler import Scheduler

SETTINGS = ClusterSettings(ipam=IpamSettings(node_interconnect_cidr=ip_network("192.168.16.0/24")))


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Runtime:
    """A container runtime: it remembers what ADD answered."""

    running: dict[PodId, RunningPod] = field(default_factory=dict)

    def pods(self) -> Iterable[RunningPod]:
        return list(self.running.values())


class Links:
    """Links of pods, routes to them and to other nodes' pods."""

    name = "links"

    def __init__(self, node: ThisNode, state: ClusterState, wanted: Wanted) -> None:
        self.node, self.state, self.wanted = node, state, wanted
        self.calls: list[Any] = []
        self.fail: Exception | None = None
        self.reverted: list[Event] = []

    def resync(self) -> None:
        self._called("resync")
        nic = self.node.nic
        own: list[Item] = [Table(1)]
        if nic is not None:
            own.append(Interface(nic.name, "sim"))
            own += [InterfaceAddress(nic.name, nic.address)] if nic.address else []
        self.wanted.put("links/node", own)
        for pod in self.node.pods.values():
            self._pod(pod)
        for number in self.state.node_records:
            self._peer(number)

    def update(self, event: Event) -> str:
        self._called(event)
        match event:
            case AddPod(pod=pod):
                self._pod(self.node.pods[pod])
                return "connected"
            case DeletePod(pod=pod):
                self.wanted.drop(f"links/pod/{pod}")
                return "disconnected"
            case StateChange(changes=changes):
                numbers = [c.record.id for c in changes if c.kind is NodeRecord]
                for number in numbers:
                    self._peer(number)
                return f"peers {numbers}" if numbers else ""
        return ""

    def revert(self, event: Event) -> None:
        self.reverted.append(event)

    def _called(self, what: Any) -> None:
        self.calls.append(what)
        if self.fail is not None:
            raise self.fail

    def _pod(self, pod: LocalPod) -> None:
        prefix = IPv4Network(f"{pod.address}/32")
        link, route = Interface(pod.interface, "sim"), Route(prefix, (Path(interface=pod.interface),), 1)
        self.wanted.put(f"links/pod/{pod.id}", [link, route], f"pod {pod.id}")

    def _peer(self, number: int) -> None:
        record, unit = self.state.node_records.get(number), f"links/peer/{number}"
        if record is None or number == self.node.id or not record.ip_addresses or self.node.nic is None:
            self.wanted.drop(unit)
            return
        subnet = self.node.ipam.pools.pod_subnet(number).network
        hop = record.ip_addresses[0].ip
        self.wanted.put(unit, [Route(subnet, (Path(str(hop), self.node.nic.name),), 0)], f"node {number}")


class Vips:
    """A route for each service's address."""

    name = "vips"

    def __init__(self, node: ThisNode, state: ClusterState, wanted: Wanted) -> None:
        self.state, self.wanted = state, wanted
        self.fail: Exception | None = None
        self.order: list[str] = []
        self.reverted: list[Event] = []

    def resync(self) -> None:
        if self.fail is not None:
            raise self.fail
        for service in self.state.services.values():
            self._service(service)

    def update(self, event: Event) -> str:
        if self.fail is not None:
            raise self.fail
        if not isinstance(event, StateChange):
            return ""
        names = []
        for change in event.changes:
            if change.kind is Service:
                names.append(str(change.record.id))
                if change.new is None:
                    self.wanted.drop(f"vips/{change.old.id}")
                else:
                    self._service(change.new)
        return ", ".join(names)

    def revert(self, event: Event) -> None:
        self.reverted.append(event)

    def _service(self, service: Service) -> None:
        address = service.cluster_ip
        routes = [Route(IPv4Network(f"{address}/32"), (Path(interface=NIC),), 1)] if address else []
        self.wanted.put(f"vips/{service.id}", routes, f"service {service.id}")


def mac(container: str) -> str:
    """Not Contiv's formula, which is the business of the node's connectivity."""
    return f"02:fe:00:00:00:{len(container):02x}"


class Site:
    """A node: what outlives its agent (dataplane, runtime, clock), and the agents that come one after another."""

    def __init__(
        self, store: Store | None = None, name: str = "node-1", backend: Any = None, clock: Clock | None = None
    ) -> None:
        self.store = store if store is not None else EmbeddedStore()
        self.name, self.clock, self.runtime = name, clock or Clock(), Runtime()
        self.backend = FakeBackend() if backend is None else backend
        self.made: list[Any] = []

    def agent(self, **kwargs: Any) -> Agent:
        """A new agent of the node; the one before is forgotten."""
        self.made = []

        def noted(make: Any) -> Any:
            def made(*args: Any) -> Any:
                self.made.append(make(*args))
                return self.made[-1]

            return made

        kwargs.setdefault("handlers", [Links, Vips])
        kwargs["handlers"] = [noted(make) for make in kwargs["handlers"]]
        kwargs.setdefault("config", NodeConfig(NIC))
        kwargs.setdefault("settings", SETTINGS)
        kwargs.setdefault("wall", self.clock)
        kwargs.setdefault("scheduler", Scheduler(self.backend, clock=self.clock))
        self.running = Agent(
            self.name, store=self.store, wiring=SimWiring(), runtime=self.runtime, pod_mac=mac, **kwargs
        )
        return self.running

    def later(self, seconds: float) -> None:
        """Time passes, and the agent does what it has to."""
        end = self.clock.now + seconds
        while (at := self.running.next_time()) is not None and at <= end:
            self.clock.now = max(self.clock.now, at)
            self.running.run_pending()
            assert self.running.next_time() != at, "it would never come to an end"
        self.clock.now = end
        self.running.run_pending()

    def add(self, name: str, container: str = "", namespace: str = "default") -> AddResult:
        """CNI ADD; the runtime keeps the answer."""
        pod = PodId(namespace, name)
        container = container or f"c-{name}"
        answer: AddResult = self.running.push_and_wait(AddPod(pod, container))
        self.runtime.running[pod] = RunningPod(pod, container, "", answer.address)
        return answer

    def delete(self, name: str, container: str = "", namespace: str = "default") -> None:
        """CNI DEL."""
        pod = PodId(namespace, name)
        self.running.push_and_wait(DeletePod(pod, container))
        if pod in self.runtime.running and container in ("", self.runtime.running[pod].container):
            del self.runtime.running[pod]


def put(store: Store, *records: AnyRecord) -> None:
    """Write records."""
    for record in records:
        store.put(key_of(record), value_of(record))


def drop(store: Store, *records: AnyRecord) -> None:
    """Delete records."""
    for record in records:
        store.delete(key_of(record))


def node_record(number: int, name: str, *addresses: str) -> NodeRecord:
    """A node's record."""
    return NodeRecord(id=number, name=name, ip_addresses=tuple(map(ip_interface, addresses)))
