"""Brings the pods to the nodes: starts those that have a node, ends those that are being deleted."""

from __future__ import annotations

from typing import Any

from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.kube.api.kubelet import Kubelet, KubeletError
from vectorplane.control.cluster.kube.model.base import Ref
from vectorplane.control.cluster.kube.model.nodes import Node
from vectorplane.control.cluster.kube.model.pods import Condition, Pod, PodStatus
from vectorplane.control.cluster.kube.objects import Index, Objects

DELETED = "1970-01-01T00:00:00Z"
"""The deletionTimestamp of a pod or namespace that is being deleted. There is no clock, so it is always this."""


class PodRunner:
    """``errors``: why pods do not run, or do not end, by pod. Failures are tried again after `retry`."""

    def __init__(self, objects: Objects, on_node: Index[str], kubelet: Kubelet | None) -> None:
        """``on_node``: pods by node. ``kubelet`` None: only pods in their host's network ever run."""
        self.errors: dict[Ref, str] = {}
        self._objects, self._on_node, self._kubelet = objects, on_node, kubelet
        self._due: dict[Ref, None] = {}
        self._nodes: dict[str, None] = {}
        """Nodes that changed."""
        self._started: dict[Ref, str] = {}
        """Pods that a kubelet runs, with the node."""
        objects.listen(self._changed)

    def delete(self, pod: Pod) -> None:
        """A pod is to go: one that never ran at once, others stay until their node has ended them."""
        if pod.ref in self._started:
            if not pod.deleting:
                self._objects.put(pod.with_metadata(deletionTimestamp=DELETED))
        else:
            self._objects.remove(pod.ref)

    def retry(self) -> None:
        """Do once more what failed."""
        self._due |= dict.fromkeys(self.errors)

    def run(self) -> bool:
        """Do what is due. Says whether anything is different now."""
        done = self._look_at_nodes()
        due, self._due = self._due, {}
        for ref in due:
            pod: Pod | None = self._objects.get(ref)
            if pod is None:
                continue
            try:
                done = (self._stop(pod) if pod.deleting else self._start(pod)) or done
            except KubeletError as error:
                self.errors[ref] = str(error)
        return done

    def _start(self, pod: Pod) -> bool:
        name = pod.spec.nodeName
        node = self._objects.one(Node, name) if name else None
        if pod.running or node is None:
            return False
        if pod.spec.hostNetwork:
            if node.management is None:
                raise KubeletError(f"node {name} has no InternalIP, which a pod in its host's network needs")
            address: Ip = node.management
        elif self._kubelet is None:
            return False
        else:
            address = self._kubelet.run(name, pod)
            self._started[pod.ref] = name
        self.errors.pop(pod.ref, None)
        ready = (Condition(type="Ready", status="True"),)
        status = PodStatus(phase="Running", podIP=address, hostIP=node.management, conditions=ready)
        self._objects.put(pod.with_status(status))
        return True

    def _stop(self, pod: Pod) -> bool:
        node = self._started.get(pod.ref)
        if node is not None and self._kubelet is not None:
            try:
                self._kubelet.stop(node, PodId(pod.namespace, pod.name))
            except KubeletError:
                if self._objects.one(Node, node) is not None:
                    raise
                # the node is gone, and what ran there with it
        self._objects.remove(pod.ref)
        return True

    def _look_at_nodes(self) -> bool:
        """Pods of a node that is gone go, too (Kubernetes: pod garbage collection); others have its address now."""
        nodes, self._nodes = self._nodes, {}
        done = False
        for name in nodes:
            node = self._objects.one(Node, name)
            for pod in self._on_node.objects(name):
                if node is None:
                    self.delete(pod)
                    done = True
                elif pod.running and pod.status.hostIP != node.management:
                    address = node.management if pod.spec.hostNetwork else pod.status.podIP
                    update = {"hostIP": node.management, "podIP": address}
                    self._objects.put(pod.with_status(pod.status.model_copy(update=update)))
                    done = True
                elif not pod.running:
                    self._due[pod.ref] = None
        return done

    def _changed(self, ref: Ref, old: Any, new: Any) -> None:
        if ref.kind == Node.KIND:
            # a new node may find pods that are for it already; a node that goes leaves some behind
            if old is None or new is None or old.status != new.status:
                self._nodes[ref.name] = None
        elif ref.kind == Pod.KIND:
            if new is None:
                for table in (self._due, self.errors, self._started):
                    table.pop(ref, None)  # type: ignore[attr-defined]
            elif new.deleting or (new.spec.nodeName and not new.running):
                self._due[ref] = None
