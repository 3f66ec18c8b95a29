"""The seam between the API and the nodes: how a pod is started and ended there."""

from __future__ import annotations

from typing import Protocol

from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.kube.model.pods import Pod


class KubeletError(Exception):
    """The node did not do it; it is asked again later. The text says why."""


class Kubelet(Protocol):
    """What starts and ends pods on nodes: the container runtime and, by CNI, the node's agent."""

    def run(self, node: str, pod: Pod) -> Ip:
        """Start a pod on a node and connect it. Gives its address. Not for pods in their host's network.

        Raises:
            KubeletError: it does not run, nothing is left of the attempt.
        """
        ...

    def stop(self, node: str, pod: PodId) -> None:
        """End a pod. It may be asked of one that is not there.

        Raises:
            KubeletError: it may still be there.
        """
        ...
