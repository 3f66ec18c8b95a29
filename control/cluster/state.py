"""An agent's view of the cluster: the records of the store, read and checked, by kind and identity."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from pydantic import ValidationError

from vectorplane.control.cluster.ipam.node_id import NodeRecord
from vectorplane.control.cluster.ipam.pod import PodId
from vectorplane.control.cluster.keys import key_of, kind_at
from vectorplane.control.cluster.model.base import ObjectId, Record
from vectorplane.control.cluster.model.endpoints import Endpoints
from vectorplane.control.cluster.model.namespace import Namespace
from vectorplane.control.cluster.model.node import Node
from vectorplane.control.cluster.model.pod import Pod
from vectorplane.control.cluster.model.policy import Policy
from vectorplane.control.cluster.model.service import Service
from vectorplane.control.cluster.store.entry import Entry

log = logging.getLogger(__name__)

AnyRecord = Record | NodeRecord


class Changed(NamedTuple):
    """A record came (``old`` None), changed, or went (``new`` None). Both are of ``kind``."""

    kind: type[Any]
    old: Any
    new: Any

    @property
    def record(self) -> Any:
        """What it is now, or was before it went."""
        return self.old if self.new is None else self.new


@dataclass(frozen=True)
class Unreadable:
    """A value in the store that is no record of its kind; it is as if it were not there."""

    key: str
    reason: str


class ClusterState:
    """All records. It is the agent's, and changes only between two events."""

    def __init__(self) -> None:
        self.pods: dict[PodId, Pod] = {}
        self.namespaces: dict[str, Namespace] = {}
        self.nodes: dict[str, Node] = {}
        """Kubernetes' nodes, by name."""
        self.node_records: dict[int, NodeRecord] = {}
        """VPP's side of nodes, by id."""
        self.policies: dict[ObjectId, Policy] = {}
        self.services: dict[ObjectId, Service] = {}
        self.endpoints: dict[ObjectId, Endpoints] = {}
        self.unreadable: dict[str, Unreadable] = {}
        """By key what could not be read."""
        self._by_kind: dict[type, dict[Any, Any]] = {
            Pod: self.pods,
            Namespace: self.namespaces,
            Node: self.nodes,
            NodeRecord: self.node_records,
            Policy: self.policies,
            Service: self.services,
            Endpoints: self.endpoints,
        }

    def record_of(self, kind: type[Any], identity: Any) -> Any:
        """One record, None when there is none."""
        return self._by_kind[kind].get(identity)

    def load(self, entries: Iterable[Entry]) -> list[Changed]:
        """The store holds these, and nothing else. Gives what is different from before."""
        before = {key_of(r): r for table in self._by_kind.values() for r in table.values()}
        self.unreadable.clear()
        changes = []
        for entry in entries:
            before.pop(entry.key, None)
            change = self.put(entry.key, entry.data)
            if change is not None:
                changes.append(change)
        changes += [c for c in map(self.delete, before) if c is not None]
        return changes

    def put(self, key: str, data: bytes | str) -> Changed | None:
        """A key was written. None: nothing that an agent looks at is different now.

        What can't be read is told to the log, kept in `unreadable`, and counts as deleted.
        """
        kind = kind_at(key)
        if kind is None:
            return None
        try:
            record = _read(kind, key, data)
        except ValueError as error:
            self.unreadable[key] = Unreadable(key, str(error))
            log.error("%s: %s", key, error)
            return self._delete(key, kind)
        self.unreadable.pop(key, None)
        return self.put_record(record)

    def put_record(self, record: AnyRecord) -> Changed | None:
        """There is this record, instead of another of its identity; None: it was there already."""
        table = self._by_kind[type(record)]
        identity = record.id  # type: ignore[union-attr]
        old = table.get(identity)
        if old is record or old == record:
            return None
        table[identity] = record
        return Changed(type(record), old, record)

    def delete(self, key: str) -> Changed | None:
        """A key was deleted."""
        self.unreadable.pop(key, None)
        kind = kind_at(key)
        return None if kind is None else self._delete(key, kind)

    def delete_record(self, record: AnyRecord) -> Changed | None:
        """The record of this identity is gone."""
        return self.delete(key_of(record))

    def _delete(self, key: str, kind: type[Any]) -> Changed | None:
        old = self._by_kind[kind].pop(_identity(key, kind), None)
        return None if old is None else Changed(kind, old, None)


def _identity(key: str, kind: type[Any]) -> Any:
    parts = key.split("/")
    if kind is NodeRecord:
        return int(parts[-1])
    if parts[-2] != "namespace" or kind is Namespace or kind is Node:
        return parts[-1]
    return ObjectId(parts[-1], parts[-3])


_known: WeakValueDictionary[tuple[str, bytes | str], AnyRecord] = WeakValueDictionary()
"""Records that somebody has, by key and value: the agents of a process share them, for nothing changes a record."""


def _read(kind: type[Any], key: str, data: bytes | str) -> AnyRecord:
    """Raises ValueError: it is no such record, or not the one of its key."""
    known = _known.get((key, data))
    if known is None:
        known = _known[key, data] = _parse(kind, key, data)
    return known


def _parse(kind: type[Any], key: str, data: bytes | str) -> AnyRecord:
    try:
        record: AnyRecord = kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise ValueError(f"{where or 'value'}: {first['msg']}{more}") from None
    if key_of(record) != key:
        raise ValueError(f"it is the record of {key_of(record)}")
    return record


def value_of(record: AnyRecord) -> dict[str, Any]:
    """The record as the store has it."""
    value: dict[str, Any] = json.loads(record.model_dump_json(exclude_defaults=True))
    return value
