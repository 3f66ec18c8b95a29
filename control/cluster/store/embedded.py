"""The store that lives in this process: in memory, or with a journal in a folder.

Two locks. Writers hold ``_writing`` from the compares of a transaction until it is done, the disk included; only at
the end, when the change is kept, do they take ``_state`` for the moment in which it comes to be in the keys and in
the history. Readers and watches take ``_state`` alone, so that they never wait for the disk, and never see what might
not be kept.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path

from vectorplane.control.cluster.store.entry import Change, Entry, Event, Listing
from vectorplane.control.cluster.store.errors import Compacted, InvalidRequest, StoreClosed, StoreFailed
from vectorplane.control.cluster.store.history import History
from vectorplane.control.cluster.store.journal import Journal
from vectorplane.control.cluster.store.keyspace import Keyspace
from vectorplane.control.cluster.store.single_writes import SingleWrites
from vectorplane.control.cluster.store.store import Store
from vectorplane.control.cluster.store.transaction import (
    Compare,
    Delete,
    DeletePrefix,
    Get,
    Operation,
    Outcome,
    Put,
    check,
    holds,
)
from vectorplane.control.cluster.store.value import check_key, check_prefix
from vectorplane.control.cluster.store.watch import EmbeddedWatch

HISTORY = 10_000
"""Changes that are kept for watches."""


class EmbeddedStore(SingleWrites):
    """See `Store`. With a ``journal`` it begins with what that has, otherwise empty.

    ``history``: how many changes are kept for watches (fewer when they are large). Opened again, a store has at most
    the changes since its journal was last rewritten.

    Raises:
        StoreCorrupt, StoreFailed: see `Journal.recover`; the journal is closed then.
    """

    def __init__(self, journal: Journal | None = None, history: int = HISTORY) -> None:
        self._writing, self._state = threading.Lock(), threading.Lock()
        self._closed = False
        self._journal = journal
        # a watch that nobody has any more is none
        self._watches: weakref.WeakSet[EmbeddedWatch] = weakref.WeakSet()
        self._keys, self._history = Keyspace(), History(1, history)
        if journal is not None:
            try:
                self._recover(journal, history)
            except BaseException:
                journal.close()
                raise

    def _recover(self, journal: Journal, history: int) -> None:
        recovered = journal.recover()
        self._keys, self._history = Keyspace(recovered.entries), History(recovered.revision, history)
        for revision, writes in enumerate(recovered.changes, recovered.revision + 1):
            events = (self._keys.event(key, data, revision) for key, data in writes.items())
            self._apply(Change(revision, tuple(filter(None, events))))

    def revision(self) -> int:
        """See `Store.revision`."""
        with self._state:
            self._check_open()
            return self._history.revision

    def get(self, key: str) -> Entry | None:
        """See `Store.get`."""
        check_key(key)
        with self._state:
            self._check_open()
            return self._keys.get(key)

    def list(self, prefix: str) -> Listing:
        """See `Store.list`."""
        check_prefix(prefix)
        with self._state:
            self._check_open()
            return Listing(self._history.revision, tuple(self._keys.under(prefix)))

    def transaction(
        self, compares: Sequence[Compare], then: Sequence[Operation], otherwise: Sequence[Operation] = ()
    ) -> Outcome:
        """See `Store.transaction`."""
        check(compares, then, otherwise)
        with self._writing:
            self._check_open()
            # nobody else writes: the keys can be read without the other lock
            succeeded = all(holds(compare, self._keys.get(compare.key)) for compare in compares)
            revision = self._history.revision + 1
            events, found = self._run(then if succeeded else otherwise, revision)
            if not events:
                return Outcome(succeeded, revision - 1, found, 0)
            self._commit(Change(revision, tuple(events)))
            return Outcome(succeeded, revision, found, sum(1 for e in events if e.entry is None))

    def _run(self, operations: Iterable[Operation], revision: int) -> tuple[Sequence[Event], tuple[Entry | None, ...]]:
        """What operations would do, and what they find. Changes nothing."""
        events: dict[str, Event] = {}
        found: list[Entry | None] = []
        for operation in operations:
            match operation:
                case Get(key=key):
                    found.append(events[key].entry if key in events else self._keys.get(key))
                    continue
                case Put(key=key, data=data):
                    new = [self._keys.event(key, data, revision)]
                case Delete(key=key):
                    new = [self._keys.event(key, None, revision)]
                case DeletePrefix(prefix=prefix):
                    new = [self._keys.event(entry.key, None, revision) for entry in self._keys.under(prefix)]
            events.update((event.key, event) for event in new if event is not None)
        return tuple(events.values()), tuple(found)

    def _commit(self, change: Change) -> None:
        try:
            if self._journal is not None:
                self._journal.append(change)
            with self._state:
                self._apply(change)
        except StoreFailed:
            raise
        except BaseException:  # a KeyboardInterrupt: journal and memory may be one change apart
            if self._journal is not None:
                self._journal.abandon()
            raise
        if self._journal is not None and self._journal.grown:
            self._journal.rewrite(change.revision, self._keys.under(""))

    def _apply(self, change: Change) -> None:
        self._keys.apply(change)
        self._history.append(change)
        for watch in self._watches:
            watch.offer(change)
        while self._history.too_long:
            self._forget_one()

    def _forget_one(self) -> None:
        change = self._history.drop()
        for watch in self._watches:
            watch.forget(change)

    def watch(self, prefix: str, from_revision: int | None = None) -> EmbeddedWatch:
        """See `Store.watch`."""
        check_prefix(prefix)
        with self._state:
            self._check_open()
            if from_revision is None:
                from_revision = self._history.revision + 1
            if from_revision < 1:
                raise InvalidRequest(f"there is no revision {from_revision}: they begin with 1")
            if from_revision <= self._history.compacted:
                raise Compacted(from_revision, self._history.compacted)
            watch = EmbeddedWatch(self._state, self._history, prefix, from_revision)
            self._watches.add(watch)
            return watch

    def compact(self, revision: int) -> None:
        """See `Store.compact`."""
        with self._state:
            self._check_open()
            if revision > self._history.revision:
                raise InvalidRequest(f"revision {revision} is still to come, {self._history.revision} is the last")
            while self._history.compacted < revision:
                self._forget_one()

    def close(self) -> None:
        """See `Store.close`."""
        with self._writing, self._state:
            if self._closed:
                return
            self._closed = True
            for watch in self._watches:
                watch.end(StoreClosed("the store is closed"))
            if self._journal is not None:
                self._journal.close()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreClosed("the store is closed")


def open_store(folder: Path | None, sync: bool = True) -> Store:
    """The store in a folder (made if need be), or one in memory.

    Raises:
        StoreLocked, StoreCorrupt, StoreFailed: see `Journal`.
    """
    return EmbeddedStore(None if folder is None else Journal(folder, sync))
