"""A watch of an embedded store: a place in the store's history, and whoever waits there.

It has no queue. A writer that makes a change wakes those that wait for it and is done; the watch reads the change
from the history when somebody takes it. So a watch that nobody reads costs nothing, cannot hold writers up, and loses
its place when the history ends behind it: then it is over, with `Compacted`. Changes of other prefixes never end it.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

from vectorplane.control.cluster.store.entry import Change
from vectorplane.control.cluster.store.errors import Compacted, StoreClosed, StoreError
from vectorplane.control.cluster.store.history import History


class EmbeddedWatch:
    """See `Watch`. ``lock`` is the store's, which guards the history; the methods for the store want it held."""

    def __init__(self, lock: threading.Lock, history: History, prefix: str, from_revision: int) -> None:
        self._lock, self._history, self._prefix = lock, history, prefix
        self._next = from_revision
        """The first revision that was not looked at yet."""
        self._over: StoreError | None = None
        self._closed = False
        """By its owner, not together with the store."""
        self._threads = threading.Condition(lock)
        self._futures: list[asyncio.Future[None]] = []

    def offer(self, change: Change) -> None:
        """For the store: this change has just been added to the history."""
        if self._next > change.revision:
            return
        if change.touches(self._prefix):
            self._wake()
        elif self._next == change.revision:
            self._next += 1

    def forget(self, change: Change) -> None:
        """For the store: this change, the oldest one, was taken out of the history."""
        if self._next > change.revision:
            return
        if change.touches(self._prefix):
            self.end(Compacted(self._next, change.revision))
        self._next = change.revision + 1

    def end(self, error: StoreError) -> None:
        """For the store: there is no more, and this is why."""
        if self._over is None:
            self._over = error
            self._wake()

    def _wake(self) -> None:
        self._threads.notify_all()
        for future in self._futures:
            with suppress(RuntimeError):  # its loop was closed, nobody waits
                future.get_loop().call_soon_threadsafe(_resolve, future)
        self._futures.clear()

    def _poll(self) -> Change | None:
        """The next change if there is one. The lock is held."""
        if self._over is not None:
            raise self._over.with_traceback(None)  # one error, raised perhaps often
        while self._next <= self._history.revision:
            found = self._history[self._next].under(self._prefix)
            self._next += 1
            if found is not None:
                return found
        return None

    def take(self, timeout: float | None = None) -> Change | None:
        """See `Watch.take`."""
        found: Change | None = None

        def ready() -> bool:
            nonlocal found
            found = self._poll()
            return found is not None

        with self._threads:
            self._threads.wait_for(ready, timeout)
        return found

    def __aiter__(self) -> EmbeddedWatch:
        return self

    async def __anext__(self) -> Change:
        """See `Watch`. Being cancelled while waiting loses nothing: the place moves only when a change is returned."""
        while True:
            with self._lock:
                if self._closed:
                    raise StopAsyncIteration
                if (found := self._poll()) is not None:
                    return found
                # under the same lock, or a change could come between looking and waiting
                future = asyncio.get_running_loop().create_future()
                self._futures.append(future)
            try:
                await future
            finally:
                with self._lock, suppress(ValueError):
                    self._futures.remove(future)

    def close(self) -> None:
        """See `Watch.close`."""
        with self._lock:
            self._closed = True
            self.end(StoreClosed("the watch is closed"))


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
