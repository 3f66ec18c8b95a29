"""Pods that peers of policies mean, kept up to date: a pod's change costs a look at each of them, not at each pod."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.base import Labels
from vectorplane.control.cluster.model.policy import Peer, Selector
from vectorplane.control.cluster.policies.addresses import AddressSet
from vectorplane.control.cluster.policies.nets import Net
from vectorplane.control.cluster.policies.pods import Pods, Seen

NAME_LABEL = "kubernetes.io/metadata.name"
"""The label that Kubernetes gives every namespace, with its name."""
EVERYBODY = Peer(namespaces=Selector())
Key = tuple[object, ...]


def _selector_key(selector: Selector | None) -> object:
    if selector is None:
        return None
    expressions = tuple((e.key, e.operator, e.values) for e in selector.match_expressions)
    return tuple(sorted(selector.match_labels.items())), expressions


class Selection:
    """The pods of a peer: those that ``pods`` selects, in one namespace or in those that ``namespaces`` selects."""

    def __init__(self, key: Key, namespace: str | None, namespaces: Selector | None, pods: Selector | None) -> None:
        self.key = key
        self.namespace = namespace
        self._namespaces = namespaces
        self.pods = pods
        self.members: dict[PodId, Seen] = {}
        self.addresses = AddressSet()
        self.holders = 0
        self.known: dict[str, bool] = {}
        """Of namespaces whether they are selected, as far as that was asked."""

    def wants_namespace(self, name: str, labels: Labels) -> bool:
        """Are pods in there meant?"""
        if self._namespaces is None:
            return name == self.namespace
        if name not in self.known:
            self.known[name] = self._namespaces.selects({NAME_LABEL: name} | labels)
        return self.known[name]

    def wants(self, pod: Seen | None, labels: Labels) -> bool:
        """Is it meant? ``labels``: of its namespace. A pod in its host's network is no pod to policies."""
        return (
            pod is not None
            and pod.known
            and not pod.hosted
            and self.wants_namespace(pod.id.namespace, labels)
            and (self.pods is None or self.pods.selects(pod.labels))
        )

    def put(self, pod: PodId, now: Seen | None) -> set[Net]:
        """It is a member like this, or none. Gives the addresses that this matters for; none: nothing changed."""
        old = self.members.pop(pod, None)
        if now is not None:
            self.members[pod] = now
        was, there = old.address if old else None, now.address if now else None
        if old is not None and now is not None and was == there and old.ports == now.ports:
            return set()
        if was != there:
            if was is not None:
                self.addresses.remove(was)
            if there is not None:
                self.addresses.add(there)
        return {a for a in (was, there) if a is not None}


class Selections:
    """Those that somebody needs."""

    def __init__(self, pods: Pods) -> None:
        self._pods = pods
        self._labels: dict[str, Labels] = {}
        self._all: dict[Key, Selection] = {}
        self._fixed: dict[str, dict[Key, Selection]] = {}
        self._wide: dict[Key, Selection] = {}

    def need(self, namespace: str, peer: Peer) -> Selection:
        """The pods that a peer means in a policy of that namespace. To be given back with `release`."""
        fixed = namespace if peer.namespaces is None else None
        key = (fixed, _selector_key(peer.namespaces), _selector_key(peer.pods))
        there = self._all.get(key)
        if there is None:
            there = self._all[key] = Selection(key, fixed, peer.namespaces, peer.pods)
            if fixed is None:
                self._wide[key] = there
            else:
                self._fixed.setdefault(fixed, {})[key] = there
            for name in [fixed] if fixed is not None else list(self._pods.namespaces):
                self._fill(there, name)
        there.holders += 1
        return there

    def release(self, selection: Selection) -> None:
        """One needs it no more."""
        selection.holders -= 1
        if not selection.holders:
            del self._all[selection.key]
            if selection.namespace is None:
                del self._wide[selection.key]
            else:
                del self._fixed[selection.namespace][selection.key]
                if not self._fixed[selection.namespace]:
                    del self._fixed[selection.namespace]

    def pod(self, pod: PodId, now: Seen | None) -> Iterator[tuple[Selection, set[Net]]]:
        """A pod is like this now. Gives the selections that this changes, each with the addresses it matters for."""
        labels = self._labels.get(pod.namespace, {})
        for selection in [*self._fixed.get(pod.namespace, {}).values(), *self._wide.values()]:
            member = now if selection.wants(now, labels) else None
            if member is not None or pod in selection.members:
                touched = selection.put(pod, member)
                if touched:
                    yield selection, touched

    def namespace(self, name: str, labels: Labels | None) -> Iterator[tuple[Selection, set[Net]]]:
        """A namespace has these labels now (None: it is gone, and counts as one without)."""
        if labels is None:
            self._labels.pop(name, None)
        else:
            self._labels[name] = labels
        for selection in list(self._wide.values()):
            before = selection.known.pop(name, None)
            if selection.wants_namespace(name, labels or {}) == before:
                continue
            gone = [pod for pod in selection.members if pod.namespace == name] if before else []
            touched = set().union(*(selection.put(pod, None) for pod in gone), self._fill(selection, name))
            if touched:
                yield selection, touched

    def _fill(self, selection: Selection, namespace: str) -> Iterable[Net]:
        labels = self._labels.get(namespace, {})
        touched: set[Net] = set()
        if selection.wants_namespace(namespace, labels):
            for pod in self._pods.select(namespace, selection.pods):
                if selection.wants(pod, labels):
                    touched |= selection.put(pod.id, pod)
        return touched
