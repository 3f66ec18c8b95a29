"""A simulated node: an engine, the agent that keeps it, the containers that run there, and the node's own host."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Any
from zlib import crc32

from vectorplane.backends.engine.backend import EngineBackend
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.network import Network
from vectorplane.backends.engine.sim_host.sim_host import SimHost
from vectorplane.backends.engine.sim_nic import SimNic
from vectorplane.control.cluster import names
from vectorplane.control.cluster.agent.agent import Agent
from vectorplane.control.cluster.agent.errors import AgentError, EventFailed, QueueFull
from vectorplane.control.cluster.agent.event import AddPod, DeletePod
from vectorplane.control.cluster.agent.handler import Handler
from vectorplane.control.cluster.agent.node_config import NodeConfig
from vectorplane.control.cluster.agent.wanted import Wanted
from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.ipnet import macs
from vectorplane.control.cluster.ipnet.ends import pod_end
from vectorplane.control.cluster.ipnet.handler import Ipnet
from vectorplane.control.cluster.kube.api.kubelet import KubeletError
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.policies.handler import Policies
from vectorplane.control.cluster.services.handler import Services
from vectorplane.control.cluster.settings import ClusterSettings
from vectorplane.control.cluster.simulated.containers import Containers
from vectorplane.control.cluster.simulated.forked_node import ForkedNode
from vectorplane.control.cluster.simulated.host_cables import HostCables
from vectorplane.control.cluster.simulated.own_host import own_host
from vectorplane.control.cluster.simulated.pod_host import pod_host
from vectorplane.control.cluster.simulated.wiring import SimWiring
from vectorplane.control.cluster.state import ClusterState
from vectorplane.control.cluster.store.store import Store
from vectorplane.control.cluster.this_node import ThisNode
from vectorplane.control.debug_cli.backend_lines import backend_lines
from vectorplane.control.debug_cli.cli import DebugCli
from vectorplane.control.scheduler import Scheduler

log = logging.getLogger(__name__)

NIC = "GigabitEthernet0/8/0"
_SECOND = 1_000_000_000
_BUFFERS = 4096


class SimNode:
    """A `ClusterNode` in this process, in this network. ``management``: its host's address in Kubernetes.

    A life of engine and agent is from `start` to `kill`. ``containers``: what runs there already.
    """

    def __init__(
        self,
        name: str,
        settings: ClusterSettings,
        store: Store,
        management: Ip,
        seed: int,
        network: Network,
        containers: Containers | None = None,
    ) -> None:
        self.name, self.management = name, management
        self.containers = containers or Containers(name)
        self._settings, self._store, self._seed, self._network = settings, store, seed, network
        self._engine: Engine | None = None
        self._cables = HostCables(network)
        self.host: SimHost | None = None
        """The node's host; it is there as soon as the node's number is known."""

    # --- its life

    def start(self, now: int) -> None:
        """A new engine and a new agent, at this time (ns). What the store and the containers say comes back."""
        engine = Engine(clock="virtual", buffers=_BUFFERS, seed=self._seed)
        engine.advance(now)
        self._engine = engine
        self.backend = EngineBackend(engine, cli=backend_lines(DebugCli(engine)))
        self._network.add_engine(engine)
        self._make_agent()

    def restart_agent(self) -> None:
        """The agent dies and comes back; the engine goes on with what it has."""
        self._make_agent()

    def _make_agent(self) -> None:
        self.scheduler = Scheduler(self.backend, clock=lambda: self.engine.now / _SECOND)
        self.policies: Policies | None = None

        def policies(node: ThisNode, state: ClusterState, wanted: Wanted) -> Handler:
            self.policies = Policies(node, state, wanted)
            return self.policies

        self.agent = Agent(
            self.name,
            self._settings,
            self._store,
            self.scheduler,
            SimWiring(),
            self.containers,
            handlers=[Ipnet, Services, policies],
            pod_mac=macs.pod_end,
            config=NodeConfig(nic=NIC, mac=_card_address(self.name), host_addresses=(self.management,)),
        )

    def kill(self) -> None:
        """The engine and the agent are no more."""
        if self._engine is not None:
            self._cables.sync(())
            self._network.remove_engine(self._engine)
            self._engine.close()
            self._engine = None

    @property
    def down(self) -> str:
        """Empty: it runs."""
        return "" if self._engine is not None else f"node {self.name} does not run"

    @property
    def engine(self) -> Engine:
        """Its engine. Raises RuntimeError: it does not run."""
        if self._engine is None:
            raise RuntimeError(self.down)
        return self._engine

    # --- its agent

    def pump(self) -> bool:
        """Have the agent deal with all that waits; an agent that ends is started again."""
        try:
            busy = self.agent.run_pending()
        except AgentError as error:
            log.error("the agent of %s has ended and is started again: %s", self.name, error)
            self.restart_agent()
            busy = True
        self._plug()
        return busy

    def next_time(self) -> float | None:
        """When the agent has something to do by itself."""
        return self.agent.next_time()

    @property
    def number(self) -> int | None:
        """Its id; None: it has none yet."""
        return None if self.agent.node is None else self.agent.node.id

    @property
    def address(self) -> IPv4Address | None:
        """Of its card."""
        nic = None if self.agent.node is None else self.agent.node.nic
        found = None if nic is None or nic.address is None else nic.address.ip
        return found if isinstance(found, IPv4Address) else None

    @property
    def pod_subnet(self) -> str | None:
        """Where its pods are."""
        return None if self.agent.node is None else str(self.agent.node.ipam.pod_subnet.network)

    def items(self) -> int:
        """How many items the agent wants the dataplane to hold."""
        return sum(1 for _ in self.agent.wanted)

    def history(self, count: int) -> list[dict[str, Any]]:
        """The last events of its agent (`EventRecord.json`), oldest first."""
        return [record.json() for record in list(self.agent.history)[-count:]]

    # --- its pods

    def run(self, pod: Pod) -> Ip:
        """Start a pod, and connect it as CNI would. Raises KubeletError."""
        identity = PodId(pod.namespace, pod.name)
        sandbox = self.containers.sandboxes.get(identity) or self.containers.make(identity)
        try:
            result = self.agent.push_and_wait(AddPod(identity, sandbox.container))
        except (EventFailed, AgentError, QueueFull) as error:
            self.containers.remove(identity)
            raise KubeletError(str(error)) from None
        address: Ip = result.address
        sandbox.address, sandbox.spec, sandbox.host = address, pod, None
        self._plug()
        return address

    def stop(self, pod: PodId) -> None:
        """End a pod. Raises KubeletError."""
        sandbox = self.containers.sandboxes.get(pod)
        if sandbox is None:
            return
        try:
            self.agent.push_and_wait(DeletePod(pod, sandbox.container))
        except (EventFailed, AgentError, QueueFull) as error:
            raise KubeletError(str(error)) from None
        self.containers.remove(pod)
        self._plug()

    # --- its links

    def port(self, name: str) -> SimNic | None:
        """The simulated card of an interface; None: there is none of that name (now)."""
        index = self.engine.plane.interfaces.by_name.get(name)
        device = None if index is None else self.engine.interfaces[index].device
        return device if isinstance(device, SimNic) else None

    def nic(self) -> SimNic | None:
        """The port of its card."""
        return None if self._engine is None else self.port(NIC)

    def nic_mac(self) -> bytes | None:
        """Its card's address."""
        index = self.engine.plane.interfaces.by_name.get(NIC)
        return None if index is None else self.engine.interfaces[index].mac

    def hosts(self) -> Iterator[tuple[str, SimHost]]:
        """What is at the other end of its links: the interface, and the host there."""
        node = self.agent.node
        if node is None:
            return
        if self.host is None:
            self.host = own_host(node, self.management)
        yield names.HOST_LINK, self.host
        for pod in node.pods.values():
            sandbox = self.containers.sandboxes.get(pod.id)
            if sandbox is None or sandbox.spec is None:
                continue
            if sandbox.host is None:
                sandbox.host = pod_host(pod_end(node, pod), sandbox.spec, self.name)
            yield pod.interface, sandbox.host

    def _plug(self) -> None:
        """Join hosts and links as they are now. Cables stay where they are while an agent only begins."""
        if self.agent.node is None:
            self._cables.sync(end for end in self._cables.ends() if self.port(end[0]) is end[1])
            return
        found = ((interface, self.port(interface), host) for interface, host in self.hosts())
        self._cables.sync((interface, port, host) for interface, port, host in found if port is not None)

    def sender(self, pod: PodId | None) -> tuple[SimHost, str] | None:
        """A pod's host, or (None) the node's own, and the interface that it is linked to."""
        if self.agent.node is None:
            return None
        if pod is None:
            return None if self.host is None else (self.host, names.HOST_LINK)
        local, sandbox = self.agent.node.pods.get(pod), self.containers.sandboxes.get(pod)
        return None if local is None or sandbox is None or sandbox.host is None else (sandbox.host, local.interface)

    def host_at(self, interface: str) -> str | None:
        """The name of the host that is linked to an interface."""
        return next((host.name for name, host in self.hosts() if name == interface), None)

    def pod_at(self, interface: str) -> PodId | None:
        """Whose link it is."""
        pods = () if self.agent.node is None else self.agent.node.pods.values()
        return next((pod.id for pod in pods if pod.interface == interface), None)

    def label(self, interface: str) -> str:
        """What people call an interface: whose link it is."""
        pod = self.pod_at(interface)
        if pod is not None:
            return f"the link of pod {pod}"
        return "the link of its host" if interface == names.HOST_LINK else interface

    # --- what it is asked

    def cli(self, line: str) -> str:
        """A line of the debug CLI. Raises BackendError: it failed; RuntimeError: the node does not run."""
        if self.down:
            raise RuntimeError(self.down)
        return self.backend.cli(line)

    def counts(self) -> Counter[str]:
        """Packets of each interface, and errors, by their texts."""
        counters = self.backend.counters()
        found: Counter[str] = Counter()
        for row in counters["interfaces"]:
            for what in ("rx", "tx"):
                found[f"{row['name']} {what}"] += row[f"{what}_packets"]
        for text, count in counters["errors"].items():
            found[text] += count
        return found

    def copy(self) -> ForkedNode:
        """A copy of it as it is now. Raises CopyError."""
        return ForkedNode(self)


def _card_address(node: str) -> str:
    """Of a node's card: no two nodes have the same."""
    return (b"\x02\xca" + crc32(node.encode()).to_bytes(4, "big")).hex(":")
