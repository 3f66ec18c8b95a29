"""Several engines in one virtual time: they advance in lockstep, no farther ahead of each other than a link's latency.

What happens at time t at one engine reaches another one at t + latency at the earliest. So when t is the earliest
time at which anything is due anywhere, every engine may run up to t + latency - 1 without hearing anything late;
what was sent meanwhile then lies at the far ends of the links, in time. The next round starts at what is due next:
stretches in which nothing happens cost nothing, however long they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from vectorplane.dataplane.abi import NEVER

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.sim_link import Link


class Network:
    """Engines joined by links (one engine too, whose ports are linked to each other).

    All have the clock `virtual`, or all `fast`. The result depends on nothing but their configurations and input.

    Raises:
        ValueError: other clocks, a link to an engine that is not in the network, or an engine named twice.
    """

    def __init__(self, engines: Sequence[Engine], links: Iterable[Link] = ()) -> None:
        self.engines = list(engines)
        self.links = list(links)
        clocks = {e.clock for e in self.engines}
        if len(clocks) != 1 or not clocks <= {"virtual", "fast"}:
            raise ValueError(f"a network needs engines with the clock virtual, or all fast, not {sorted(clocks)}")
        if len({id(e) for e in self.engines}) != len(self.engines):
            raise ValueError("an engine is in the network twice")
        self.ports = [p for link in self.links for p in link.ports]
        for port in self.ports:
            if not any(port.engine is e for e in self.engines):
                raise ValueError(f"port {port.name} is linked, but its engine is not in the network")
        self.look_ahead = min((link.latency_ns for link in self.links), default=NEVER)
        """Shortest latency, ns."""
        self.rounds = 0
        self.stopped = False
        self._fast = clocks == {"fast"}

    def next_time(self) -> int:
        """When the next packet is due at an input of an engine, ns; `NEVER` when none is known."""
        return min(e.next_time() for e in self.engines)

    def run(self) -> None:
        """Run until no packet is left anywhere. As for one engine, timers alone do not keep it going."""
        while not self.stopped and self.next_time() < NEVER:
            self._round(NEVER)

    def run_until(self, limit: int) -> None:
        """Run everything that is due up to ``limit`` ns, timers included; all clocks then stand there.

        Raises:
            ValueError: the clock is `fast`, which has no time.
        """
        if self._fast:
            raise ValueError("engines with the clock fast have no time to run until")
        while not self.stopped and min(self._due(e) for e in self.engines) <= limit:
            self._round(limit)
        if not self.stopped:
            for engine in self.engines:
                engine.run_until(limit)

    def stop(self) -> None:
        """Make `run` return soon; may be called from any thread or a signal handler."""
        self.stopped = True
        for engine in self.engines:
            engine.stop()

    @staticmethod
    def _due(engine: Engine) -> int:
        return min(engine.next_time(), engine.timers.next_time())

    def _round(self, limit: int) -> None:
        self.rounds += 1
        if self._fast or (not self.links and limit == NEVER):
            for engine in self.engines:
                engine.run()
            return
        due = [self._due(e) for e in self.engines]
        horizon = min(limit, min(due) + self.look_ahead - 1) if self.links else limit
        for engine, at in zip(self.engines, due, strict=True):
            if at <= horizon:
                engine.run_until(horizon)
        for port in self.ports:
            port.depart(horizon)
