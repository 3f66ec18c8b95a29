"""Sweeping the MAC table: entries that are stale or too old go, and who watches is told what came, moved and went.

As in VPP: every minute while a domain ages its entries; once after a flush; and every `delay` for events alone while
somebody watches. The whole table is looked at with numpy (a million entries: some tens of milliseconds).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vectorplane.graph_nodes.l2.config import L2Config
from vectorplane.graph_nodes.l2.fib import (
    AGE_NOT,
    FLAGS,
    LEARN_EVENT,
    LEARN_MOVE,
    MAC_MASK,
    MINUTE,
    SEQUENCE,
    L2FibTable,
    interface_in,
)
from vectorplane.graph_nodes.l2.l2_learn import NS_PER_MINUTE

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.timers import Timer

ADDED, GONE, MOVED = 0, 1, 2
Change = tuple[bytes, int, int]
"""MAC address, sw_if_index, and what happened."""
Rows = npt.NDArray[np.int64]
_MINUTE_NS = 60_000_000_000


class Scanner:
    """Looks through the MAC table of one engine when it is time to."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.delay = 0.1
        self.pid = 0
        self.max_macs = 100
        self.age_seconds = self.event_seconds = 0.0
        self._callback: Callable[[list[Change]], None] | None = None
        self._ages = False
        self._age_timer: Timer | None = None
        self._event_timer: Timer | None = None
        self._soon_timer: Timer | None = None

    # --- when

    def age(self, on: bool) -> None:
        """A domain ages its entries (look at once and then every minute), or none does any more."""
        self._ages = on
        if self._age_timer is not None:
            self._age_timer.cancel()
            self._age_timer = None
        if on:
            self._age(self._engine.now)

    def soon(self) -> None:
        """Something was flushed: sweep as soon as the engine is between two packets."""
        if self._soon_timer is None:
            self._soon_timer = self._engine.timers.at(self._engine.now, self._swept)

    def now(self) -> None:
        """Sweep at once."""
        self._scan(self._engine.now, True)

    def watch(self, callback: Callable[[list[Change]], None], pid: int, max_macs: int) -> None:
        """Tell ``callback`` of changes, at most ``max_macs`` a call."""
        self._callback, self.pid, self.max_macs = callback, pid, max_macs
        if self._event_timer is None:
            self._wait_for_events(self._engine.now)

    def unwatch(self) -> None:
        """Tell nobody."""
        self._callback, self.pid = None, 0
        if self._event_timer is not None:
            self._event_timer.cancel()
            self._event_timer = None

    def _swept(self, now: int) -> None:
        self._soon_timer = None
        self._scan(now, True)

    def _age(self, now: int) -> None:
        self._scan(now, True)
        self._age_timer = self._engine.timers.at(now + _MINUTE_NS, self._age) if self._ages else None

    def _wait_for_events(self, now: int) -> None:
        self._event_timer = self._engine.timers.at(now + max(1, round(self.delay * 1e9)), self._look_for_events)

    def _look_for_events(self, now: int) -> None:
        self._scan(now, False)
        self._wait_for_events(now)

    # --- what

    def _scan(self, now: int, sweep: bool) -> None:
        began = time.perf_counter()
        table = self._engine.plane.shared(L2FibTable)
        rows = table.rows()
        told = self._news(table, rows) if self._callback is not None else []
        if sweep:
            gone = self._too_old(rows, now)
            for key, value in rows[gone].tolist():
                table.map.delete((key,))
                if self._callback is not None:
                    told.append((_mac(key), interface_in(value), GONE))
            self._recount(table, rows[~gone])
            self.age_seconds = time.perf_counter() - began
        else:
            self.event_seconds = time.perf_counter() - began
        if self._callback is not None:
            for at in range(0, len(told), self.max_macs):
                self._callback(told[at : at + self.max_macs])

    def _news(self, table: L2FibTable, rows: Rows) -> list[Change]:
        """What was learnt or moved since the last look; the marks are taken off the entries, and off ``rows``."""
        told: list[Change] = []
        marked = np.flatnonzero(rows[:, 1] >> FLAGS & LEARN_EVENT)
        for at in marked.tolist():
            key, value = (int(word) for word in rows[at])
            told.append((_mac(key), interface_in(value), MOVED if value >> FLAGS & LEARN_MOVE else ADDED))
            rows[at, 1] = value & ~((LEARN_EVENT | LEARN_MOVE) << FLAGS)
            table.map.set((key,), int(rows[at, 1]))
        return told

    def _too_old(self, rows: Rows, now: int) -> npt.NDArray[np.bool_]:
        """Which entries are stale, or were not heard of for longer than their domain keeps them."""
        bridges, inputs = self._engine.bridges, self._engine.plane.shared(L2Config).inputs
        domains = rows[:, 0] >> 48
        ages = np.zeros(int(domains.max(initial=0)) + 1, np.int64)
        sequences = np.full(len(ages), -1, np.int64)  # of a domain that is gone: no entry has it
        for index, domain in bridges.by_index.items():
            if index < len(ages):
                ages[index], sequences[index] = domain.mac_age, domain.seq
        values = rows[:, 1]
        learnt = (values >> FLAGS & AGE_NOT) == 0
        interfaces = np.where(learnt, values & 0xFFFFFFFF, 0)
        wanted = np.where(sequences[domains] < 0, -1, sequences[domains] << 8 | inputs["seq"][interfaces])
        stale = (values >> SEQUENCE & 0xFFFF) != wanted
        silent = ((now // NS_PER_MINUTE & 0xFF) - (values >> MINUTE & 0xFF)) & 0xFF
        old = (ages[domains] != 0) & (silent >= ages[domains])
        gone = sequences[domains] < 0  # with its domain an entry goes even if it was provisioned
        return (learnt & (stale | old)) | gone

    def _recount(self, table: L2FibTable, rows: Rows) -> None:
        """Put the counts of learnt entries right, and of provisioned ones: some of these have moved."""
        learnt = rows[(rows[:, 1] >> FLAGS & AGE_NOT) == 0]
        table.state["learn_count"] = len(learnt)
        table.provisioned = len(rows) - len(learnt)
        records = self._engine.plane.shared(L2Config).domains
        per_domain = np.bincount(learnt[:, 0] >> 48, minlength=1)
        for index in self._engine.bridges.by_index:
            records[index]["learn_count"] = int(per_domain[index]) if index < len(per_domain) else 0


def _mac(key: int) -> bytes:
    return (key & MAC_MASK).to_bytes(6, "little")
