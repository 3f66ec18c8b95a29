"""The stand-in for Kubernetes: what kubectl would ask of an API server, and the controllers behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from vectorplane.control.cluster.ipam.arithmetic import Network
from vectorplane.control.cluster.kube.api.addresses import ServiceAddresses
from vectorplane.control.cluster.kube.api.admission import admitted
from vectorplane.control.cluster.kube.api.endpoints import EndpointsController
from vectorplane.control.cluster.kube.api.error import KubeError
from vectorplane.control.cluster.kube.api.kubelet import Kubelet
from vectorplane.control.cluster.kube.api.namespaces import Namespaces
from vectorplane.control.cluster.kube.api.pod_runner import PodRunner
from vectorplane.control.cluster.kube.api.scheduler import Scheduler
from vectorplane.control.cluster.kube.api.workloads import Workloads
from vectorplane.control.cluster.kube.model.base import KubeObject, Ref
from vectorplane.control.cluster.kube.model.kinds import ORDER
from vectorplane.control.cluster.kube.model.names import key_problem, value_problem
from vectorplane.control.cluster.kube.model.nodes import Namespace, Node
from vectorplane.control.cluster.kube.model.pods import Condition, Pod
from vectorplane.control.cluster.kube.model.selector import LabelSelector
from vectorplane.control.cluster.kube.model.services import Service
from vectorplane.control.cluster.kube.model.workloads import MOST_REPLICAS, DaemonSet, Workload
from vectorplane.control.cluster.kube.objects import Index, Objects

Kind = TypeVar("Kind", bound=KubeObject)
_ROUNDS = 10_000
"""More than any number of changes takes; controllers that undo each other's work are a mistake of the program."""


@dataclass(frozen=True)
class Answer:
    """What became of one object of several. ``text``: as kubectl says it; ``error``: why it was not done."""

    ref: Ref
    text: str
    error: KubeError | None = None


