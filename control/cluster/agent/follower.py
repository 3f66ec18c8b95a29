"""Follows the cluster's store: all that is there first, then change after change, and again when it was away."""

from __future__ import annotations

import logging
from collections.abc import Callable

from vectorplane.control.cluster.keys import PREFIX
from vectorplane.control.cluster.store.entry import Change, Listing
from vectorplane.control.cluster.store.errors import Compacted, StoreClosed, StoreError
from vectorplane.control.cluster.store.store import Store, Watch

log = logging.getLogger(__name__)

RETRY = 3.0
"""Seconds between two attempts to reach a store that is away (as Contiv-VPP's agent)."""


class Follower:
    """Nothing here waits, except for the store's own answers. ``clock`` gives seconds."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock
        self._watch: Watch | None = None
        self._retry_at = clock()
        self._early: Change | StoreError | None = None
        self.away = "it was not asked yet"
        """Why the store is not followed; empty: it is."""

    @property
    def retry_at(self) -> float | None:
        """When the store is asked again; None: it is followed."""
        return self._retry_at if self._watch is None else None

    def poll(self) -> Listing | Change | None:
        """What is new: at first, and whenever changes were missed, all there is; then each change.

        A listing begins anew: what it does not have is gone.
        """
        if self._watch is not None:
            try:
                return self._take(self._watch)
            except Compacted as error:
                self.lost(error, at_once=True)
            except StoreError as error:
                self.lost(error)
        if self._clock() < self._retry_at:
            return None
        try:
            listing = self._store.list(PREFIX)
            self._watch = self._store.watch(PREFIX, listing.revision + 1)
        except StoreError as error:
            self.lost(error)
            return None
        if self.away:
            log.info("the store is followed from revision %d on", listing.revision)
        self.away = ""
        return listing

    def lost(self, error: StoreError, at_once: bool = False) -> None:
        """The store failed: begin anew, after a while."""
        log.warning("the store: %s", error)
        self.close()
        self.away = str(error) or type(error).__name__
        self._retry_at = self._clock() + (0.0 if at_once else RETRY)

    async def wait(self) -> None:
        """Until `poll` has something; at once when the store is away. May be cancelled: nothing is lost."""
        if self._early is not None or self._watch is None:
            return
        try:
            self._early = await self._watch.__anext__()
        except StopAsyncIteration:
            self._early = StoreClosed("the watch is closed")
        except StoreError as error:
            self._early = error

    def close(self) -> None:
        """No more of it."""
        if self._watch is not None:
            self._watch.close()
        self._watch, self._early = None, None

    def _take(self, watch: Watch) -> Change | None:
        early, self._early = self._early, None
        if isinstance(early, StoreError):
            raise early
        return early if early is not None else watch.take(0)
