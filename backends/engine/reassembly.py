"""Reassembly of an engine: limits, on which interfaces, and a timer that frees in time what nothing completes.

The timer runs only while fragments are held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.dataplane.abi import NEVER
from vectorplane.graph_nodes.event_kinds import REASSEMBLY_STARTED
from vectorplane.graph_nodes.ip4_reassembly_control import Reassembly
from vectorplane.graph_nodes.ip4_reassembly_memory import Limits

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.timers import Timer


FEATURE = "ip4-full-reassembly-feature"


class ReassemblyTimer:
    """Full reassembly of IPv4; calls `Reassembly.expire` when a context's time is up, not more often than VPP does.

    The nodes themselves expire by the packets' time before they look at a fragment, so when this runs changes
    how long buffers are held and nothing else.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._timer: Timer | None = None
        engine.on_event(REASSEMBLY_STARTED, self._started)

    @property
    def limits(self) -> Limits:
        """The limits in force."""
        return self._engine.plane.shared(Reassembly).limits

    def set(self, limits: Limits) -> None:
        """Change them. Raises `ValueError`: one is out of range."""
        self._engine.plane.shared(Reassembly).set(limits)
        if self._timer is not None:
            self._timer.cancel()
            self._arm(self._engine.now)

    def enable(self, sw_if_index: int, on: bool = True) -> None:
        """Put fragments that the interface receives together, or no longer. Raises `KeyError`: no such interface."""
        self._engine.interfaces[sw_if_index]
        if on != self.enabled(sw_if_index):
            self._engine.plane.arcs["ip4-unicast"].enable(sw_if_index, FEATURE, on)

    def enabled(self, sw_if_index: int) -> bool:
        """Is that so?"""
        return FEATURE in self._engine.plane.arcs["ip4-unicast"].chain(sw_if_index)

    @property
    def local_enabled(self) -> bool:
        """Are fragments to this router put together?"""
        return self._engine.plane.shared(Reassembly).local_enabled

    def enable_local(self, on: bool = True) -> None:
        """Whether fragments to this router are put together, or dropped."""
        self._engine.plane.shared(Reassembly).enable_local(on)

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
