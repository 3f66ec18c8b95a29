"""What can go wrong with a store."""

from __future__ import annotations

from pathlib import Path


class StoreError(Exception):
    """The store did not do it."""


class InvalidRequest(StoreError):
    """A request that no store would take: a key, a value, a size, a revision; nothing was changed."""


class Compacted(StoreError):
    """The changes that a watch wants are gone, all those up to ``revision``: list again, and watch from there."""

    def __init__(self, wanted: int, revision: int) -> None:
        super().__init__(
            f"the changes from revision {wanted} on are not all there any more (gone: all up to {revision}): "
            "list again, and watch from the revision after that of the list"
        )
        self.revision = revision


class StoreClosed(StoreError):
    """The store, or the watch, was closed."""


class StoreLocked(StoreError):
    """The store on disk is open already."""


class StoreCorrupt(StoreError):
    """A file of the store is not what was written there."""

    def __init__(self, path: Path, line: int, why: str) -> None:
        super().__init__(f"{path}:{line}: {why}")
        self.path, self.line = path, line


class StoreFailed(StoreError):
    """The disk refused a change. Reading goes on; the text says whether writing does."""


class NoneFree(StoreError):
    """All numbers are taken."""
