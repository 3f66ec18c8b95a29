"""The cluster: Kubernetes' stand-in, the store, the nodes, and the network between them, in one virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

from vectorplane.backends.engine.network import Network
from vectorplane.backends.engine.sim_host.probe import Probe
from vectorplane.backends.engine.sim_host.settle import any_left
from vectorplane.backends.engine.sim_host.sim_host import SimHost
from vectorplane.control.cluster.ipam.check import pools_of
from vectorplane.control.cluster.keys import NODE_IDS, REFLECTED
from vectorplane.control.cluster.kube.api.cluster import Answer, KubeCluster
from vectorplane.control.cluster.kube.model.base import KubeObject, Metadata, Ref
from vectorplane.control.cluster.kube.model.nodes import Node, NodeAddress, NodeStatus
from vectorplane.control.cluster.kube.model.services import Service
from vectorplane.control.cluster.kube.records.source import Records
from vectorplane.control.cluster.kube.reflector import Reflector
from vectorplane.control.cluster.settings import ClusterSettings
from vectorplane.control.cluster.simulated.cables import Cables
from vectorplane.control.cluster.simulated.cluster_node import ClusterNode, NodeDown
from vectorplane.control.cluster.simulated.kubelet import SimKubelet
from vectorplane.control.cluster.simulated.node import SimNode
from vectorplane.control.cluster.simulated.remote.node import RemoteNode
from vectorplane.control.cluster.simulated.wire import Wire
from vectorplane.control.cluster.state import ClusterState
from vectorplane.control.cluster.store.store import Store
from vectorplane.dataplane.abi import NEVER

OUTSIDE = "outside"
MANAGEMENT = IPv4Network("10.20.0.0/16")
"""Where nodes' hosts have the addresses that Kubernetes knows them by, unless their manifests say others."""
_SECOND = 1_000_000_000
_STEP = 1_000_000
"""ns; see `Cluster.wait_until`."""
_ROUNDS = 10_000


