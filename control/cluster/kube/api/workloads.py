"""Makes and deletes the pods of Deployments, ReplicaSets, StatefulSets and DaemonSets."""

from __future__ import annotations

from typing import Any

from vectorplane.control.cluster.kube.api.pod_runner import PodRunner
from vectorplane.control.cluster.kube.model.base import Metadata, Owner, Ref
from vectorplane.control.cluster.kube.model.nodes import Node
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.model.selector import matches
from vectorplane.control.cluster.kube.model.workloads import DaemonSet, StatefulSet, Workload, short_hash
from vectorplane.control.cluster.kube.objects import Index, Objects

_KINDS = frozenset(kind.KIND for kind in Workload.__subclasses__())
_LONGEST_STEM = 247


class Workloads:
    """The controllers of all these kinds. Names of pods follow from the workload and its template, one by one."""

    def __init__(self, objects: Objects, runner: PodRunner) -> None:
        self._objects, self._runner = objects, runner
        self._pods: Index[Ref] = Index(objects, (Pod,), lambda pod: (pod.owner,) if pod.owner else ())
        self._dirty: dict[Ref, None] = {}
        self._made: dict[Ref, tuple[str, int]] = {}
        """Of each workload the template's hash, and how many names were made for it."""
        objects.listen(self._changed)

    def run(self) -> bool:
        """Look at the workloads that something has happened to. Says whether pods were made or deleted."""
        dirty, self._dirty = self._dirty, {}
        done = False
        for ref in dirty:
            workload: Workload | None = self._objects.get(ref)
            pods: list[Pod] = self._pods.objects(ref)
            if workload is None:
                self._made.pop(ref, None)
                done = self._delete(pods) or done
            elif isinstance(workload, DaemonSet):
                done = self._daemons(workload, pods) or done
            elif isinstance(workload, StatefulSet):
                done = self._numbered(workload, pods) or done
            else:
                done = self._alike(workload, pods) or done
        return done

    def _alike(self, workload: Workload, pods: list[Pod]) -> bool:
        """Deployment and ReplicaSet: new pods first, old ones go as new ones run, so that there are never too few."""
        wanted, mark = workload.replicas, workload.spec.template.hash
        live = [pod for pod in pods if not pod.deleting]
        current = [pod for pod in live if _is_current(workload, pod, mark)]
        old = [pod for pod in live if not _is_current(workload, pod, mark)]
        if workload.spec.strategy.type == "Recreate" and len(pods) > len(current):
            return self._delete(old)
        for _ in range(wanted - len(current)):
            self._make(workload, self._name(workload, mark), mark)
        # of too many those go that do not run yet, then the newest (Kubernetes: ranking of a ReplicaSet's pods)
        surplus = max(0, len(current) - wanted)
        kept = sorted(current, key=lambda pod: not pod.running)
        keep_old = max(0, wanted - sum(pod.running for pod in current))
        old.sort(key=lambda pod: not pod.running)
        gone = self._delete([*kept[len(kept) - surplus :], *old[keep_old:]])
        return gone or len(current) < wanted

    def _numbered(self, workload: Workload, pods: list[Pod]) -> bool:
        """StatefulSet: name-0, name-1 ...; with a new template one at a time is made anew, the last first."""
        mark = workload.spec.template.hash
        there = {pod.name: pod for pod in pods}
        names = [f"{workload.name}-{i}" for i in range(workload.replicas)]
        wanted = frozenset(names)
        gone = self._delete([pod for pod in pods if pod.name not in wanted])
        missing = [name for name in names if not self._taken(workload, name)]
        for name in missing:
            self._make(workload, name, mark)
        if gone or missing or any(pod.deleting or not pod.running for pod in pods):
            return gone or bool(missing)
        old = [name for name in names if name in there and not _is_current(workload, there[name], mark)]
        return self._delete([there[name] for name in old[-1:]])

    def _daemons(self, workload: DaemonSet, pods: list[Pod]) -> bool:
        """DaemonSet: one on each node that it is for, cordoned or not."""
        template = workload.spec.template
        nodes = {n.name for n in self._objects.all(Node) if matches(template.spec.nodeSelector, n.labels)}
        live = [pod for pod in pods if not pod.deleting]
        gone = self._delete(
            [p for p in live if p.spec.nodeName not in nodes or not _is_current(workload, p, template.hash)]
        )
        having = {pod.spec.nodeName for pod in pods}
        missing = sorted(nodes - having)
        for node in missing:
            self._make(workload, self._name(workload, template.hash), template.hash, node)
        return gone or bool(missing)

    def _delete(self, pods: list[Pod]) -> bool:
        live = [pod for pod in pods if not pod.deleting]
        for pod in live:
            self._runner.delete(pod)
        return bool(live)

    def _make(self, workload: Workload, name: str, mark: str, node: str = "") -> None:
        template = workload.spec.template
        labels = template.metadata.labels
        if workload.HASH_LABEL:
            labels = labels | {workload.HASH_LABEL: mark}
        metadata = Metadata.model_construct(
            name=name,
            namespace=workload.namespace,
            labels=labels,
            annotations=template.metadata.annotations,
            ownerReferences=(Owner(kind=workload.KIND, name=workload.name, controller=True),),
            deletionTimestamp=None,
        )
        spec = template.spec.model_copy(update={"nodeName": node}) if node else template.spec
        self._objects.put(Pod(metadata=metadata, spec=spec))

    def _name(self, workload: Workload, mark: str) -> str:
        """The next name that no pod has."""
        known, made = self._made.get(workload.ref, ("", 0))
        if known != mark:
            made = 0
        while True:
            suffix = short_hash(f"{workload.ref} {mark} {made}")
            made += 1
            name = f"{workload.name[:_LONGEST_STEM]}-{suffix}"
            if not self._taken(workload, name):
                self._made[workload.ref] = (mark, made)
                return name

    def _taken(self, workload: Workload, name: str) -> bool:
        return self._objects.one(Pod, name, workload.namespace) is not None

    def _changed(self, ref: Ref, old: Any, new: Any) -> None:
        if ref.kind in _KINDS:
            self._dirty[ref] = None
        elif ref.kind == Pod.KIND:
            owner = (old if new is None else new).owner
            if owner is not None:
                self._dirty[owner] = None
        elif ref.kind == Node.KIND and (old is None or new is None or old.labels != new.labels):
            self._dirty |= dict.fromkeys(daemons.ref for daemons in self._objects.all(DaemonSet))


def _is_current(workload: Workload, pod: Pod, mark: str) -> bool:
    return not workload.HASH_LABEL or pod.labels.get(workload.HASH_LABEL) == mark
