"""Counters since the last ``clear``: where they stood then is remembered, the counters themselves go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.stats import Vector

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

I64Array = npt.NDArray[np.int64]


class SinceClear:
    """What each counter vector of a dataplane held when it was cleared last; ``plane.shared(SinceClear)``."""

    def __init__(self, plane: Dataplane) -> None:
        self._workers = len(plane.workers)
        self._before: dict[str, list[I64Array]] = {}
        self.dispatch: list[tuple[int, int]] = [(0, 0)] * self._workers
        """For each worker: rounds, and clocks of the dispatcher, at the last ``clear runtime``."""

    def clear(self, vector: Vector, length: int) -> None:
        """From now on the first ``length`` counters count from where they stand."""
        self._before[vector.name] = [np.array(vector.thread(w)[:length], np.int64) for w in range(self._workers)]

    def read(self, vector: Vector, length: int, worker: int | None = None) -> I64Array:
        """The first ``length`` counters of one worker, or of all together: int64 [length]."""
        if worker is None:
            return sum((self.read(vector, length, w) for w in range(self._workers)), np.zeros(length, np.int64))
        counts = np.array(vector.thread(worker)[:length], np.int64)
        if vector.name in self._before:
            before = self._before[vector.name][worker][:length]
            known = counts[: len(before)]
            # a counter below its mark was set to zero meanwhile
            known -= np.where(known < before, 0, before)
        return counts
