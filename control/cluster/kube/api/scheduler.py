"""Puts pods on nodes: where the fewest are, of the nodes that may be (Kubernetes: nodeSelector, cordon)."""

from __future__ import annotations

import heapq
from typing import Any

from vectorplane.control.cluster.kube.model.base import Ref
from vectorplane.control.cluster.kube.model.nodes import Node
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.model.selector import matches
from vectorplane.control.cluster.kube.objects import Index, Objects


class Scheduler:
    """One that is asked again by `run`. Pods for which there is no node wait until nodes change."""

    def __init__(self, objects: Objects, on_node: Index[str]) -> None:
        """``on_node``: pods by the name of their node."""
        self._objects, self._on_node = objects, on_node
        self._pending: dict[Ref, None] = {}
        self._waiting: dict[Ref, None] = {}
        self.former: dict[Ref, str] = {}
        """Where pods of these names were before the cluster was begun anew: they go there once more, if they may."""
        objects.listen(self._changed)

    @property
    def waiting(self) -> tuple[Ref, ...]:
        """Pods for which there is no node."""
        return tuple(self._waiting)

    def run(self) -> bool:
        """Put the pods that are new somewhere. Says whether any was."""
        pending, self._pending = self._pending, {}
        done = False
        heaps: dict[tuple[tuple[str, str], ...], list[tuple[int, str]]] = {}
        for ref in pending:
            pod: Pod | None = self._objects.get(ref)
            if pod is None or pod.spec.nodeName or pod.deleting:
                continue
            selector = tuple(pod.spec.nodeSelector.items())
            heap = heaps.get(selector)
            if heap is None:
                heap = heaps[selector] = self._fitting(pod.spec.nodeSelector)
            if not heap:
                self._waiting[ref] = None
                continue
            former = self.former.pop(ref, None)
            if former is not None and any(former == node for _, node in heap):
                name = former
            else:
                name = self._emptiest(heap)
            self._objects.put(pod.model_copy(update={"spec": pod.spec.model_copy(update={"nodeName": name})}))
            done = True
        return done

    def _fitting(self, selector: dict[str, str]) -> list[tuple[int, str]]:
        """The nodes for such pods, a heap by how many pods each has."""
        nodes = (node for node in self._objects.all(Node) if node.schedulable and matches(selector, node.labels))
        heap = [(self._on_node.count(node.name), node.name) for node in nodes]
        heapq.heapify(heap)
        return heap

    def _emptiest(self, heap: list[tuple[int, str]]) -> str:
        """The first node of a heap whose numbers may be too small: nodes fill up while pods are put there."""
        while True:
            count, name = heap[0]
            now = self._on_node.count(name)
            if now == count:
                return name
            heapq.heapreplace(heap, (now, name))

    def _changed(self, ref: Ref, old: Any, new: Any) -> None:
        if ref.kind == Pod.KIND:
            if new is None:
                self._pending.pop(ref, None)
                self._waiting.pop(ref, None)
            elif old is None and not new.spec.nodeName:
                self._pending[ref] = None
        elif ref.kind == Node.KIND and new is not None:
            self._pending |= self._waiting
            self._waiting = {}
