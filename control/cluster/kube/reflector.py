"""The reflector: keeps the store at the records of Kubernetes' objects (Contiv-VPP's KSR).

It remembers what it wrote, so that a change that is none writes nothing. A write that fails makes all that it
remembers doubtful: it forgets its marks, and a little later compares everything with the store (mark and sweep).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vectorplane.control.cluster.keys import REFLECTED
from vectorplane.control.cluster.kube.model.base import Ref
from vectorplane.control.cluster.kube.records.source import KINDS, Records, kind_of_key, store_key
from vectorplane.control.cluster.kube.store_writer import StoreWriter, Write
from vectorplane.control.cluster.model.base import Record
from vectorplane.control.cluster.state import value_of
from vectorplane.control.cluster.store.errors import InvalidRequest, StoreError
from vectorplane.control.cluster.store.store import Store
from vectorplane.control.cluster.store.transaction import Delete, Put

log = logging.getLogger(__name__)

FIRST_DELAY, LONGEST_DELAY = 0.1, 1.0
"""Seconds between tries to resync: doubled from the first to the longest."""


@dataclass
class Counters:
    """What was done for a kind. ``errors``: attempts that failed, and records that the store does not take."""

    adds: int = 0
    updates: int = 0
    deletes: int = 0
    resyncs: int = 0
    errors: int = 0


class Reflector:
    """Call `flush` after changes, and at the time that `due` tells. It is used by one thread."""

    def __init__(self, store: Store, records: Records, clock: Callable[[], float]) -> None:
        """Nothing is written before the first `flush`, which is a resync. ``clock``: seconds, which only grow."""
        self._store, self._records, self._clock = store, records, clock
        self._written: dict[str, Record] = {}
        """By key what the store has."""
        self._marked: dict[Ref, None] = {}
        self._due, self._delay = clock(), FIRST_DELAY
        self.synced = False
        """Is the store in step, but for what the next `flush` writes?"""
        self.counters = {kind: Counters() for kind in KINDS}
        """By the kind of Kubernetes' object."""
        records.listen(self._mark)

    @property
    def writes(self) -> int:
        """How many records were written or deleted so far."""
        return sum(c.adds + c.updates + c.deletes for c in self.counters.values())

    def due(self) -> float | None:
        """When `flush` has something to do by the clock, even if nothing changes; None: never."""
        return None if self.synced else self._due

    def flush(self) -> bool:
        """Write what changed; if the store is out of step, resync when it is time. Says whether it is in step."""
        if not self.synced:
            return self._clock() >= self._due and self.resync()
        marked, self._marked = self._marked, {}
        writer = StoreWriter(self._store, self._kept)
        try:
            for ref in marked:
                key, record = store_key(ref), self._records.record(ref)
                there = key in self._written
                if record is not None and record != self._written.get(key):
                    self._put(writer, ref, key, record, there)
                elif record is None and there:
                    writer.add(Write(Delete(key), ref.kind, "deletes", None))
            writer.finish()
        except StoreError as error:
            self._failed(error, marked)
        return self.synced

    def resync(self) -> bool:
        """Compare all records with all that the store has, and write what is different. Says whether it worked."""
        self._marked.clear()
        refs = list(self._records.refs())
        for counters in self.counters.values():
            counters.resyncs += 1
        writer = StoreWriter(self._store, self._kept)
        try:
            stored = {e.key: e.data for e in self._store.list(REFLECTED).entries if kind_of_key(e.key)}
            self._written = {}
            for ref in refs:
                key, record = store_key(ref), self._records.record(ref)
                if record is not None:
                    self._put(writer, ref, key, record, key in stored, stored.pop(key, None))
            for key in stored:
                writer.add(Write(Delete(key), kind_of_key(key), "deletes", None))
            writer.finish()
        except StoreError as error:
            self._failed(error, refs)
            return False
        self.synced, self._delay = True, FIRST_DELAY
        return True

    # --- inner works

    def _put(
        self, writer: StoreWriter, ref: Ref, key: str, record: Record, there: bool, stored: bytes | None = None
    ) -> None:
        """Write a record. ``there``: the store has one; ``stored``: that one, if it is not known to be another."""
        try:
            put = Put(key, value_of(record))
        except InvalidRequest as error:  # too large, say: trying again would not help
            self.counters[ref.kind].errors += 1
            log.error("%s is not reflected: %s", ref, error)
            if there:
                writer.add(Write(Delete(key), ref.kind, "deletes", None))
            return
        if put.data == stored:
            self._written[key] = record
            return
        writer.add(Write(put, ref.kind, "updates" if there else "adds", record))

    def _kept(self, write: Write) -> None:
        counters = self.counters[write.kind]
        setattr(counters, write.counter, getattr(counters, write.counter) + 1)
        if write.record is None:
            self._written.pop(write.operation.key, None)
        else:
            self._written[write.operation.key] = write.record

    def _failed(self, error: StoreError, refs: Iterable[Ref]) -> None:
        """Nothing that is remembered can be relied on: a transaction that failed may have been done."""
        for kind in {ref.kind for ref in refs}:
            self.counters[kind].errors += 1
        self.synced, self._due = False, self._clock() + self._delay
        log.warning("the store is out of step; next try in %.1f s: %s", self._delay, error)
        self._delay = min(2 * self._delay, LONGEST_DELAY)

    def _mark(self, ref: Ref) -> None:
        if self.synced:  # else the resync will see it
            self._marked[ref] = None
