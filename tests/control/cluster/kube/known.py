"""What the tests of this part share: a kubelet that can fail, and short ways to write objects."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Any

from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.kube.api.cluster import KubeCluster
from vectorplane.control.cluster.kube.api.kubelet import KubeletError
from vectorplane.control.cluster.kube.model.base import KubeObject
from vectorplane.control.cluster.kube.model.kinds import BY_KIND
from vectorplane.control.cluster.kube.model.pods import Pod

SERVICES = IPv4Network("10.96.0.0/24")


class FakeKubelet:
    """Gives addresses one after the other. ``broken``: nodes that do nothing; ``running``: what it runs, and where."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.running: dict[PodId, str] = {}
        self.left: set[PodId] = set()
        """Those that it failed to end: when their node goes, they are forgotten, and may be started elsewhere."""
        self._next = IPv4Address("10.1.0.2")

    def run(self, node: str, pod: Pod) -> IPv4Address:
        identity = PodId(pod.namespace, pod.name)
        if node in self.broken:
            raise KubeletError(f"{node} is broken")
        assert identity not in self.running or identity in self.left, f"{identity} is started twice"
        assert not pod.spec.hostNetwork
        self.running[identity] = node
        self.left.discard(identity)
        self._next += 1
        return self._next

    def stop(self, node: str, pod: PodId) -> None:
        if node in self.broken:
            self.left.add(pod)
            raise KubeletError(f"{node} is broken")
        assert self.running.pop(pod) == node
        self.left.discard(pod)


def make(kind: str, name: str, namespace: str = "", *, labels: dict[str, str] | None = None, **fields: Any) -> Any:
    """An object, from what its manifest would say."""
    model: type[KubeObject] = BY_KIND[kind]
    metadata = {"name": name, "namespace": namespace, "labels": labels or {}}
    return model.model_validate({"apiVersion": model.VERSION, "kind": kind, "metadata": metadata, **fields})


def node(name: str, address: str | None = None, **labels: str) -> Any:
    """A node with an InternalIP."""
    addresses = [{"type": "InternalIP", "address": address}] if address else []
    return make("Node", name, labels=labels, status={"addresses": addresses})


def containers(*ports: tuple[str, int]) -> list[dict[str, Any]]:
    """One container with these named TCP ports."""
    return [{"name": "main", "ports": [{"name": name, "containerPort": number} for name, number in ports]}]


def pod(name: str, namespace: str = "", labels: dict[str, str] | None = None, **spec: Any) -> Any:
    """A pod that serves http on 80."""
    return make("Pod", name, namespace, labels=labels, spec={"containers": containers(("http", 80)), **spec})


def workload(
    kind: str, name: str, replicas: int | None = 1, *, spec: Any = None, labels: Any = None, **more: Any
) -> Any:
    """A workload whose pods have the label app=NAME, and others."""
    template = {
        "metadata": {"labels": {"app": name, **(labels or {})}},
        "spec": {"containers": containers(("http", 80))},
    }
    selector = {"matchLabels": {"app": name}}
    return make(kind, name, spec={"replicas": replicas, "selector": selector, "template": template, **more})


def service(name: str, selector: dict[str, str] | None = None, namespace: str = "", **spec: Any) -> Any:
    """A service of port 80 for the pods' port http."""
    ports = [{"port": 80, "targetPort": "http"}]
    return make("Service", name, namespace, spec={"selector": selector or {}, "ports": ports, **spec})


def cluster(*names: str, kubelet: FakeKubelet | None = None) -> KubeCluster:
    """A cluster with these nodes."""
    made = KubeCluster(SERVICES, kubelet or FakeKubelet())
    for i, name in enumerate(names, 11):
        made.apply(node(name, f"192.168.56.{i}"))
    return made
