"""Epochs: nothing is reclaimed before all running workers have passed."""

from __future__ import annotations

import itertools
import threading

import pytest

from vectorplane.dataplane import epoch
from vectorplane.dataplane.epoch import Epochs
from vectorplane.jit.kernel import JIT, compiled
from vectorplane.jit.ops import ld64, load_acquire, st64, store_release


@compiled
def _pass(own: int, global_address: int) -> int:
    epoch.quiescent(own, global_address)
    return 0


def test_parked_workers_hold_nothing_up() -> None:
    epochs = Epochs(4)
    done: list[int] = []
    epochs.retire(lambda: done.append(1))
    epochs.retire(lambda: done.append(2))
    assert done == []
    assert epochs.waiting == 2
    assert epochs.poll() == 2
    assert done == [1, 2]
    assert epochs.poll() == 0


def test_a_running_worker_must_pass_after_the_retirement() -> None:
    epochs = Epochs(4)
    done: list[str] = []
    epochs.enter(0)
    epochs.enter(3)
    _pass(epochs.address_of(0), epochs.global_address)
    epochs.retire(lambda: done.append("a"))
    assert epochs.poll() == 0
    _pass(epochs.address_of(0), epochs.global_address)
    assert epochs.poll() == 0  # worker 3 has not passed
    epochs.retire(lambda: done.append("b"))
    _pass(epochs.address_of(3), epochs.global_address)
    assert epochs.poll() == 1
    assert done == ["a"]  # "b" waits for worker 0
    epochs.leave(0)
    epochs.enter(1)  # what enters now sees the new tables only
    assert epochs.poll() == 1
    assert done == ["a", "b"]


def test_a_failing_callback_does_not_stop_those_behind_it() -> None:
    epochs = Epochs(1)
    done: list[int] = []
    epochs.retire(lambda: 1 // 0)
    epochs.retire(lambda: done.append(2))
    with pytest.raises(ZeroDivisionError):
        epochs.poll()
    assert epochs.poll() == 1
    assert done == [2]


def test_a_callback_may_retire() -> None:
    epochs = Epochs(1)
    done: list[int] = []
    epochs.retire(lambda: epochs.retire(lambda: done.append(1)))
    epochs.synchronize()
    epochs.synchronize()
    assert done == [1]


def test_synchronize_times_out_on_a_worker_that_stands_still() -> None:
    epochs = Epochs(2)
    epochs.enter(1)
    with pytest.raises(TimeoutError, match=r"0\.01 s"):
        epochs.synchronize(timeout=0.01)
    epochs.leave(1)
    epochs.synchronize(timeout=0.01)


def test_words_lie_on_lines_of_their_own_and_wild_workers_are_refused() -> None:
    epochs = Epochs(3)
    words = [epochs.global_address] + [epochs.address_of(i) for i in range(3)]
    assert all(b - a == 64 for a, b in itertools.pairwise(words))
    for worker in (-1, 3):
        with pytest.raises(IndexError):
            epochs.address_of(worker)
    epochs.close()


@compiled
def _follow(own: int, global_address: int, cell: int) -> int:
    """A worker: follow the pointer at ``cell`` to what must be 1; gives how often it was not."""
    wrong = 0
    while load_acquire(cell + 8) == 0:
        for _ in range(64):
            if ld64(load_acquire(cell)) != 1:
                wrong += 1
        epoch.quiescent(own, global_address)
    return wrong


@compiled
def _publish(cell: int, address: int) -> int:
    store_release(cell, address)
    return 0


@compiled
def _poison(address: int) -> int:
    st64(address, 0)
    return 0


def test_concurrent_reader_never_sees_reclaimed_memory() -> None:
    assert JIT
    epochs = Epochs(1)
    region = epoch.Region(4096, name="cells")
    words = region.view("i8")
    objects = [region.address + 512 + 64 * i for i in range(8)]
    for address in objects:
        words[(address - region.address) // 8] = 1
    free = objects[1:]
    current = objects[0]
    _publish(region.address, current)
    for function in (_follow, _poison):
        _ = function.address
    wrong: list[int] = []
    epochs.enter(0)
    arguments = epochs.address_of(0), epochs.global_address, region.address
    reader = threading.Thread(target=lambda: wrong.append(_follow(*arguments)))
    reader.start()

    def reclaim(address: int) -> None:
        _poison(address)  # whoever still reads it notices
        free.append(address)

    for _ in range(2000):
        while not free:
            epochs.poll()
        fresh = free.pop(0)
        words[(fresh - region.address) // 8] = 1
        _publish(region.address, fresh)
        epochs.retire(lambda old=current: reclaim(old))  # type: ignore[misc]
        current = fresh
        epochs.poll()
    _publish(region.address + 8, 1)
    reader.join()
    assert wrong == [0]