class KubeCluster:
    """Objects and controllers. It is used by one thread. Requests change objects; `reconcile` does what follows."""

    def __init__(self, service_cidr: Network | None, kubelet: Kubelet | None = None) -> None:
        """Empty but for the namespaces that every cluster has.

        Args:
            service_cidr: where services' addresses come from (`IpamSettings.service_cidr`).
            kubelet: starts pods on nodes; None: only pods in their host's network ever run.
        """
        self.objects = Objects()
        self._on_node: Index[str] = Index(self.objects, (Pod,), lambda pod: (pod.spec.nodeName,))
        self._namespaces = Namespaces(self.objects)
        self._addresses = ServiceAddresses(service_cidr)
        self.objects.listen(self._addresses.changed)
        self._runner = PodRunner(self.objects, self._on_node, kubelet)
        self._workloads = Workloads(self.objects, self._runner)
        self._scheduler = Scheduler(self.objects, self._on_node)
        self._endpoints = EndpointsController(self.objects)
        self._quiet = False

    def were_at(self, places: Mapping[Ref, str]) -> None:
        """Pods that are still to come are put on these nodes where that can be: they were there in a former life."""
        self._scheduler.former.update(places)

    # --- work

    def reconcile(self) -> bool:
        """One round of all controllers. Says whether anything was done, so that there may be more to do.

        What a node failed to do is tried again by the first call after one that found nothing to do.
        """
        if self._quiet:
            self._runner.retry()
        controllers = (self._workloads, self._scheduler, self._runner, self._endpoints, self._namespaces)
        done = False
        for controller in controllers:
            done = controller.run() or done
        self._quiet = not done
        return done

    def settle(self) -> None:
        """Reconcile until there is nothing to do.

        Raises:
            RuntimeError: it does not end (a mistake of this program).
        """
        for _ in range(_ROUNDS):
            if not self.reconcile():
                return
        raise RuntimeError(f"the controllers are not done after {_ROUNDS} rounds")

    def errors(self) -> dict[Ref, str]:
        """Why pods do not run, or do not end, by pod."""
        unplaced = "no node that it may be on"
        return dict.fromkeys(self._scheduler.waiting, unplaced) | self._runner.errors

    # --- requests about objects

    def get(self, kind: type[Kind], name: str, namespace: str = "default") -> Kind | None:
        """An object; None: there is none. ``namespace`` does not matter for kinds that are in none."""
        return self.objects.one(kind, name, namespace if kind.NAMESPACED else "")

    def list_of(
        self, kind: type[Kind], namespace: str | None = None, selector: LabelSelector | None = None
    ) -> list[Kind]:
        """Objects of a kind by namespace and name: of all namespaces or of one, all or those that are selected."""
        found = [
            o
            for o in self.objects.all(kind)
            if (namespace is None or o.namespace == namespace) and (selector is None or selector.selects(o.labels))
        ]
        return sorted(found, key=lambda o: (o.namespace, o.name))

    def apply(self, new: KubeObject) -> str:
        """Create an object, or change it to this one. Says which as kubectl does: ``pod/web created``.

        Raises:
            KubeError: it can't be; nothing was changed.
        """
        ref = new.ref
        if new.NAMESPACED:
            self._namespaces.check(new)
        old = self.objects.get(ref)
        if old is not None and old.deleting:
            raise KubeError(ref, "", "is being deleted: apply it again when it is gone")
        kept = admitted(old, new)
        if isinstance(kept, Service):
            kept = self._addresses.assign(old, kept)
        if kept == old:
            return f"{new.RESOURCE}/{new.name} unchanged"
        self.objects.put(kept)
        return f"{new.RESOURCE}/{new.name} {'created' if old is None else 'configured'}"

    def apply_all(self, objects: Iterable[KubeObject]) -> list[Answer]:
        """Apply several: namespaces and nodes first, whatever their order. What fails does not stop the others."""
        answers = []
        for new in sorted(objects, key=lambda o: (ORDER[o.KIND], _asks_nothing(o))):
            try:
                answers.append(Answer(new.ref, self.apply(new)))
            except KubeError as error:
                answers.append(Answer(new.ref, "", error))
        return answers

    def delete(self, kind: type[KubeObject], name: str, namespace: str = "default") -> str:
        """Delete an object and what depends on it: a workload's pods, what is in a namespace, pods on a node.

        A pod that runs ends at the next `reconcile`. Gives kubectl's words.

        Raises:
            KubeError: there is none, or it can't be deleted.
        """
        found = self._existing(kind, name, namespace)
        match found:
            case Pod():
                self._runner.delete(found)
            case Namespace():
                for inside in self._namespaces.delete(found):
                    if isinstance(inside, Pod):
                        self._runner.delete(inside)
                    else:
                        self.objects.remove(inside.ref)
            case _:
                self.objects.remove(found.ref)
        return f'{kind.RESOURCE} "{name}" deleted'

    def delete_all(self, objects: Iterable[KubeObject]) -> list[Answer]:
        """Delete several, those that others depend on last. One that is gone already is an error, too."""
        answers = []
        for old in sorted(objects, key=lambda o: -ORDER[o.KIND]):
            try:
                answers.append(Answer(old.ref, self.delete(type(old), old.name, old.namespace)))
            except KubeError as error:
                answers.append(Answer(old.ref, "", error))
        return answers

    # --- other requests

    def scale(self, kind: type[Workload], name: str, replicas: int, namespace: str = "default") -> str:
        """Have so many pods of a workload. Raises KubeError."""
        workload = self._existing(kind, name, namespace)
        if isinstance(workload, DaemonSet):
            raise KubeError(workload.ref, "", "has as many pods as there are nodes")
        if not 0 <= replicas <= MOST_REPLICAS:
            raise KubeError(workload.ref, "spec.replicas", f"expected 0 to {MOST_REPLICAS}, got {replicas}")
        self._put(workload.model_copy(update={"spec": workload.spec.model_copy(update={"replicas": replicas})}))
        return f"{kind.RESOURCE}/{name} scaled"

    def label(
        self, kind: type[KubeObject], name: str, labels: dict[str, str | None], namespace: str = "default"
    ) -> str:
        """Set labels of an object, or remove those that are None. Raises KubeError."""
        found = self._existing(kind, name, namespace)
        for key, value in labels.items():
            if problem := key_problem(key) or value_problem(value or ""):
                raise KubeError(found.ref, f"metadata.labels.{key}", problem)
        after = {k: v for k, v in (found.labels | labels).items() if v is not None}
        self._put(found.with_metadata(labels=after))
        return f"{kind.RESOURCE}/{name} {'not labeled' if after == found.labels else 'labeled'}"

    def set_ready(self, name: str, ready: bool, namespace: str = "default") -> None:
        """A pod's readiness probe has another result. Raises KubeError."""
        pod = self._existing(Pod, name, namespace)
        condition = Condition(type="Ready", status="True" if ready else "False")
        self._put(pod.with_status(pod.status.model_copy(update={"conditions": (condition,)})))

    def cordon(self, name: str, on: bool = True) -> str:
        """No new pods on a node (``on`` False: they may be there again). Raises KubeError."""
        node = self._existing(Node, name)
        self._put(node.model_copy(update={"spec": node.spec.model_copy(update={"unschedulable": on})}))
        return f"node/{name} {'' if on else 'un'}cordoned"

    def drain(self, name: str) -> list[str]:
        """Cordon a node and delete its pods, those that nobody makes anew, too (``kubectl drain --force``).

        A DaemonSet's pods stay (``--ignore-daemonsets``). Raises KubeError.
        """
        told = [self.cordon(name)]
        for pod in self._on_node.objects(name):
            if not pod.deleting and (pod.owner is None or pod.owner.kind != DaemonSet.KIND):
                self._runner.delete(pod)
                told.append(f"pod/{pod.name} evicted")
        return told

    # --- inner works

    def _put(self, new: KubeObject) -> None:
        if new != self.objects.get(new.ref):
            self.objects.put(new)

    def _existing(self, kind: type[Kind], name: str, namespace: str = "default") -> Any:
        found = self.get(kind, name, namespace)
        if found is None:
            raise KubeError(Ref(kind.KIND, namespace if kind.NAMESPACED else "", name), "", "not found")
        return found


def _asks_nothing(new: KubeObject) -> bool:
    """Services that ask for an address or a port come before those that take any."""
    return not (isinstance(new, Service) and (new.cluster_ip or any(p.nodePort for p in new.spec.ports)))
