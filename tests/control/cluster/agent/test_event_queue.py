"""The order of events, and how many may wait."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vectorplane.control.cluster.agent.errors import QueueFull
from vectorplane.control.cluster.agent.event import Resync
from vectorplane.control.cluster.agent.event_queue import MOST, EventQueue, Waiting


def both(queue: EventQueue) -> Waiting | None:
    return queue.pop_follow_up() or queue.pop()


@given(st.lists(st.sampled_from(["push", "follow", "pop", "cancel"]), max_size=40))
def test_first_in_first_out_and_follow_ups_ahead(steps: list[str]) -> None:
    queue, line, ahead = EventQueue(most=6), [], []
    futures = {}
    for number, step in enumerate(steps):
        alive = [n for n in (*ahead, *line) if not futures[n].cancelled()]
        if step in ("push", "follow"):
            try:
                futures[number] = queue.push(Resync(str(number)), 7 if step == "follow" else None)
            except QueueFull:
                assert len(alive) == 6
            else:
                (ahead if step == "follow" else line).append(number)
        elif step == "cancel" and alive:
            assert futures[alive[-1]].cancel()
        elif step == "pop":
            got = both(queue)
            assert (None if got is None else got.event.reason) == (str(alive[0]) if alive else None)  # type: ignore[attr-defined]
            if alive:
                (ahead if alive[0] in ahead else line).remove(alive[0])


def test_a_full_queue_is_told_by_name() -> None:
    queue = EventQueue()
    for _ in range(MOST):
        queue.push(Resync("x"))
    with pytest.raises(QueueFull, match=r"1000 events wait already, Resync .* is refused"):
        queue.push(Resync("y"))


def test_many_threads_push() -> None:
    queue = EventQueue()
    woken: list[int] = []
    queue.on_push = lambda: woken.append(1)

    def work(name: str) -> None:
        for i in range(100):
            queue.push(Resync(f"{name}{i}"))

    threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    got = []
    while (waiting := queue.pop()) is not None:
        got.append(waiting.event.reason)  # type: ignore[attr-defined]
    assert len(woken) == 300
    for name in "abc":
        assert [g for g in got if g[0] == name] == [f"{name}{i}" for i in range(100)]
