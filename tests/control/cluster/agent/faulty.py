"""Stores that are away, and stores and dataplanes at whose n-th operation the agent's process is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tests.control.scheduler.fake_backend import FakeBackend
from vectorplane.backends.base import Operation
from vectorplane.backends.items import Item
from vectorplane.control.cluster.store.errors import StoreFailed
from vectorplane.control.cluster.store.store import Store


class Killed(BaseException):
    """The process is gone: nothing of it runs any more."""


class Fuse:
    """Kills at an operation, before it is carried out or after (then nobody learns of it)."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.after = False
        self.burnt = False

    def light(self, operations: int, after: bool) -> None:
        self.left, self.after, self.burnt = operations, after, False

    def around(self, operation: Callable[[], Any]) -> Any:
        if self.burnt:
            raise Killed
        if self.left is None:
            return operation()
        self.left -= 1
        if self.left > 0:
            return operation()
        self.left, self.burnt = None, True
        if self.after:
            operation()
        raise Killed


class FusedStore:
    """A store as one process sees it."""

    def __init__(self, store: Store, fuse: Fuse) -> None:
        self._store, self._fuse = store, fuse

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*args: Any) -> Any:
            result = self._fuse.around(lambda: method(*args))
            return FusedWatch(result, self._fuse) if name == "watch" else result

        return call


class FusedWatch:
    """A watch of it."""

    def __init__(self, watch: Any, fuse: Fuse) -> None:
        self._watch, self._fuse = watch, fuse

    def take(self, timeout: float | None = None) -> Any:
        found = self._watch.take(timeout)
        return None if found is None else self._fuse.around(lambda: found)

    def close(self) -> None:
        self._watch.close()


class FusedBackend(FakeBackend):
    """A dataplane that outlives its agents."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self._fuse = fuse

    def _one(self, operation: Operation) -> None:
        self._fuse.around(lambda: super(FusedBackend, self)._one(operation))

    def dump(self, kind: type[Item]) -> Iterable[Item]:
        found: Iterable[Item] = self._fuse.around(lambda: super(FusedBackend, self).dump(kind))
        return found


class AwayStore:
    """A store that can't be reached while ``away``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.away = False
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*args: Any) -> Any:
            self.asked += 1
            if self.away:
                raise StoreFailed("no answer")
            result = method(*args)
            return AwayWatch(result, self) if name == "watch" else result

        return call


class AwayWatch:
    """A watch of it."""

    def __init__(self, watch: Any, store: AwayStore) -> None:
        self._watch, self._store = watch, store

    def take(self, timeout: float | None = None) -> Any:
        if self._store.away:
            raise StoreFailed("the connection broke")
        return self._watch.take(timeout)

    def close(self) -> None:
        self._watch.close()
