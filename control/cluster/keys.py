"""Where things are in the cluster's store."""

from __future__ import annotations

from vectorplane.control.cluster.ipam.node_id import NodeRecord
from vectorplane.control.cluster.model.base import Record
from vectorplane.control.cluster.model.endpoints import Endpoints
from vectorplane.control.cluster.model.namespace import Namespace
from vectorplane.control.cluster.model.node import Node
from vectorplane.control.cluster.model.pod import Pod
from vectorplane.control.cluster.model.policy import Policy
from vectorplane.control.cluster.model.service import Service

PREFIX = "/vnf-agent/contiv-ksr/"
"""All that agents follow is below it."""
NODE_IDS = PREFIX + "allocatedIDs/"
"""Node records, by id."""
REFLECTED = PREFIX + "k8s/"
"""What is reflected from Kubernetes."""
NAMESPACED: dict[str, type[Record]] = {"pod": Pod, "policy": Policy, "service": Service, "endpoints": Endpoints}
PLAIN: dict[str, type[Record]] = {"namespace": Namespace, "node": Node}
_SEGMENTS = {record: segment for segment, record in {**NAMESPACED, **PLAIN}.items()}


def key_of(record: Record | NodeRecord) -> str:
    """The key of a record.

    Raises:
        KeyError: records of that kind are not in the store.
    """
    if isinstance(record, NodeRecord):
        return f"{NODE_IDS}{record.id}"
    return key(type(record), record.id)  # type: ignore[attr-defined]


def key(kind: type[Record], identity: tuple[str, str] | str) -> str:
    """The key of a reflected object, by its identity: the name, or namespace and name."""
    segment = _SEGMENTS[kind]
    if isinstance(identity, str):
        return f"{REFLECTED}{segment}/{identity}"
    namespace, name = identity
    return f"{REFLECTED}{segment}/{name}/namespace/{namespace}"


def kind_at(key: str) -> type[Record] | type[NodeRecord] | None:
    """The kind of the record at a key; None: no agent follows that."""
    if key.startswith(NODE_IDS):
        return NodeRecord if key.removeprefix(NODE_IDS).isdecimal() else None
    if not key.startswith(REFLECTED):
        return None
    match key.removeprefix(REFLECTED).split("/"):
        case [segment, _name]:
            return PLAIN.get(segment)
        case [segment, _name, "namespace", _namespace]:
            return NAMESPACED.get(segment)
    return None