class Cluster:
    """Everything is done when it is asked for, by the caller's thread; `advance` lets time go by.

    ``captures``: a folder where each node's traffic on the wire is written. ``processes``: each node has a process of
    its own, which ends with the thread that made it; nothing else is different. The settings need addresses for the
    nodes (``ipam.node_interconnect_cidr``).

    Raises:
        IpamError: a mistake in the settings.
    """

    def __init__(
        self,
        settings: ClusterSettings,
        store: Store,
        *,
        seed: int = 1,
        captures: Path | None = None,
        processes: bool = False,
    ) -> None:
        self.settings, self.store = settings, store
        pools_of(settings.ipam)
        self._seed, self._processes = seed, processes
        self.nodes: dict[str, ClusterNode] = {}
        self.kube = KubeCluster(settings.ipam.service_cidr, SimKubelet(self.nodes))
        self.kube.were_at(_places(store))
        self._wire = Wire(seed)
        self.network = Network([self._wire.engine])
        self._reflector = Reflector(store, Records(self.kube.objects), lambda: self.now / _SECOND)
        self._cables = Cables(self.network, self._wire, captures)
        self.outside = self._make_outside()
        self._cables.attach(self.outside)

    @property
    def now(self) -> int:
        """Virtual time, ns."""
        return self.network.agenda.now

    def close(self) -> None:
        """Release everything."""
        for node in self.nodes.values():
            self._cables.forget(node.name)
            node.kill()
        self._wire.close()

    # --- what is in it

    def apply(self, objects: Iterable[KubeObject]) -> list[Answer]:
        """Create or change objects, and bring the cluster there."""
        answers = self.kube.apply_all(objects)
        self.settle()
        return answers

    def delete(self, objects: Iterable[KubeObject]) -> list[Answer]:
        """Delete objects, and bring the cluster there."""
        answers = self.kube.delete_all(objects)
        self.settle()
        return answers

    def add_nodes(self, count: int) -> None:
        """Nodes called node-1, node-2 ... until there are so many."""
        number = 0
        while sum(1 for _ in self.kube.objects.all(Node)) < count:
            number += 1
            if self.kube.get(Node, f"node-{number}") is None:
                self.kube.apply(Node(metadata=Metadata(name=f"node-{number}")))
        self.settle()

    def settle(self) -> None:
        """Do all that follows from what has happened, until there is nothing left to do; no time goes by.

        Raises:
            RuntimeError: it does not end (a mistake of this program).
        """
        for _ in range(_ROUNDS):
            self._sync_nodes()
            busy = self.kube.reconcile()
            busy = self._reflect() or busy
            for node in self._running():
                busy = _unless_it_dies(node.pump) or busy
            self._cables.sync(self.nodes.values())
            if not busy:
                self._tell_outside()
                return
        raise RuntimeError(f"the cluster is not at rest after {_ROUNDS} rounds")

    # --- time

    def advance(self, seconds: float) -> None:
        """Let time go by: packets, timers, agents that try again."""
        end = self.now + round(seconds * _SECOND)
        while True:
            self.settle()
            times = [self._reflector.due(), *(node.next_time() for node in self._running())]
            due = [at for at in times if at is not None]
            stop = min(end, max(round(min(due) * _SECOND), self.now + 1) if due else end)
            self.network.run_until(stop)
            if stop >= end:
                self.settle()
                return

    def wait_for(self, *probes: Probe) -> None:
        """Let time go by until these have come to their ends."""
        left = any_left(probes)
        self.wait_until(lambda: not left())

    def wait_until(self, done: Callable[[], bool]) -> None:
        """Let time go by, in whole steps of it, until it is so, or there is nothing left to happen.

        Steps: the nodes do not stand at the same time within one, and how far they are apart depends on where they run.
        """
        while not done():
            self.network.wake()
            due = self.network.due()
            if due == NEVER:
                return
            self.network.run_until((max(due, self.now) // _STEP + 1) * _STEP)

    # --- accidents

    def kill(self, name: str) -> None:
        """A node's engine and agent die, and come back at once with what the store and its containers say."""
        node = self.nodes[name]
        self._cables.forget(name)
        node.kill()
        node.start(self.now)
        self.settle()

    def kill_agent(self, name: str) -> None:
        """A node's agent dies, and comes back; the engine goes on with what it has."""
        self.nodes[name].restart_agent()
        self.settle()

    # --- inner works

    def _make_outside(self) -> SimHost:
        """A host on the wire that plays all the rest of the world, and is the nodes' gateway if they have one."""
        interconnect = self.settings.ipam.node_interconnect_cidr
        if not isinstance(interconnect, IPv4Network):
            raise ValueError("node_interconnect_cidr: a simulated cluster needs IPv4 addresses for its nodes")
        gateway = self.settings.ipam.default_gateway
        if not isinstance(gateway, IPv4Address) or gateway not in interconnect:
            gateway = interconnect.broadcast_address - 1
        host = SimHost(OUTSIDE, IPv4Interface((gateway, interconnect.prefixlen)), answers_all=True)
        host.serve_tcp()
        host.serve_udp()
        host.serve_sctp()
        return host

    def _tell_outside(self) -> None:
        """The world reaches services' external addresses by the first node; without an overlay pods by their nodes."""
        hops = {node.name: str(node.address) for node in self._running() if node.address is not None}
        for node in self._running():
            if self.settings.transport == "noOverlay" and node.name in hops and node.pod_subnet is not None:
                self.outside.add_route(node.pod_subnet, hops[node.name])
        first = next(iter(hops.values()), None)
        if first is None:
            return
        for service in self.kube.objects.all(Service):
            ingress = (i.ip for i in service.status.loadBalancer.ingress if i.ip is not None)
            for address in (*service.spec.externalIPs, *ingress):
                if isinstance(address, IPv4Address):
                    self.outside.add_route(f"{address}/32", first)

    def _sync_nodes(self) -> None:
        """Nodes of Kubernetes that have come and gone."""
        wanted = {node.name: node for node in self.kube.objects.all(Node)}
        for name in [name for name in self.nodes if name not in wanted]:
            self._remove(name)
        for name, node in wanted.items():
            if name in self.nodes:
                continue
            management = node.management
            if management is None:
                management = self._free_management()
                address = NodeAddress(type="InternalIP", address=str(management))
                status = NodeStatus(addresses=(*node.status.addresses, address))
                self.kube.objects.put(node.model_copy(update={"status": status}))
            kind = RemoteNode if self._processes else SimNode
            seed = self._seed + len(self.nodes)
            made = self.nodes[name] = kind(name, self.settings, self.store, management, seed, self.network)
            made.start(self.now)

    def _free_management(self) -> IPv4Address:
        taken = {node.management for node in self.kube.objects.all(Node)}
        return next(address for address in MANAGEMENT.hosts() if address not in taken)

    def _remove(self, name: str) -> None:
        """A node leaves the cluster for good: its number is free."""
        node = self.nodes.pop(name)
        self._cables.forget(name)
        node.kill()
        for entry in self.store.list(NODE_IDS).entries:
            if entry.value.get("name") == name:
                self.store.delete(entry.key)

    def _reflect(self) -> bool:
        """Write to the store what changed in Kubernetes; says whether anything did."""
        before = self._reflector.writes
        self._reflector.flush()
        return self._reflector.writes != before

    def _running(self) -> list[ClusterNode]:
        return [node for node in self.nodes.values() if not node.down]


def _places(store: Store) -> dict[Ref, str]:
    """On which nodes pods were, by the records of a cluster that was here before."""
    former = ClusterState()
    former.load(store.list(REFLECTED).entries)
    hosts = {address: node.name for node in former.nodes.values() for address in node.management}
    at = {pod.id: hosts.get(pod.host_ip_address) for pod in former.pods.values() if pod.host_ip_address is not None}
    return {Ref("Pod", pod.namespace, pod.name): node for pod, node in at.items() if node is not None}


def _unless_it_dies(work: Callable[[], bool]) -> bool:
    """Nothing comes of what a node dies of; it is down then, which it has told."""
    try:
        return work()
    except NodeDown:
        return False
