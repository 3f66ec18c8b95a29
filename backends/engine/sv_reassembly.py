"""Shallow virtual reassembly of an engine: limits, where it is on, and a timer that frees what waits too long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.interface import DELETED
from vectorplane.graph_nodes.event_kinds import SV_REASSEMBLY_STARTED
from vectorplane.graph_nodes.ip4_reassembly_memory import Limits
from vectorplane.graph_nodes.ip4_sv_contexts import SvReassembly
from vectorplane.graph_nodes.ip4_sv_reassembly import FREED, NAMES

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.timers import Timer

INPUT, OUTPUT = ("ip4-unicast", NAMES[1]), ("ip4-output", NAMES[2])
"""Arc and node."""
_LEAST_WALK_MS = 1


class SvReassemblies:
    """Users (the API, NAT) switch it on by interface, and it stays on until all have switched it off."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._timer: Timer | None = None
        self._by_api: set[int] = set()
        self._extended = 0
        engine.on_event(SV_REASSEMBLY_STARTED, self._started)
        engine.interfaces.on_change.append(self._interface_changed)

    @property
    def limits(self) -> Limits:
        """The limits in force."""
        return self._table.limits

    def set(self, limits: Limits) -> None:
        """Change them; what is too old by them goes now. Raises `ValueError`: one is out of range."""
        self._table.set(limits)
        if self._timer is not None:
            self._timer.cancel()
            self._run(self._engine.now)

    def use_extended(self, on: bool = True) -> None:
        """One user more, or less, of the extended mode: fragments go on when the first and the last one have come."""
        self._extended = max(0, self._extended + (1 if on else -1))
        self._table.set_extended(self._extended > 0)

    @property
    def count(self) -> int:
        """Datagrams of which fragments have come."""
        return self._table.count

    def use(self, sw_if_index: int, on: bool = True, *, output: bool = False) -> None:
        """One user more, or less, of what an interface receives (sends). Raises `KeyError`: no such interface."""
        self._engine.interfaces[sw_if_index]
        arc, node = OUTPUT if output else INPUT
        self._engine.plane.arcs[arc].enable(sw_if_index, node, on)
        if output:
            self._engine.routes.features_changed(sw_if_index)

    def enable(self, sw_if_index: int, on: bool = True) -> None:
        """The API's user. Raises `KeyError`: no such interface."""
        if on != (sw_if_index in self._by_api):
            self.use(sw_if_index, on)
            self._by_api ^= {sw_if_index}

    def enabled(self, sw_if_index: int) -> bool:
        """Is the API a user?"""
        return sw_if_index in self._by_api

    @property
    def _table(self) -> SvReassembly:
        return self._engine.plane.shared(SvReassembly)

    def _started(self, event: Any) -> None:
        if self._timer is None:
            self._arm(int(event["time"]))

    def _arm(self, now: int) -> None:
        walk = max(self.limits.expire_walk_interval_ms, _LEAST_WALK_MS) * 1_000_000
        self._timer = self._engine.timers.at(now + walk, self._run)

    def _run(self, now: int) -> None:
        self._timer = None
        self._table.expire(now, FREED)
        if self._table.count:
            self._arm(now)

    def _interface_changed(self, sw_if_index: int, what: str) -> None:
        if what == DELETED:
            self._by_api.discard(sw_if_index)
