"""What a node counts while it runs: its error counters, and whether it dropped or consumed its packet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane


class Tally:
    """Counters of one worker between `begin` and `counted`. ``dropped``, ``consumed``: node and reason, or None."""

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        self._worker = 0
        self._before: list[npt.NDArray[np.int64]] = []
        self.dropped: tuple[str, str] | None = None
        self.consumed: tuple[str, str] | None = None

    def _now(self) -> list[npt.NDArray[np.int64]]:
        plane, n = self._plane, len(self._plane.graph.error_names)
        return [v.thread(self._worker)[:n].astype(np.int64) for v in (plane.errors, plane.drops, plane.consumed)]

    def begin(self, worker: int) -> None:
        """Count from now on."""
        self._worker = worker
        self._before = self._now()

    def counted(self) -> dict[str, int]:
        """What was counted, by text (of another node's counters with its name in front)."""
        names = self._plane.graph.error_names
        errors, drops, consumed = (now - before for now, before in zip(self._now(), self._before, strict=True))
        self.dropped, self.consumed = (
            next((names[i] for i in np.flatnonzero(change)), None) for change in (drops, consumed)
        )
        return {f"{names[i][0]}: {names[i][1]}": int(errors[i]) for i in np.flatnonzero(errors)}
