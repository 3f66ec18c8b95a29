"""A store asked from another process: the same machine as for a store on disk, with all that is said going as JSON."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import settings

from tests.control.cluster.store.test_stateful import HISTORY, Machine
from vectorplane.control.cluster.store.embedded import EmbeddedStore
from vectorplane.control.cluster.store.errors import InvalidRequest, StoreClosed, StoreError
from vectorplane.control.cluster.store.journal import Journal
from vectorplane.control.cluster.store.remote import RemoteStore
from vectorplane.control.cluster.store.serve import MOST_CHANGES, MOST_WATCHES, StoreServer
from vectorplane.control.cluster.store.store import Store


def remote(store: Store) -> RemoteStore:
    server = StoreServer(store)

    def ask(request: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(json.dumps(server.answer(json.loads(json.dumps(request)))))
        return answer

    return RemoteStore(ask)


class RemoteMachine(Machine):
    """Everything is asked of the remote one; the store behind it is opened and closed."""

    def open(self) -> None:
        self.behind = EmbeddedStore(Journal(self.folder, sync=False, growth=400), HISTORY)
        self.store = remote(self.behind)  # type: ignore[assignment]
        self.store.close = self.behind.close  # type: ignore[method-assign]


RemoteMachine.TestCase.settings = settings(derandomize=True, deadline=None, max_examples=30, stateful_step_count=30)
TestRemoteStore = RemoteMachine.TestCase


def test_more_changes_than_are_told_at_once() -> None:
    store = EmbeddedStore()
    there = remote(store)
    watch = there.watch("a/", 1 + store.revision())
    for i in range(3 * MOST_CHANGES + 1):
        store.put(f"a/{i}", {"n": i})
    for i in range(3 * MOST_CHANGES + 1):
        change = watch.take(0)
        assert change is not None and [e.key for e in change.events] == [f"a/{i}"]
    assert watch.take(0.05) is None


def test_waiting_on_an_event_loop() -> None:
    store = EmbeddedStore()
    watch = remote(store).watch("")

    async def follow() -> list[str]:
        asyncio.get_running_loop().call_later(0.05, store.put, "k", {})
        asyncio.get_running_loop().call_later(0.15, watch.close)
        return [e.key async for change in watch for e in change.events]

    assert asyncio.run(follow()) == ["k"]


def test_ends() -> None:
    store = EmbeddedStore()
    there = remote(store)
    watch, other = there.watch(""), there.watch("")
    other.close()
    with pytest.raises(StoreClosed, match="the watch is closed"):
        other.take(0)
    store.close()
    with pytest.raises(StoreClosed, match="the store is closed"):
        watch.take(0)
    with pytest.raises(StoreClosed):
        there.get("k")
    there.close()
    with pytest.raises(StoreClosed):
        there.revision()


def test_watches_of_one_client_are_few() -> None:
    there = remote(EmbeddedStore())
    kept = [there.watch("") for _ in range(MOST_WATCHES)]
    with pytest.raises(InvalidRequest, match="at most 64 watches"):
        there.watch("")
    kept[0].close()
    there.watch("")


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"method": None},
        {"method": "close"},
        {"method": "answer", "args": [{}]},
        {"method": "get"},
        {"method": "get", "args": [7]},
        {"method": "take", "args": [1]},
        {"method": "transaction", "args": [[["Is", "k"]], [], []]},
        {"method": "transaction", "args": [[], [["Put", "k", "{"]], []]},
        {"method": "transaction", "args": [[], [["Put"]], []]},
        {"method": "transaction", "args": [[], 5, []]},
        {"method": "watch", "args": ["", "x"]},
    ],
)
def test_bad_requests_are_told(request_: dict[str, Any]) -> None:
    store = EmbeddedStore()
    answer = StoreServer(store).answer(request_)
    assert answer["error"]["kind"] == "InvalidRequest", answer
    assert store.revision() == 1


def test_errors_keep_their_kinds() -> None:
    store = EmbeddedStore()
    there = remote(store)
    for wrong in (lambda s: s.put("", {}), lambda s: s.watch("", 0), lambda s: s.compact(9)):
        with pytest.raises(StoreError) as here:
            wrong(store)
        with pytest.raises(type(here.value)) as beyond:
            wrong(there)
        assert str(beyond.value) == str(here.value)
