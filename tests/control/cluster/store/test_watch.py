"""Watches: threads and event loops, slow ones, the end, and nothing lost or seen twice while others write."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.control.cluster.store.comparing import contents, happened, item, taken
from vectorplane.control.cluster.store.embedded import EmbeddedStore
from vectorplane.control.cluster.store.entry import Change
from vectorplane.control.cluster.store.errors import Compacted, StoreClosed
from vectorplane.control.cluster.store.store import Watch
from vectorplane.control.cluster.store.transaction import Delete, Put

WRITERS, EACH = 4, 400
END = "p/end"


def _write(store: EmbeddedStore, writer: int) -> None:
    for i in range(EACH):
        key = f"p/{i % 7}"
        if i % 5 == 4:
            store.transaction((), [Delete(key), Put(f"p/w{writer}", {"n": i})])
        else:
            store.put(key if i % 3 else f"other/{writer}", {"writer": writer, "n": i})


class Follower:
    """Lists in the middle of the writing and follows from there."""

    def __init__(self, store: EmbeddedStore, begin: int) -> None:
        self._store, self._begin = store, begin
        self.listed = threading.Event()
        self.seen: list[Change] = []

    def list(self) -> Watch:
        """Once the store is at a certain revision."""
        before = self._store.watch("")
        while self._store.revision() < self._begin:
            assert before.take(20) is not None
        self._listing = self._store.list("p/")
        self.listed.set()
        return self._store.watch("p/", self._listing.revision + 1)

    def add(self, change: Change | None) -> bool:
        """One more change; whether it is the last."""
        assert change is not None
        self.seen.append(change)
        return change.events[0].key == END

    def check(self) -> None:
        """What was listed and what was seen since make what there is, each event going on from the one before."""
        now = {entry.key: item(entry) for entry in self._listing.entries}
        revision = self._listing.revision
        for change in self.seen:
            assert change.revision > revision
            revision = change.revision
            for event in happened(change):
                assert now.get(event.key) == event.old
                now[event.key] = event.new
        there = {key: found for key, found in now.items() if found is not None}
        assert there == {entry.key: item(entry) for entry in self._store.list("p/").entries}
        assert self.seen


def _race(store: EmbeddedStore, followers: list[Follower], pool: ThreadPoolExecutor) -> None:
    for future in [pool.submit(_write, store, i) for i in range(WRITERS)]:
        future.result(60)
    for follower in followers:
        assert follower.listed.wait(20)
    store.put(END, {})


def test_complete_in_threads_while_others_write() -> None:
    store = EmbeddedStore()
    followers = [Follower(store, begin) for begin in (1, 50, 300)]

    def follow(follower: Follower) -> None:
        watch = follower.list()
        while not follower.add(watch.take(20)):
            pass

    with ThreadPoolExecutor() as pool, ThreadPoolExecutor() as writers:
        following = [pool.submit(follow, follower) for follower in followers]
        _race(store, followers, writers)
        for future in following:
            future.result(60)
    for follower in followers:
        follower.check()


def test_complete_on_an_event_loop_while_others_write() -> None:
    store = EmbeddedStore()
    followers = [Follower(store, begin) for begin in (1, 50, 300)]

    async def follow(follower: Follower) -> None:
        watch = await asyncio.to_thread(follower.list)
        while True:
            try:  # being cancelled loses nothing
                async with asyncio.timeout(0.001):
                    change = await anext(aiter(watch))
            except TimeoutError:
                continue
            if follower.add(change):
                return

    async def run() -> None:
        with ThreadPoolExecutor() as writers:
            race = asyncio.to_thread(_race, store, followers, writers)
            await asyncio.gather(race, *map(follow, followers))

    asyncio.run(asyncio.wait_for(run(), 60))
    for follower in followers:
        follower.check()


def test_future_revision() -> None:
    store = EmbeddedStore()
    watch = store.watch("", 4)
    for n in range(2, 6):
        assert store.put("k", {"n": n}) == n
    assert [e.revision for e in taken(watch)] == [4, 5]


def test_from_now_on() -> None:
    store = EmbeddedStore()
    store.put("k", {})
    watch = store.watch("k")
    assert watch.take(0) is None
    assert watch.take(0.01) is None
    store.put("l", {})
    store.delete("k")
    assert [(e.revision, e.key, e.new) for e in taken(watch)] == [(4, "k", None)]


def test_a_slow_watch_ends_and_writers_never_wait() -> None:
    store = EmbeddedStore(history=10)
    slow, other = store.watch("p/"), store.watch("q/")
    for n in range(10):
        store.put("p/k", {"n": n})
    early = store.watch("p/", 2)
    assert len(taken(early)) == 10
    store.put("q/k", {})
    with pytest.raises(Compacted, match="list again") as caught:
        slow.take()
    assert caught.value.revision == 2
    with pytest.raises(Compacted):
        slow.take(0)
    for n in range(9):
        store.put("p/k", {"n": n})
    # it has waited for longer than the history is, but for nothing that it wants
    assert [e.key for e in taken(other)] == ["q/k"]
    assert len(taken(early)) == 9


def test_large_changes_are_kept_for_less_long() -> None:
    store = EmbeddedStore()
    for n in range(70):
        store.put(f"k{n}", {"x": "x" * (1 << 20)})
    with pytest.raises(Compacted):
        store.watch("", 2)
    assert len(taken(store.watch("", 20))) == 52
    watch = store.watch("")
    store.delete_prefix("k")
    assert len(taken(watch)) == 70  # one change is always kept


def test_compaction() -> None:
    store = EmbeddedStore()
    for n in range(5):
        store.put("k", {"n": n})
    behind, there = store.watch("", 3), store.watch("", 5)
    store.compact(4)
    store.compact(3)
    with pytest.raises(Compacted):
        behind.take(0)
    assert [e.revision for e in taken(there)] == [5, 6]
    with pytest.raises(Compacted):
        store.watch("", 4)
    assert len(contents(store)) == 1


def test_the_end_wakes_threads() -> None:
    store = EmbeddedStore()
    for end in (lambda watch: watch.close(), lambda watch: store.close()):
        watch = store.watch("")
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(watch.take, 20)
            while not watch._threads._waiters:  # type: ignore[attr-defined]
                pass
            end(watch)
            with pytest.raises(StoreClosed):
                waiting.result(20)


def test_the_end_wakes_event_loops() -> None:
    async def run() -> None:
        store = EmbeddedStore()
        ours, others = store.watch(""), store.watch("")

        async def follow(watch: Watch) -> int:
            return len([change async for change in watch])

        tasks = [asyncio.create_task(follow(watch)) for watch in (ours, others)]
        await asyncio.sleep(0)
        store.put("k", {})
        await asyncio.sleep(0.01)
        ours.close()
        assert await tasks[0] == 1
        store.close()
        with pytest.raises(StoreClosed, match="the store is closed"):
            await tasks[1]

    asyncio.run(asyncio.wait_for(run(), 20))


def test_an_event_loop_that_was_closed_stops_no_writer() -> None:
    store = EmbeddedStore()
    watch = store.watch("")
    loop = asyncio.new_event_loop()
    task = loop.create_task(watch.__anext__())  # type: ignore[arg-type]
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    store.put("k", {})
    assert len(taken(watch)) == 1
    task._log_destroy_pending = False  # type: ignore[attr-defined]


def test_a_watch_that_nobody_has_is_forgotten() -> None:
    store = EmbeddedStore()
    watch = weakref.ref(store.watch(""))
    gc.collect()
    assert watch() is None
    store.put("k", {})
