"""The cluster's pods as policies see them, found by namespace and label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.base import Labels
from vectorplane.control.cluster.model.pod import ContainerPort, Pod
from vectorplane.control.cluster.model.policy import Selector
from vectorplane.control.cluster.policies.nets import Net, host
from vectorplane.control.cluster.this_node import LocalPod


@dataclass(frozen=True)
class Seen:
    """A pod. ``address`` None: it has none yet. ``hosted``: it is in its host's network, where policies do not apply.

    ``known``: there is a record of it; else it is only connected here, and nothing is known of its labels.
    """

    id: PodId
    labels: Labels
    address: Net | None
    ports: tuple[ContainerPort, ...]
    hosted: bool
    known: bool

    def numbers(self, name: str, protocol: str) -> list[int]:
        """The ports that it calls so (one, unless containers disagree)."""
        return sorted({p.container_port for p in self.ports if p.name == name and p.protocol == protocol})


def seen(identity: PodId, record: Pod | None, local: LocalPod | None) -> Seen | None:
    """A pod by what is known of it; None: nothing. Its address here is known before its record tells it."""
    if record is None:
        return None if local is None else Seen(identity, {}, host(local.address), (), False, False)
    ip = local.address if local is not None else record.ip_address
    return Seen(
        identity,
        record.labels,
        None if ip is None else host(ip),
        tuple(record.ports),
        record.host_network and local is None,
        True,
    )


class Pods:
    """All pods."""

    def __init__(self) -> None:
        self._pods: dict[PodId, Seen] = {}
        self._by_namespace: dict[str, dict[PodId, Seen]] = {}
        self._by_label: dict[tuple[str, str, str], dict[PodId, Seen]] = {}
        self._by_address: dict[Net, set[PodId]] = {}

    def __getitem__(self, pod: PodId) -> Seen:
        return self._pods[pod]

    def get(self, pod: PodId) -> Seen | None:
        """One pod."""
        return self._pods.get(pod)

    @property
    def namespaces(self) -> Iterable[str]:
        """Those with pods."""
        return self._by_namespace

    def at(self, address: Net) -> set[PodId]:
        """Which pods have an address (none in its host's network)."""
        return self._by_address.get(address, set())

    def put(self, pod: PodId, new: Seen | None) -> Seen | None:
        """It is like this now; gives how it was."""
        old = self._pods.pop(pod, None)
        if old is not None:
            for index, key in self._places(old):
                index[key].pop(pod)
                if not index[key]:
                    del index[key]
            if old.address is not None and not old.hosted:
                self._by_address[old.address].discard(pod)
                if not self._by_address[old.address]:
                    del self._by_address[old.address]
        if new is not None:
            self._pods[pod] = new
            for index, key in self._places(new):
                index.setdefault(key, {})[pod] = new
            if new.address is not None and not new.hosted:
                self._by_address.setdefault(new.address, set()).add(pod)
        return old

    def _places(self, pod: Seen) -> Iterator[tuple[dict, object]]:  # type: ignore[type-arg]
        yield self._by_namespace, pod.id.namespace
        for label, value in pod.labels.items():
            yield self._by_label, (pod.id.namespace, label, value)

    def select(self, namespace: str, selector: Selector | None) -> list[Seen]:
        """The pods of a namespace that a selector selects (None: all)."""
        candidates = self._by_namespace.get(namespace, {})
        if selector is None:
            return list(candidates.values())
        for label in selector.match_labels.items():
            fewer = self._by_label.get((namespace, *label), {})
            if len(fewer) < len(candidates):
                candidates = fewer
        return [pod for pod in candidates.values() if selector.selects(pod.labels)]
