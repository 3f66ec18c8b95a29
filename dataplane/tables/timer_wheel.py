"""The timer wheel as Python makes and drives it, and the names that kernels import.

Kernels call ``start(wheel, handle, deadline_ns)``, ``stop(wheel, handle)``,
``advance(wheel, now_ns, out, most)`` and ``next_deadline(wheel)`` with `TimerWheel.address`.
`vectorplane.dataplane.tables.timer_slots` says how the wheel works.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.region import Bump, Region
from vectorplane.dataplane.tables.timer_slots import (
    ENTRY,
    LEVELS,
    NEVER,
    WHEEL,
    advance,
    next_deadline,
    start,
    stop,
)
from vectorplane.jit.kernel import compiled

__all__ = ["NEVER", "TimerWheel", "advance", "next_deadline", "start", "stop"]

_BATCH = 1024


@compiled
def wheel_start(wheel: int, handle: int, deadline_ns: int) -> int:
    """`start`, for Python."""
    return start(wheel, handle, deadline_ns)


@compiled
def wheel_stop(wheel: int, handle: int) -> int:
    """`stop`, for Python."""
    return stop(wheel, handle)


@compiled
def wheel_advance(wheel: int, now_ns: int, out: int, most: int) -> int:
    """`advance`, for Python."""
    return advance(wheel, now_ns, out, most)


@compiled
def wheel_next(wheel: int) -> int:
    """`next_deadline`, for Python."""
    return next_deadline(wheel)


class TimerWheel:
    """Timers for handles 0 .. ``capacity`` - 1, exact to ``tick_ns``, starting at time ``now_ns``.

    16 bytes a handle, reserved and used as needed. Times are int64 nanoseconds; one below zero or in the past
    is due at once.
    """

    def __init__(self, capacity: int, tick_ns: int, name: str, now_ns: int = 0) -> None:
        if not 1 <= capacity < 1 << 30:
            raise ValueError(f"timer wheel {name}: a capacity of {capacity} is not supported")
        if tick_ns < 1 or now_ns < 0:
            raise ValueError(f"timer wheel {name}: a tick of {tick_ns} ns from {now_ns} ns is not supported")
        self.capacity, self.tick_ns, self.name = capacity, tick_ns, name
        heads = 64 * LEVELS
        entries = capacity + 1 + heads
        self._region = Region(entries * ENTRY.itemsize + 4 * _BATCH + 4096, name=name)
        bump = Bump(self._region)
        self.address = bump.take(WHEEL.itemsize)
        """Address of the wheel, for kernels."""
        self._out = bump.take(4 * _BATCH)
        at = bump.take(entries * ENTRY.itemsize)
        self._state = self._region.view(WHEEL, 0, 1)[0]
        self._state["tick_ns"], self._state["now"] = tick_ns, now_ns // tick_ns
        self._state["entries"], self._state["capacity"] = at, capacity
        lists = self._region.view(ENTRY, at - self.address, entries)[capacity + 1 :]
        lists["next"] = lists["prev"] = np.arange(capacity + 1, entries)

    def start(self, handle: int, deadline_ns: int) -> None:
        """Start the timer of ``handle``, or move it. Raises `IndexError` for a wild handle."""
        if wheel_start(self.address, handle, deadline_ns) < 0:
            raise IndexError(f"timer wheel {self.name}: handle {handle} is not below {self.capacity}")

    def stop(self, handle: int) -> bool:
        """Stop a timer; False when it did not run. Raises `IndexError` for a wild handle."""
        stopped = wheel_stop(self.address, handle)
        if stopped < 0:
            raise IndexError(f"timer wheel {self.name}: handle {handle} is not below {self.capacity}")
        return bool(stopped)

    def advance(self, now_ns: int) -> npt.NDArray[np.int32]:
        """Expire all timers up to ``now_ns``; gives their handles, by tick."""
        out = self._region.view("i4", self._out - self.address, _BATCH)
        parts = []
        while True:
            n = wheel_advance(self.address, now_ns, self._out, _BATCH)
            parts.append(out[:n].copy())
            if n < _BATCH:
                return np.concatenate(parts)

    def next_deadline(self) -> int:
        """No timer expires before this time, ns; `NEVER` when none runs."""
        return wheel_next(self.address)

    def __len__(self) -> int:
        """Timers that run."""
        return int(self._state["running"])

    def close(self) -> None:
        """Give the memory back, when this object goes; kernels must have let go of it."""
        self._region.close()
