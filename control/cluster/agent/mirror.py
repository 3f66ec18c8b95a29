"""A copy of the cluster's records on this node: a start while the cluster's store is away goes by it."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from vectorplane.control.cluster.keys import PREFIX
from vectorplane.control.cluster.store.entry import Change, Entry, Listing
from vectorplane.control.cluster.store.errors import StoreError
from vectorplane.control.cluster.store.store import Store
from vectorplane.control.cluster.store.transaction import Delete, Operation, Put, batches

log = logging.getLogger(__name__)

_WHOLE = "mirror"
"""Key that is there while the copy is one of a whole listing, not one that was cut short."""


class Mirror:
    """The copy is in a store of its own (`open_store(folder, sync=False)`). One that fails is not used any more."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._failed = False

    def read(self) -> tuple[Entry, ...]:
        """What was copied; nothing: there is no whole copy."""
        try:
            return () if self._store.get(_WHOLE) is None else self._store.list(PREFIX).entries
        except StoreError as error:
            self._fail(error)
            return ()

    def copy(self, listing: Listing) -> None:
        """The cluster's store holds this and nothing else."""
        if self._failed:
            return
        try:
            before = {entry.key: entry.data for entry in self._store.list(PREFIX).entries}
            now = {entry.key: entry for entry in listing.entries}
            gone = [Delete(key) for key in before if key not in now]
            new = [Put(key, e.value) for key, e in now.items() if before.get(key) != e.data]
            self._store.delete(_WHOLE)
            self._write([*gone, *new])
            self._store.put(_WHOLE, {})
        except StoreError as error:
            self._fail(error)

    def follow(self, change: Change) -> None:
        """It has changed."""
        if self._failed:
            return
        try:
            self._write([Delete(e.key) if e.entry is None else Put(e.key, e.entry.value) for e in change.events])
        except StoreError as error:
            self._fail(error)

    def _write(self, operations: Iterable[Operation]) -> None:
        for batch in batches(operations):
            self._store.transaction((), batch)

    def _fail(self, error: StoreError) -> None:
        """A copy that is behind is worse than none; the store may refuse to say so, too."""
        self._failed = True
        log.error("the local copy of the cluster's records is not used any more: %s", error)
        try:
            self._store.delete(_WHOLE)
        except StoreError:
            log.error("and it could not be marked as incomplete: delete it before the next start")
