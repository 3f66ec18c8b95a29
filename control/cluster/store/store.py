"""The interface of a store: what KSR, agents and the command line know of it.

All methods of a store may be called from any thread, and block until the store has answered: memory is quick, a disk
or a network is not, so on an event loop it is ``await asyncio.to_thread(store.put, key, value)``. A watch is what
waits for long, so it can be waited for in both ways: by a thread (`take`) or on an event loop (``async for``).

The way to follow a prefix, whatever happens::

    while True:
        listing = store.list(prefix)  # resync from these
        try:
            async for change in store.watch(prefix, listing.revision + 1):
                ...
        except Compacted:  # we were too slow
            continue
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from vectorplane.control.cluster.store.entry import Change, Entry, Listing
from vectorplane.control.cluster.store.transaction import Compare, Operation, Outcome
from vectorplane.control.cluster.store.value import JsonObject


class Watch(Protocol):
    """Changes of keys with a prefix, one transaction at a time, in order, each once."""

    def take(self, timeout: float | None = None) -> Change | None:
        """The next change; None when none came in ``timeout`` seconds (0: do not wait, None: wait for ever).

        Raises:
            Compacted: changes are gone that were not taken yet; the watch is over.
            StoreClosed: the store or the watch was closed.
        """

    def __aiter__(self) -> Watch:
        """The watch is its own iterator."""

    async def __anext__(self) -> Change:
        """The next change. A closed watch ends the iteration; otherwise raises as `take` does."""

    def close(self) -> None:
        """No more of it; who waits is woken."""


class Store(Protocol):
    """Keys, JSON objects, revisions. Every method raises StoreError when it fails, StoreClosed after `close`."""

    def revision(self) -> int:
        """Of the last change. An empty store has 1, so the first change is 2."""

    def get(self, key: str) -> Entry | None:
        """What a key is, None when there is none."""

    def list(self, prefix: str) -> Listing:
        """All keys with a prefix, in their order."""

    def put(self, key: str, value: JsonObject) -> int:
        """Write a key; returns the revision. Raises InvalidRequest: see `check`."""

    def delete(self, key: str) -> bool:
        """Delete a key; says whether there was one."""

    def delete_prefix(self, prefix: str) -> int:
        """Delete all keys with a prefix in one transaction; says how many there were."""

    def transaction(
        self, compares: Sequence[Compare], then: Sequence[Operation], otherwise: Sequence[Operation] = ()
    ) -> Outcome:
        """If all compares hold do this, otherwise that, all of it or nothing.

        Raises:
            InvalidRequest: see `check`.
            StoreFailed: the change could not be kept.
        """

    def watch(self, prefix: str, from_revision: int | None = None) -> Watch:
        """Follow a prefix from a revision on (None: from now on; one that is still to come is waited for).

        Raises:
            Compacted: the change of that revision is gone.
            InvalidRequest: revisions begin with 1.
        """

    def compact(self, revision: int) -> None:
        """Forget the changes up to this revision; the keys stay. Raises InvalidRequest: it is still to come."""

    def close(self) -> None:
        """The end, for all watches too."""
