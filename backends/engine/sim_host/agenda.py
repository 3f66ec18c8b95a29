"""What the hosts of a network have before them, frames and timers: one heap for all, so idle hosts are free."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vectorplane.backends.engine.timers import Timer, Timers

if TYPE_CHECKING:
    from vectorplane.backends.engine.sim_host.host_link import HostLink


class Agenda:
    """The hosts' virtual time, ns, and what happens in it, in order of time and then of when it was set."""

    def __init__(self) -> None:
        self.now = 0
        self._timers = Timers()
        self.unsent: dict[HostLink, None] = {}
        """Links whose hosts have sent something that the port has not been given yet, in the order of sending."""

    def at(self, when: int, callback: Callable[[int], None]) -> Timer:
        """Run ``callback(now)`` at ``when`` ns, now when that is past."""
        return self._timers.at(max(when, self.now), callback)

    def next_time(self) -> int:
        """When the next thing happens; `NEVER` when there is none."""
        return self._timers.next_time()

    def run_until(self, horizon: int) -> None:
        """Let all happen that is due up to ``horizon`` ns, each at its time, then give the ports what was sent."""
        timers = self._timers
        while (when := timers.next_time()) <= horizon:
            self.now = max(self.now, when)
            timers.run(self.now)
        self.now = max(self.now, horizon)
        self.hand_over()

    def hand_over(self) -> None:
        """Give the ports what hosts have sent."""
        if self.unsent:
            links = list(self.unsent)
            self.unsent.clear()
            for link in links:
                link.hand_over()
