"""The CPU's time stamp counter: its reading, and its frequency against the system's clock."""

from __future__ import annotations

import functools
import time

from vectorplane.jit.kernel import compiled
from vectorplane.jit.ops import cycles


@compiled
def _read(unused: int) -> int:
    return int(cycles())


def read_cycles() -> int:
    """The cycle counter now."""
    return _read(0)


@functools.cache
def tsc_hz() -> float:
    """Ticks of the cycle counter in a second (measured over 50 ms, once a process)."""
    read_cycles()
    t0, c0 = time.perf_counter_ns(), read_cycles()
    time.sleep(0.05)
    t1, c1 = time.perf_counter_ns(), read_cycles()
    return (c1 - c0) * 1e9 / (t1 - t0)
