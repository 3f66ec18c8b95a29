"""A node in a process of its own, as the cluster sees it."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv4Address, ip_address
from typing import Any

from vectorplane.backends.engine.network import Network
from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.settings import ClusterSettings
from vectorplane.control.cluster.simulated.cluster_node import NodeDown
from vectorplane.control.cluster.simulated.containers import Containers, Sandbox
from vectorplane.control.cluster.simulated.remote.engine import RemoteEngine
from vectorplane.control.cluster.simulated.remote.host import RemoteHost
from vectorplane.control.cluster.simulated.remote.life import Birth, live
from vectorplane.control.cluster.simulated.remote.port import RemotePort
from vectorplane.control.cluster.simulated.remote.process import Process
from vectorplane.control.cluster.store.store import Store

_SECOND = 1_000_000_000


class RemoteNode:
    """A `ClusterNode`; the arguments are those of `SimNode`."""

    def __init__(
        self, name: str, settings: ClusterSettings, store: Store, management: Ip, seed: int, network: Network
    ) -> None:
        self.name, self.management = name, management
        self._settings, self._store, self._seed, self._network = settings, store, seed, network
        self._sandboxes: dict[PodId, Sandbox] = {}
        """What runs there, whatever becomes of the process."""
        self._made = 0
        self._engine: RemoteEngine | None = None
        self._pumped: int | None = None
        """The store's revision when the agent last had nothing more to do; None: it was given something since."""

    # --- its life

    def start(self, now: int) -> None:
        """See `ClusterNode.start`. Raises OSError: there can be no more processes."""
        running = [Sandbox(s.pod, s.container, s.address, s.spec) for s in self._sandboxes.values()]
        containers = Containers(self.name, running, self._made)
        birth = Birth(self.name, self._settings, self.management, self._seed, containers, now)
        self._engine = RemoteEngine(self.name, Process(lambda channel: live(channel, birth)), self._store, now)
        self._pumped = None
        self._network.add_engine(self._engine, first=True)

    def kill(self) -> None:
        """See `ClusterNode.kill`: the process is killed."""
        if self._engine is not None:
            self._engine.end(f"node {self.name} does not run")
            self._network.remove_engine(self._engine)
            self._engine = None

    @property
    def pid(self) -> int | None:
        """Of its process."""
        return None if self._engine is None else self._engine.process.pid

    @property
    def down(self) -> str:
        """See `ClusterNode`."""
        return f"node {self.name} does not run" if self._engine is None else self._engine.down

    def call(self, op: str, data: bytes = b"", **args: Any) -> Any:
        """See `RemoteEngine.call`."""
        if self._engine is None:
            raise NodeDown(self.down)
        result = self._engine.call(op, data, **args)
        self._made = self._engine.standing.get("made", self._made)
        return result

    def _fact(self, name: str) -> Any:
        return None if self._engine is None else self._engine.standing.get(name)

    # --- its agent

    def restart_agent(self) -> None:
        """See `ClusterNode`."""
        self._pumped = None
        self.call("restart_agent")

    def pump(self) -> bool:
        """See `ClusterNode`. The process is not asked when there can be nothing to do for the agent."""
        at = self.next_time()
        if self._pumped == self._store.revision() and (at is None or self._now / _SECOND < at):
            return False
        busy: bool = self.call("pump")
        self._pumped = self._store.revision()
        return busy

    @property
    def _now(self) -> int:
        return self._network.agenda.now

    def next_time(self) -> float | None:
        """See `ClusterNode`."""
        found: float | None = self._fact("next_time")
        return found

    @property
    def number(self) -> int | None:
        """See `ClusterNode`."""
        found: int | None = self._fact("number")
        return found

    @property
    def address(self) -> IPv4Address | None:
        """See `ClusterNode`."""
        found = self._fact("address")
        return None if found is None else IPv4Address(found)

    @property
    def pod_subnet(self) -> str | None:
        """See `ClusterNode`."""
        found: str | None = self._fact("pod_subnet")
        return found

    def items(self) -> int:
        """See `ClusterNode`."""
        found: int = self.call("items")
        return found

    # --- its pods

    def run(self, pod: Pod) -> Ip:
        """See `ClusterNode`."""
        self._pumped = None
        identity = PodId(pod.namespace, pod.name)
        told, container = self.call("run_pod", pod.model_dump_json(exclude_defaults=True).encode())
        address = ip_address(told)
        self._sandboxes[identity] = Sandbox(identity, container, address, pod)
        return address

    def stop(self, pod: PodId) -> None:
        """See `ClusterNode`."""
        self._pumped = None
        self.call("stop_pod", pod=list(pod))
        self._sandboxes.pop(pod, None)

    # --- its links

    def nic(self) -> RemotePort | None:
        """See `ClusterNode`."""
        return None if self._engine is None or self._engine.down else self._engine.port

    def nic_mac(self) -> bytes | None:
        """See `ClusterNode`."""
        found = self._fact("mac")
        return None if found is None else bytes.fromhex(found)

    def sender(self, pod: PodId | None) -> tuple[RemoteHost, str] | None:
        """See `ClusterNode`."""
        found = self.call("sender", pod=None if pod is None else list(pod))
        if found is None or self._engine is None:
            return None
        return RemoteHost(self._engine, pod, found[0]), found[1]

    def host_at(self, interface: str) -> str | None:
        """See `ClusterNode`."""
        found: str | None = self.call("host_at", interface=interface)
        return found

    def label(self, interface: str) -> str:
        """See `ClusterNode`."""
        found: str = self.call("label", interface=interface)
        return found

    # --- what it is asked

    def cli(self, line: str) -> str:
        """See `ClusterNode`."""
        found: str = self.call("cli", line=line)
        return found

    def history(self, count: int) -> list[dict[str, Any]]:
        """The last events of its agent."""
        found: list[dict[str, Any]] = self.call("history", count=count)
        return found

    def counts(self) -> Counter[str]:
        """See `ClusterNode`."""
        return Counter(self.call("counts"))

    def copy(self) -> RemoteCopy:
        """See `ClusterNode`."""
        return RemoteCopy(self)


class RemoteCopy:
    """A `NodeCopy`, which the node's process has made of itself. One at a time. Raises CopyError, NodeDown."""

    def __init__(self, node: RemoteNode) -> None:
        self._node = node
        node.call("copy")

    def hop(self, interface: str, frame: bytes) -> dict[str, Any]:
        """See `NodeCopy.hop`."""
        found: dict[str, Any] = self._node.call("hop", frame, interface=interface)
        return found

    def close(self) -> None:
        """See `NodeCopy.close`."""
        if not self._node.down:
            self._node.call("end_copy")
