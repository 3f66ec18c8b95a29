"""A store in another process of this machine, asked over whatever connects the two. etcd needs a client of its own.

Watches are polled: the other end only ever answers, so it may be a process that does something else meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from vectorplane.control.cluster.store.entry import Change, Entry, Listing
from vectorplane.control.cluster.store.errors import StoreClosed
from vectorplane.control.cluster.store.messages import (
    Json,
    change_in,
    entry_in,
    error_in,
    listing_in,
    outcome_in,
    parts_out,
)
from vectorplane.control.cluster.store.single_writes import SingleWrites
from vectorplane.control.cluster.store.transaction import (
    Compare,
    Operation,
    Outcome,
    check,
)
from vectorplane.control.cluster.store.value import check_key, check_prefix

POLL = 0.02
"""Seconds between two looks of somebody who waits for a watch."""

Ask = Callable[[Json], Json]
"""Gives a `StoreServer`'s answer to a request. Raises StoreFailed: there is none."""


class RemoteStore(SingleWrites):
    """See `Store`. For as many threads as ``ask`` is."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._closed = False

    def request(self, method: str, *args: Any) -> Any:
        """What the server's method answers. Raises StoreError."""
        if self._closed:
            raise StoreClosed("the store is closed")
        answer = self._ask({"method": method, "args": args})
        if "error" in answer:
            raise error_in(answer["error"])
        return answer["result"]

    def revision(self) -> int:
        """See `Store.revision`."""
        found: int = self.request("revision")
        return found

    def get(self, key: str) -> Entry | None:
        """See `Store.get`."""
        check_key(key)
        return entry_in(self.request("get", key))

    def list(self, prefix: str) -> Listing:
        """See `Store.list`."""
        check_prefix(prefix)
        return listing_in(self.request("listing", prefix))

    def transaction(
        self, compares: Sequence[Compare], then: Sequence[Operation], otherwise: Sequence[Operation] = ()
    ) -> Outcome:
        """See `Store.transaction`."""
        check(compares, then, otherwise)
        return outcome_in(self.request("transaction", parts_out(compares), parts_out(then), parts_out(otherwise)))

    def watch(self, prefix: str, from_revision: int | None = None) -> RemoteWatch:
        """See `Store.watch`."""
        check_prefix(prefix)
        return RemoteWatch(self, self.request("watch", prefix, from_revision))

    def compact(self, revision: int) -> None:
        """See `Store.compact`."""
        self.request("compact", revision)

    def close(self) -> None:
        """No more of it from here; the store itself goes on."""
        self._closed = True


class RemoteWatch:
    """See `Watch`."""

    def __init__(self, store: RemoteStore, number: int) -> None:
        self._store, self._number = store, number
        self._taken: deque[Change] = deque()
        self._closed = False

    def take(self, timeout: float | None = None) -> Change | None:
        """See `Watch.take`."""
        until = None if timeout is None else time.monotonic() + timeout
        while (found := self._poll()) is None:
            left = POLL if until is None else min(POLL, until - time.monotonic())
            if left <= 0:
                return None
            time.sleep(left)
        return found

    def __aiter__(self) -> RemoteWatch:
        return self

    async def __anext__(self) -> Change:
        while not self._closed:
            found = self._poll()
            if found is not None:
                return found
            await asyncio.sleep(POLL)
        raise StopAsyncIteration

    def close(self) -> None:
        """See `Watch.close`."""
        if not self._closed:
            self._closed = True
            self._taken.clear()
            self._store.request("unwatch", self._number)

    def _poll(self) -> Change | None:
        if self._closed:
            raise StoreClosed("the watch is closed")
        if not self._taken:
            self._taken.extend(map(change_in, self._store.request("take", self._number)))
        return self._taken.popleft() if self._taken else None
