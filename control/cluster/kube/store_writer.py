"""Writes records to the store, many in a transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vectorplane.control.cluster.model.base import Record
from vectorplane.control.cluster.store.store import Store
from vectorplane.control.cluster.store.transaction import Delete, Put, fits, size_of


class Write(NamedTuple):
    """A write. ``kind``: of the object; ``counter``: which one counts it; ``record``: what is there then."""

    operation: Put | Delete
    kind: str
    counter: str
    record: Record | None


class StoreWriter:
    """Collects writes for transactions that are as large as they may be."""

    def __init__(self, store: Store, kept: Callable[[Write], None]) -> None:
        """``kept`` is told of each write when it is done."""
        self._store, self._kept = store, kept
        self._writes: list[Write] = []
        self._size = 0

    def add(self, write: Write) -> None:
        """One write more. Raises StoreError."""
        size = size_of(write.operation)
        if not fits(len(self._writes) + 1, self._size + size):
            self.finish()
        self._writes.append(write)
        self._size += size

    def finish(self) -> None:
        """Write what was collected. Raises StoreError."""
        if not self._writes:
            return
        self._store.transaction((), [write.operation for write in self._writes])
        writes, self._writes, self._size = self._writes, [], 0
        for write in writes:
            self._kept(write)
