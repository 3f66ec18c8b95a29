"""Timers of the control side, in the engine's own time: what is due runs between two packets, never late.

The engine's deadline is the earliest timer, and no packet later than that is taken before the timer ran; so
a run in virtual time gives the same result whatever the vector size.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from vectorplane.dataplane.abi import NEVER


class Timer:
    """One timer; `cancel` it any time."""

    __slots__ = ("callback", "when")

    def __init__(self, when: int, callback: Callable[[int], None]) -> None:
        self.when = when
        self.callback: Callable[[int], None] | None = callback

    def cancel(self) -> None:
        """Do not run it."""
        self.callback = None


class Timers:
    """Timers ordered by time (ns), then by when they were set."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Timer]] = []
        self._order = count()

    def at(self, when: int, callback: Callable[[int], None]) -> Timer:
        """Run ``callback(now)`` at ``when`` ns."""
        timer = Timer(when, callback)
        heapq.heappush(self._heap, (when, next(self._order), timer))
        return timer

    def next_time(self) -> int:
        """When the next timer is due; `NEVER` when there is none."""
        while self._heap and self._heap[0][2].callback is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else NEVER

    def run(self, now: int) -> int:
        """Run all that is due by ``now``; gives how many."""
        n = 0
        while self.next_time() <= now:
            timer = heapq.heappop(self._heap)[2]
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback(max(now, timer.when))
                n += 1
        return n
