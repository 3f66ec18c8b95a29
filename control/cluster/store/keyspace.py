"""The keys of an embedded store, in their order, and what a write makes of them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

from vectorplane.control.cluster.store.entry import Change, Entry, Event


class Keyspace:
    """Keys and their entries. Takes no locks."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries = {entry.key: entry for entry in entries}
        # etcd orders by bytes of UTF-8, Python by code points: the same order
        self._sorted = sorted(self._entries)

    def get(self, key: str) -> Entry | None:
        """The entry of a key."""
        return self._entries.get(key)

    def under(self, prefix: str) -> list[Entry]:
        """The entries of all keys with a prefix, in order."""
        found = []
        for i in range(bisect_left(self._sorted, prefix), len(self._sorted)):
            key = self._sorted[i]
            if not key.startswith(prefix):
                break
            found.append(self._entries[key])
        return found

    def event(self, key: str, data: bytes | None, revision: int) -> Event | None:
        """What writing a key (None: deleting it) would do now; None when that is nothing. Changes nothing."""
        old = self._entries.get(key)
        if data is None:
            return None if old is None else Event(key, None, old)
        if old is None:
            return Event(key, Entry(key, data, revision, revision, 1), None)
        return Event(key, Entry(key, data, old.create_revision, revision, old.version + 1), old)

    def apply(self, change: Change) -> None:
        """Let it happen."""
        for event in change.events:
            if event.entry is None:
                del self._entries[event.key]
                del self._sorted[bisect_left(self._sorted, event.key)]
            else:
                if event.key not in self._entries:
                    insort(self._sorted, event.key)
                self._entries[event.key] = event.entry
