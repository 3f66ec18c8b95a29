"""Timers in a dict, sorted when time advances."""

from __future__ import annotations


class NaiveTimers:
    def __init__(self, tick_ns: int, now_ns: int = 0) -> None:
        self.tick_ns = tick_ns
        self.now = now_ns // tick_ns
        self.timers: dict[int, tuple[int, int]] = {}
        self.started = 0

    def start(self, handle: int, deadline_ns: int) -> None:
        tick = max(-(-deadline_ns // self.tick_ns), self.now)
        self.timers[handle] = tick, self.started
        self.started += 1

    def stop(self, handle: int) -> bool:
        return self.timers.pop(handle, None) is not None

    def advance(self, now_ns: int) -> list[int]:
        """Handles that expire, by tick and then by when they were started."""
        until = now_ns // self.tick_ns
        due = sorted((when, handle) for handle, when in self.timers.items() if when[0] <= until)
        for _, handle in due:
            del self.timers[handle]
        self.now = max(self.now, until)
        return [handle for _, handle in due]

    def first(self) -> int | None:
        """The time of the first tick at which a timer is due, ns."""
        return min((tick for tick, _ in self.timers.values()), default=None)
