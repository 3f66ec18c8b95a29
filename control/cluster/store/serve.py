"""Answers the requests of one client for a store: the other end of `remote.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vectorplane.control.cluster.store.errors import InvalidRequest, StoreError
from vectorplane.control.cluster.store.messages import (
    Json,
    change_out,
    compares_in,
    entry_out,
    error_out,
    listing_out,
    operations_in,
    outcome_out,
)
from vectorplane.control.cluster.store.store import Store, Watch

MOST_CHANGES = 64
"""That a watch gives at once."""
MOST_WATCHES = 64
"""Of one client."""


class StoreServer:
    """``answer`` takes a request and gives its answer, without waiting. The watches are the client's, until `close`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._watches: dict[int, Watch] = {}
        self._made = 0
        methods = (
            self.revision,
            self.get,
            self.listing,
            self.transaction,
            self.watch,
            self.take,
            self.unwatch,
            self.compact,
        )
        self._methods: dict[str, Callable[..., Any]] = {method.__name__: method for method in methods}

    def answer(self, request: Json) -> Json:
        """``{"method": NAME, "args": [...]}`` gives ``{"result": ...}`` or ``{"error": {...}}``."""
        name = request.get("method")
        method = self._methods.get(name) if isinstance(name, str) else None
        try:
            if method is None:
                raise InvalidRequest(f"a store has no method {name!r}")
            try:
                return {"result": method(*request.get("args", []))}
            except (TypeError, ValueError, LookupError, AttributeError) as error:
                raise InvalidRequest(f"{name}: no such request: {error}") from None
        except StoreError as error:
            return {"error": error_out(error)}

    def close(self) -> None:
        """The client is gone."""
        for watch in self._watches.values():
            watch.close()
        self._watches.clear()

    def revision(self) -> int:
        """See `Store.revision`."""
        return self._store.revision()

    def get(self, key: str) -> list[Any] | None:
        """See `Store.get`."""
        return entry_out(self._store.get(key))

    def transaction(self, compares: list[Any], then: list[Any], otherwise: list[Any]) -> list[Any]:
        """See `Store.transaction`."""
        done = self._store.transaction(compares_in(compares), operations_in(then), operations_in(otherwise))
        return outcome_out(done)

    def watch(self, prefix: str, from_revision: int | None) -> int:
        """See `Store.watch`; gives the number that `take` and `unwatch` want."""
        if len(self._watches) >= MOST_WATCHES:
            raise InvalidRequest(f"a client has at most {MOST_WATCHES} watches")
        self._made += 1
        self._watches[self._made] = self._store.watch(prefix, from_revision)
        return self._made

    def take(self, number: int) -> list[Any]:
        """The next changes of a watch that are there already. An error comes when all before it were taken."""
        watch = self._watches[number]
        found: list[Any] = []
        while len(found) < MOST_CHANGES:
            try:
                change = watch.take(0)
            except StoreError:
                if found:
                    break  # a watch that is over says so again
                raise
            if change is None:
                break
            found.append(change_out(change))
        return found

    def unwatch(self, number: int) -> None:
        """The client needs the watch no more."""
        watch = self._watches.pop(number, None)
        if watch is not None:
            watch.close()

    def listing(self, prefix: str) -> list[Any]:
        """See `Store.list`."""
        return listing_out(self._store.list(prefix))

    def compact(self, revision: int) -> None:
        """See `Store.compact`."""
        self._store.compact(revision)
