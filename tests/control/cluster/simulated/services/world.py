"""A cluster whose hosts say who serves and who asked, and an oracle of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from tests.control.cluster.simulated.clusters import cluster
from tests.naive.service_balance import NaiveNode, NaiveServices
from tests.naive.service_ways import Client, NaiveWays
from vectorplane.backends.engine.sim_host.probe import Probe, ProbeState
from vectorplane.backends.engine.sim_host.services import Answer
from vectorplane.backends.engine.sim_host.sim_host import SimHost
from vectorplane.control.cluster.kube.manifests.read import parse
from vectorplane.control.cluster.kube.model.base import KubeObject
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.model.services import Service
from vectorplane.control.cluster.settings import ClusterSettings
from vectorplane.control.cluster.simulated.cluster import Cluster
from vectorplane.control.cluster.simulated.node import SimNode
from vectorplane.control.cluster.state import ClusterState

WEB, DNS = 8080, 5353
"""Where backends serve."""
OUTSIDE = "192.168.16.254"
_SECOND = 1_000_000_000


def objects(*made: dict[str, Any]) -> list[KubeObject]:
    """Manifests, read."""
    listed = {"apiVersion": "v1", "kind": "List", "items": made}
    return [m.object for m in parse(json.dumps(listed), "test.json").manifests]


def pod(name: str, node: str, *, serves: bool = True, of_host: bool = False, **labels: str) -> dict[str, Any]:
    """A pod on a node, which serves at the ports ``web`` and ``dns``, or at none; ``of_host``: in its network."""
    ports = [
        {"name": "web", "containerPort": WEB},
        {"name": "dns-tcp", "containerPort": DNS},
        {"name": "dns", "containerPort": DNS, "protocol": "UDP"},
    ]
    box = {"name": "box", "image": "box", **({"ports": ports} if serves else {})}
    spec = {"nodeName": node, "hostNetwork": of_host, "containers": [box]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}


def service(name: str, kind: str = "ClusterIP", *, ports: Any = None, ingress: str = "", **spec: Any) -> dict[str, Any]:
    """A service with the ports 80/TCP, and 53/TCP and 53/UDP as DNS has; others with ``ports``."""
    usual = [
        {"name": "web", "port": 80, "targetPort": "web"},
        {"name": "dns-tcp", "port": 53, "targetPort": "dns-tcp"},
        {"name": "dns", "port": 53, "targetPort": "dns", "protocol": "UDP"},
    ]
    made = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}}
    status = {"loadBalancer": {"ingress": [{"ip": ingress}]}} if ingress else {}
    return {**made, "spec": {"type": kind, "ports": ports or usual, **spec}, "status": status}


def endpoints(name: str, *addresses: str) -> dict[str, Any]:
    """Given by hand, for a service without a selector."""
    ports = [("web", WEB, "TCP"), ("dns-tcp", DNS, "TCP"), ("dns", DNS, "UDP")]
    subset = {
        "addresses": [{"ip": a} for a in addresses],
        "ports": [{"name": n, "port": p, "protocol": proto} for n, p, proto in ports],
    }
    return {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": name}, "subsets": [subset]}


@dataclass
class Ask:
    """A try: who asks what, and what became of it."""

    client: Client
    destination: str
    port: int
    proto: str
    probe: Probe

    @property
    def served(self) -> tuple[str, int] | None:
        """Address and port of who served; None: nobody did."""
        return self._said()[0]

    @property
    def seen(self) -> str:
        """Whom the server saw."""
        return self._said()[1]

    def _said(self) -> tuple[tuple[str, int] | None, str]:
        if self.probe.state is not ProbeState.ANSWERED or not self.probe.answer:
            return None, ""
        address, port, seen = self.probe.answer.decode().split()
        return (address, int(port)), seen

    def __str__(self) -> str:
        return f"{self.client} to {self.destination}:{self.port}/{self.proto}: {self.probe}, {self.probe.answer!r}"


def says(address: str, port: int, heard: dict[bytes, str]) -> Answer:
    """An answer that tells who gives it and who asked, when the question is complete; what is not is noted."""

    def answer(request: bytes, client: tuple[IPv4Address, int]) -> bytes | None:
        if b"?" in request:
            return f"{address} {port} {client[0]}\n".encode()
        heard[request] = address
        return None

    return answer


class World:
    """``made``: the cluster. Pods that serve, hosts of nodes and the outside tell who they are."""

    def __init__(self, made: Cluster) -> None:
        self.made = made
        self._told: set[int] = set()
        self._heard: dict[bytes, str] = {}
        """By the beginning of a question the backend that it has reached."""
        self.refresh()

    def apply(self, *manifests: dict[str, Any]) -> None:
        """Bring these in."""
        refused = [str(a.error) for a in self.made.apply(objects(*manifests)) if a.error is not None]
        assert not refused, refused
        self.refresh()

    def delete(self, *manifests: dict[str, Any]) -> None:
        """Take these away."""
        assert not [a.error for a in self.made.delete(objects(*manifests)) if a.error is not None]
        self.refresh()

    def ready(self, **pods: bool) -> None:
        """Pods are ready, or not any more."""
        for name, ready in pods.items():
            self.made.kube.set_ready(name, ready)
        self.made.settle()
        self.refresh()

    def refresh(self) -> None:
        """Follow what the store says, for the oracle; new hosts tell who they are."""
        made, self.state = self.made, ClusterState()
        self.state.load(made.store.list("").entries)
        self.nodes = [
            NaiveNode(
                name,
                (str(node.address), str(node.management)),
                f"10.1.{node.number}.0/24",
                f"10.1.{node.number}.254",
                (f"172.30.{node.number}.2",),
            )
            for name, node in self.running().items()
        ]
        for node in self.running().values():
            assert node.host is not None
            self._tell(node.host, str(node.management))
            for sandbox in node.containers.sandboxes.values():
                found = made.kube.get(Pod, sandbox.pod.name)
                if sandbox.host is not None and found is not None and found.ports:
                    self._tell(sandbox.host, str(sandbox.address))
        self._tell(made.outside, OUTSIDE)
        self.ways = NaiveWays(
            NaiveServices(self.state.services.values(), self.state.endpoints.values(), self.nodes), self.nodes
        )

    def running(self) -> dict[str, SimNode]:
        """The nodes; all are in this process."""
        return {name: node for name, node in self.made.nodes.items() if isinstance(node, SimNode)}

    def _tell(self, host: SimHost, address: str) -> None:
        if id(host) in self._told:
            return
        self._told.add(id(host))
        for services in (host.tcp.services, host.udp.services):
            if services.at(9) is not None:
                services.close(None)  # nobody else is taken for a backend
            for port in (WEB, DNS):
                services.open(port, says(address, port, self._heard))

    # --- who asks

    def pod(self, name: str) -> Client:
        """A pod."""
        found = self.made.kube.get(Pod, name)
        assert found is not None and found.address is not None, name
        return Client(str(found.address), found.spec.nodeName)

    def host(self, node: str) -> Client:
        """A node's host."""
        return Client(f"172.30.{self.made.nodes[node].number}.2", node)

    def outside(self, by: str) -> Client:
        """The outside, by a node."""
        return Client(OUTSIDE, by=by)

    def sim_host(self, client: Client) -> SimHost:
        """Its host."""
        if not client.node:
            return self.made.outside
        node = self.running()[client.node]
        for _, host in node.hosts():
            if str(host.addresses[0].ip) == client.address:
                return host
        raise AssertionError(client)

    # --- what it asks

    def ask(
        self,
        client: Client,
        destination: str,
        port: int,
        proto: str = "TCP",
        sport: int | None = None,
        *,
        question: bytes = b"who is there?",
        patience: int = 3,
    ) -> Ask:
        """Begin a try. ``patience``: seconds that a connection may take."""
        host = self.sim_host(client)
        if not client.node:
            first = self.made.nodes[client.by].address
            if IPv4Address(destination) not in host.addresses[0].network:
                host.add_route(f"{destination}/32", str(first))
        if proto == "TCP":
            probe = host.connect(destination, port, question, sport, timeout=patience * _SECOND)
        else:
            probe = host.send_udp(destination, port, question, sport)
        return Ask(client, destination, port, proto, probe)

    def begin(self, *questions: tuple[Client, str, int]) -> list[Ask]:
        """Connections that are established, and whose questions are not complete."""
        begun = [self.ask(*q, question=b"%d: who is " % n, patience=30) for n, q in enumerate(questions)]
        self._heard.clear()
        self.made.advance(4)
        assert not [str(a) for a in begun if a.probe.done]
        return begun

    def reached(self, number: int) -> str:
        """The address of the backend that question has reached, of those that were begun last."""
        return self._heard[b"%d: who is " % number]

    def gone_on(self, begun: Iterable[Ask]) -> list[bool]:
        """The rest of the questions: whether each is answered as if nothing had happened."""
        asked = list(begun)
        for a in asked:
            if not a.probe.done:
                self.sim_host(a.client).send_more(a.probe, b"there?")
        self.wait(asked)
        return [a.served is not None and not self.judge(a) for a in asked]

    def wait(self, asks: Iterable[Ask]) -> list[Ask]:
        """Until all are over."""
        waited = list(asks)
        self.made.wait_for(*(a.probe for a in waited))
        return waited

    def meet(self) -> None:
        """Everybody knows their neighbours: a router drops the first packet to one that it does not know."""
        nodes = [Client(f"172.30.{n.number}.2", name) for name, n in self.made.nodes.items()]
        pods = [str(p.address) for p in self.made.kube.list_of(Pod) if p.address is not None]
        for _ in range(2):
            hosts = [self.sim_host(c) for c in nodes]
            probes = [h.ping(a) for h in hosts for a in (*pods, *(n.addresses[0] for n in self.nodes), OUTSIDE)]
            probes += [self.made.outside.ping(n.addresses[0]) for n in self.nodes]
            self.made.wait_for(*probes)

    def one(self, client: Client, destination: str, port: int, proto: str = "TCP", sport: int | None = None) -> Ask:
        """A try, over."""
        return self.wait([self.ask(client, destination, port, proto, sport)])[0]

    def judge(self, asked: Ask) -> str:
        """What is wrong with how it came out; empty: nothing."""
        expected = self.ways.connect(asked.client, asked.destination, asked.port, asked.proto)
        served, may = asked.served, expected.seen_by
        if served is None:
            return "" if expected.may_be_lost else f"{asked}: expected one of {may}"
        if served not in may:
            return f"{asked}: expected one of {may}"
        if may[served] != asked.seen:
            return f"{asked}: the backend was to see {may[served]}"
        if str(asked.probe.source) != asked.destination or asked.probe.source_port not in (0, asked.port):
            return f"{asked}: the answer came from {asked.probe.source}:{asked.probe.source_port}"
        return ""

    # --- services

    def kube_service(self, name: str) -> Service:
        """A service as Kubernetes has it, with what it was given."""
        found = self.made.kube.get(Service, name)
        assert found is not None
        return found

    def cluster_ip(self, name: str) -> str:
        """Its cluster IP."""
        return self.kube_service(name).cluster_ip

    def node_port(self, name: str, port: str = "web") -> int:
        """Its node port."""
        return next(p.nodePort for p in self.kube_service(name).spec.ports if p.name == port)


@contextmanager
def world(*manifests: dict[str, Any], nodes: int = 3, settings: ClusterSettings | None = None) -> Iterator[World]:
    """A cluster with nodes node-1, node-2 ..."""
    with cluster(nodes=nodes, settings=settings) as made:
        built = World(made)
        built.apply(*manifests)
        yield built
