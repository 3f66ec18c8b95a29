"""Has fragments that nothing completes freed in time: a timer that runs only while some are held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.dataplane.abi import NEVER
from vectorplane.graph_nodes.event_kinds import REASSEMBLY_STARTED
from vectorplane.graph_nodes.ip4_reassembly_control import Reassembly

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.timers import Timer


class ReassemblyTimer:
    """Calls `Reassembly.expire` when a context's time is up, not more often than VPP's expire walk does.

    The nodes themselves expire by the packets' time before they look at a fragment, so when this runs changes
    how long buffers are held and nothing else.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._timer: Timer | None = None
        engine.on_event(REASSEMBLY_STARTED, self._started)

    def _started(self, event: Any) -> None:
        if self._timer is None:
            self._arm(int(event["time"]))

    def _arm(self, now: int) -> None:
        reassembly = self._engine.plane.shared(Reassembly)
        due = reassembly.next_expiry()
        if due == NEVER:
            due = now  # all complete by now: let the workers ask again
        walk = reassembly.limits.expire_walk_interval_ms * 1_000_000
        self._timer = self._engine.timers.at(max(due, now + walk), self._run)

    def _run(self, now: int) -> None:
        self._timer = None
        reassembly = self._engine.plane.shared(Reassembly)
        reassembly.expire(now)
        if reassembly.count:
            self._arm(now)
