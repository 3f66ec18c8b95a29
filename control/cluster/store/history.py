"""The last changes of an embedded store: what watches read from, so that a slow one costs no memory of its own."""

from __future__ import annotations

from vectorplane.control.cluster.store.entry import Change

MAX_BYTES = 64 << 20
"""Of the values in all changes that are kept, old and new ones."""


class History:
    """Changes by revision, without a gap: all from ``compacted`` + 1 to ``revision``. Takes no locks."""

    def __init__(self, revision: int, changes: int) -> None:
        self.revision = self.compacted = revision
        self._limit = changes
        self._changes: dict[int, Change] = {}
        self._bytes = 0

    def __getitem__(self, revision: int) -> Change:
        return self._changes[revision]

    def append(self, change: Change) -> None:
        """The next change."""
        self.revision = change.revision
        self._changes[change.revision] = change
        self._bytes += _size(change)

    @property
    def too_long(self) -> bool:
        """More is kept than should be. The last change always is, however large."""
        return len(self._changes) > 1 and (len(self._changes) > self._limit or self._bytes > MAX_BYTES)

    def drop(self) -> Change:
        """Forget the oldest change."""
        self.compacted += 1
        change = self._changes.pop(self.compacted)
        self._bytes -= _size(change)
        return change


def _size(change: Change) -> int:
    return sum(len(entry.data) for e in change.events for entry in (e.entry, e.previous) if entry is not None)
