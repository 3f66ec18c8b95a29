"""Reclamation without waiting readers: when may memory that was unlinked from a table be used again?

A global number, the epoch, only grows. A worker that holds no reference into any table (between two
rounds of dispatch) publishes the epoch that it sees; a worker that is not running publishes `PARKED`.
Who unlinks something raises the epoch and hands over a callback (`Epochs.retire`); the callback runs
once every running worker has published an epoch at least as high: each has since been without
references and, having read the raised epoch with acquire, can only find what is linked now.

Why the orders are right. A worker publishes with a release store, so its earlier reads of the table are
done. Going from parked to running is the hard case: "I run" must be visible before the first read of a
table, which no release store gives. Hence `enter` first stores an epoch, then does an atomic
read-modify-write of the global word. Against `retire`'s own one comes before the other: either the
worker sees what was unlinked, or the reclaimer sees the worker.

Python reads and writes these words through compiled atomics too. On x86 a numpy store of an aligned
int64 would do, being one instruction; elsewhere it would carry no order.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from vectorplane.dataplane.region import Region
from vectorplane.jit.kernel import compiled, helper
from vectorplane.jit.ops import fetch_add, load_acquire, store_release

PARKED = -1
"""Published by a worker that is not running: it holds no references."""
LINE = 64


@helper
def quiescent(own: int, global_address: int) -> None:
    """A running worker says that it holds no references now (once a round; two plain moves on x86)."""
    store_release(own, load_acquire(global_address))


@helper
def enter(own: int, global_address: int) -> None:
    """A parked worker runs from here on and may read tables."""
    store_release(own, load_acquire(global_address))
    fetch_add(global_address, 0)


@helper
def leave(own: int) -> None:
    """The worker holds no references and will take none before its next `enter`."""
    store_release(own, PARKED)


@compiled
def _move(own: int, global_address: int, run: int) -> int:
    """Enter (``run`` 1) or leave (0), for Python callers."""
    if run:
        enter(own, global_address)
    else:
        leave(own)
    return 0


@compiled
def _raise(global_address: int) -> int:
    """The new epoch."""
    return int(fetch_add(global_address, 1)) + 1


@compiled
def _oldest(first: int, workers: int, global_address: int) -> int:
    """The epoch that all running workers have passed.

    When all are parked that is the epoch before the look at them: whatever is retired after it may be
    seen by a worker that enters in between.
    """
    lowest = load_acquire(global_address)
    for i in range(workers):
        seen = load_acquire(first + LINE * i)
        if seen != PARKED and seen < lowest:
            lowest = seen
    return int(lowest)


class Epochs:
    """The epochs of one engine: a word for each of ``max_workers`` workers, each on its own cache line.

    All workers start parked. Methods may be called from any thread.
    """

    def __init__(self, max_workers: int = 64) -> None:
        self.max_workers = max_workers
        self._region = Region(LINE * (1 + max_workers), name="epochs")
        self._region.view("i8")[8::8] = PARKED
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, Callable[[], object]]] = deque()

    @property
    def global_address(self) -> int:
        """Address of the epoch (int64)."""
        return self._region.address

    def address_of(self, worker: int) -> int:
        """Address of the int64 that ``worker`` publishes in. Raises `IndexError` for a wild number."""
        if not 0 <= worker < self.max_workers:
            raise IndexError(f"worker {worker}: there are {self.max_workers}")
        return self._region.address + LINE * (1 + worker)

    def enter(self, worker: int) -> None:
        """Mark ``worker`` as running, before its first read of a table."""
        _move(self.address_of(worker), self.global_address, 1)

    def leave(self, worker: int) -> None:
        """Mark ``worker`` as parked: it holds no references."""
        _move(self.address_of(worker), self.global_address, 0)

    def retire(self, callback: Callable[[], object]) -> None:
        """Have ``callback`` run (by a later `poll`) when nobody can hold what was unlinked before this call."""
        with self._lock:
            self._waiting.append((_raise(self.global_address), callback))

    @property
    def waiting(self) -> int:
        """Callbacks that have not run yet."""
        return len(self._waiting)

    def poll(self) -> int:
        """Run the callbacks that are due, oldest first, on this thread; gives how many.

        A callback's exception is passed on; the callbacks behind it run at the next poll.
        """
        if not self._waiting:
            return 0
        passed = _oldest(self.address_of(0), self.max_workers, self.global_address)
        done = 0
        while True:
            with self._lock:
                if not self._waiting or self._waiting[0][0] > passed:
                    return done
                callback = self._waiting.popleft()[1]
            callback()
            done += 1

    def synchronize(self, timeout: float = 10.0) -> None:
        """Wait until all that was retired before this call has been reclaimed.

        Raises `TimeoutError` when a worker does not pass within ``timeout`` seconds.
        """
        passed = threading.Event()
        self.retire(passed.set)
        deadline = time.monotonic() + timeout
        while True:
            self.poll()
            if passed.is_set():
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"a worker has not passed its quiescent state within {timeout} s")
            time.sleep(50e-6)

    def close(self) -> None:
        """Give the words back; no worker may run any more."""
        self._waiting.clear()
        self._region.close()
