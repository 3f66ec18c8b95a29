"""Ageing of neighbours that were learnt: silent for longer than the age, three probes a second apart, then gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.neighbour_store import NeighbourStore
    from vectorplane.backends.engine.timers import Timer

SECOND = 1_000_000_000
PROBES = 3


class Ageing:
    """Looks at neighbours when the one that was silent longest is due. Does nothing while the age is 0."""

    def __init__(self, engine: Engine, neighbours: NeighbourStore) -> None:
        self._engine, self._neighbours = engine, neighbours
        self.max_age = 0
        """Seconds."""
        self._timer: Timer | None = None

    def set(self, max_age: int) -> None:
        """Choose the age."""
        self.max_age = max_age
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.poke()

    def poke(self) -> None:
        """There is a neighbour to look after."""
        if self.max_age and self._timer is None:
            learnt = [n for n in self._neighbours.dump() if not n.static]
            if learnt:
                self._wake_at(min(self._neighbours.heard(n) for n in learnt) + (self.max_age + 1) * SECOND)

    def _wake_at(self, when: int) -> None:
        self._timer = self._engine.timers.at(max(when, self._engine.now), self._run)

    def _run(self, now: int) -> None:
        """As VPP: whole seconds of silence count, and only more of them than the age."""
        self._timer = None
        soonest = -1
        for neighbour in self._neighbours.dump():
            if neighbour.static:
                continue
            heard = self._neighbours.heard(neighbour)
            if (now - heard) // SECOND <= self.max_age:
                neighbour.probes = 0
                wake = heard + (self.max_age + 1) * SECOND
            elif neighbour.probes >= PROBES:
                self._neighbours.destroy(neighbour)
                continue
            else:
                self._neighbours.probe(neighbour.sw_if_index, neighbour.address)
                neighbour.probes += 1
                wake = now + SECOND
            soonest = wake if soonest < 0 else min(soonest, wake)
        if soonest >= 0 and self.max_age:
            self._wake_at(soonest)
