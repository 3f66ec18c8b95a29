"""All records of a cluster's objects, and which of them may be different after a change of an object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from vectorplane.control.cluster.keys import key, kind_at
from vectorplane.control.cluster.kube.model.base import Ref
from vectorplane.control.cluster.kube.model.endpoints import Endpoints, EndpointSlice
from vectorplane.control.cluster.kube.model.nodes import Namespace, Node
from vectorplane.control.cluster.kube.model.pods import Pod
from vectorplane.control.cluster.kube.model.policies import NetworkPolicy
from vectorplane.control.cluster.kube.model.services import Service
from vectorplane.control.cluster.kube.objects import Index, Objects
from vectorplane.control.cluster.kube.records.endpoints import endpoints_record, slices_record
from vectorplane.control.cluster.kube.records.policies import policy_record
from vectorplane.control.cluster.kube.records.simple import namespace_record, node_record, pod_record, service_record
from vectorplane.control.cluster.model.base import ObjectId, Record
from vectorplane.control.cluster.model.endpoints import Endpoints as EndpointsRecord
from vectorplane.control.cluster.model.namespace import Namespace as NamespaceRecord
from vectorplane.control.cluster.model.node import Node as NodeRecord
from vectorplane.control.cluster.model.pod import Pod as PodRecord
from vectorplane.control.cluster.model.policy import Policy as PolicyRecord
from vectorplane.control.cluster.model.service import Service as ServiceRecord

_RECORDS: dict[str, Callable[[Any], Record]] = {
    Namespace.KIND: namespace_record,
    Node.KIND: node_record,
    Pod.KIND: pod_record,
    Service.KIND: service_record,
    NetworkPolicy.KIND: policy_record,
}
KINDS: dict[str, type[Record]] = {
    Namespace.KIND: NamespaceRecord,
    Node.KIND: NodeRecord,
    Pod.KIND: PodRecord,
    Service.KIND: ServiceRecord,
    Endpoints.KIND: EndpointsRecord,
    NetworkPolicy.KIND: PolicyRecord,
}
"""By the kind of the object that of its record."""
_KINDS = {record: kind for kind, record in KINDS.items()}


def store_key(ref: Ref) -> str:
    """Where in the store the record of an object is."""
    return key(KINDS[ref.kind], ObjectId(ref.namespace, ref.name) if ref.namespace else ref.name)


def kind_of_key(where: str) -> str:
    """The kind of object that a key's record is of; empty: of none that is reflected."""
    record: Any = kind_at(where)
    return _KINDS.get(record, "")


class Records:
    """Records by the identity of the object that each is of. A slice's is that of its service's `Endpoints`."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._slices: Index[tuple[str, str]] = Index(objects, (EndpointSlice,), _service_of)

    def listen(self, mark: Callable[[Ref], None]) -> None:
        """Tell the identity of each record that may be different from now on."""

        def changed(ref: Ref, old: Any, new: Any) -> None:
            if ref.kind in _RECORDS or ref.kind == Endpoints.KIND:
                mark(ref)
            elif ref.kind == EndpointSlice.KIND:
                found = (service for part in (old, new) if part is not None for service in _service_of(part))
                for namespace, service in dict.fromkeys(found):
                    mark(Ref(Endpoints.KIND, namespace, service))

        self._objects.listen(changed)

    def record(self, ref: Ref) -> Record | None:
        """One record; None: there is none."""
        found = self._objects.get(ref)
        if ref.kind == Endpoints.KIND:
            if found is not None:
                return endpoints_record(found)
            slices = self._slices.objects((ref.namespace, ref.name))
            return slices_record(ref.namespace, ref.name, slices) if slices else None
        return None if found is None else _RECORDS[ref.kind](found)

    def refs(self) -> Iterator[Ref]:
        """Identities of all records."""
        for kind in (Namespace, Node, Pod, Service, NetworkPolicy, Endpoints):
            for found in self._objects.all(kind):
                yield found.ref
        services = dict.fromkeys(s for part in self._objects.all(EndpointSlice) for s in _service_of(part))
        for namespace, service in services:
            if self._objects.one(Endpoints, service, namespace) is None:
                yield Ref(Endpoints.KIND, namespace, service)


def _service_of(part: EndpointSlice) -> list[tuple[str, str]]:
    return [(part.namespace, part.service)] if part.service else []
