"""What starts and ends pods on simulated nodes."""

from __future__ import annotations

from collections.abc import Mapping

from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.kube.api.kubelet import KubeletError
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.simulated.cluster_node import ClusterNode, NodeDown


class SimKubelet:
    """A `Kubelet` for all nodes."""

    def __init__(self, nodes: Mapping[str, ClusterNode]) -> None:
        self._nodes = nodes

    def run(self, node: str, pod: Pod) -> Ip:
        """Start a pod. Raises KubeletError."""
        try:
            return self._node(node).run(pod)
        except NodeDown as error:
            raise KubeletError(str(error)) from None

    def stop(self, node: str, pod: PodId) -> None:
        """End a pod. Raises KubeletError."""
        try:
            self._node(node).stop(pod)
        except NodeDown as error:
            raise KubeletError(str(error)) from None

    def _node(self, name: str) -> ClusterNode:
        node = self._nodes.get(name)
        if node is None:
            raise KubeletError(f"node {name} does not run")
        return node
