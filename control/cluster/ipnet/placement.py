"""Which records are about one node: an index, so that a change costs what changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from itertools import chain
from typing import Any

from vectorplane.control.cluster.ipam.arithmetic import Ip
from vectorplane.control.cluster.ipam.node_id import NodeRecord
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.model.node import Node
from vectorplane.control.cluster.model.pod import Pod
from vectorplane.control.cluster.state import Changed, ClusterState

_Index = dict[Any, set[Any]]


class Placement:
    """Node records by name, Kubernetes' nodes by management address, pods by their host's address."""

    def __init__(self, state: ClusterState, with_pods: bool) -> None:
        """Of the records that there are; `note` what changes. ``with_pods``: is it of use where pods are?"""
        self._ids: dict[str, set[int]] = {}
        self._names: dict[Ip, set[str]] = {}
        self._pods: dict[Ip, set[PodId]] = {}
        pods = state.pods.values() if with_pods else ()
        for record in chain(state.node_records.values(), state.nodes.values(), pods):
            self._each(record, _add)

    def note(self, change: Changed) -> None:
        """A record came, changed or went."""
        if change.old is not None:
            self._each(change.old, _remove)
        if change.new is not None:
            self._each(change.new, _add)

    def ids(self, name: str) -> list[int]:
        """The ids of a node, by its name."""
        return sorted(self._ids.get(name, ()))

    def ids_at(self, host: Ip) -> list[int]:
        """The ids of the nodes with that management address; several only while the cluster disagrees with itself."""
        return sorted(number for name in self._names.get(host, ()) for number in self._ids.get(name, ()))

    def pods_at(self, host: Ip) -> list[PodId]:
        """The pods on the host of that address."""
        return sorted(self._pods.get(host, ()))

    def _each(self, record: object, do: Callable[[_Index, Hashable, Hashable], None]) -> None:
        if isinstance(record, NodeRecord):
            do(self._ids, record.name, record.id)
        elif isinstance(record, Node):
            for address in set(record.management):
                do(self._names, address, record.name)
        elif isinstance(record, Pod) and record.host_ip_address is not None:
            do(self._pods, record.host_ip_address, record.id)


def _add(index: _Index, key: Hashable, value: Hashable) -> None:
    index.setdefault(key, set()).add(value)


def _remove(index: _Index, key: Hashable, value: Hashable) -> None:
    index[key].discard(value)
    if not index[key]:
        del index[key]
