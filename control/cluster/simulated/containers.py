"""The container runtime of a simulated node: the pods that run there, whatever happens to its agent and engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from vectorplane.backends.engine.sim_host.sim_host import SimHost
from vectorplane.control.cluster.agent.runtime import RunningPod
from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.kube.model.pods import Pod


@dataclass
class Sandbox:
    """A pod that runs. ``address`` and ``spec``, what it is: None until it is connected. ``host``: made of them."""

    pod: PodId
    container: str
    address: Ip | None = None
    spec: Pod | None = None
    host: SimHost | None = None


class Containers:
    """A `Runtime` for the agent. ``node``: the node's name, which the ids of containers follow from.

    ``running`` and ``made``: what runs already, and how many were made up to now.
    """

    def __init__(self, node: str, running: Iterable[Sandbox] = (), made: int = 0) -> None:
        self.sandboxes: dict[PodId, Sandbox] = {each.pod: each for each in running}
        self.made = made
        self._node = node

    def make(self, pod: PodId) -> Sandbox:
        """A new sandbox for a pod, in place of the one that it had."""
        self.made += 1
        container = sha256(f"{self._node}/{pod}/{self.made}".encode()).hexdigest()
        made = self.sandboxes[pod] = Sandbox(pod, container)
        return made

    def remove(self, pod: PodId) -> None:
        """The pod runs no more."""
        self.sandboxes.pop(pod, None)

    def pods(self) -> Iterable[RunningPod]:
        """What an agent asks when it starts."""
        return [RunningPod(s.pod, s.container, address=s.address) for s in self.sandboxes.values()]
