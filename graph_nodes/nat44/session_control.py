"""Sessions from the control side: their memory, ending those whose time is up, looking at them.

All but `NatSessions.columns` and the like change what workers use: none may be dispatching, or the lock is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.abi import NEVER
from vectorplane.dataplane.buffer import lock, unlock
from vectorplane.dataplane.region import HUGE_PAGE, Region, lent
from vectorplane.graph_nodes.nat44.affinity import affinity_at, forget
from vectorplane.graph_nodes.nat44.counters import NatCounters
from vectorplane.graph_nodes.nat44.flow_table import BUCKET, SLOTS, find, put
from vectorplane.graph_nodes.nat44.nat import AFFINITY, AFFINITY_POOL, MAPPING, MAPPING_SIZE, N_LOCK, NAT
from vectorplane.graph_nodes.nat44.session import COLD, HALF, KINDS, cold_at, half_at, last_active
from vectorplane.graph_nodes.nat44.session_table import end, head_of, join_list, leave_list, timeout_of
from vectorplane.graph_nodes.nat44.tables import FIRST_BUCKETS, MOST_AT_FIRST, MOST_SESSIONS, NatTables
from vectorplane.jit.kernel import compiled
from vectorplane.jit.ops import ld32s, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

_FULL = 3
"""Flows a bucket of eight at which the table is made bigger, so that nearly all are in their first one."""


@compiled
def sweep(nat: int, now: int) -> int:
    """End all sessions whose time is up by ``now``; gives how many."""
    n = rec(nat, NAT)
    ended = 0
    lock(nat + N_LOCK)
    for worker in range(n.workers):
        for kind in range(KINDS):
            timeout = timeout_of(nat, kind)
            left = n.live
            session = head_of(nat, worker, kind)
            while session >= 0 and left > 0 and rec(cold_at(n.colds, session), COLD).enqueued + timeout <= now:
                active = last_active(n.halves, 2 * session)
                if now - active >= timeout:
                    end(nat, session, now)
                    ended += 1
                else:
                    leave_list(nat, session)
                    join_list(nat, session, kind, active)
                left -= 1
                session = head_of(nat, worker, kind)
    unlock(nat + N_LOCK)
    return ended


@compiled
def next_sweep(nat: int) -> int:
    """When the next session may end by itself; `NEVER` without any."""
    n = rec(nat, NAT)
    due = NEVER
    for worker in range(n.workers):
        for kind in range(KINDS):
            session = head_of(nat, worker, kind)
            if session >= 0:
                due = min(due, rec(cold_at(n.colds, session), COLD).enqueued + timeout_of(nat, kind))
    return due


@compiled
def sweep_affinities(nat: int, now: int) -> int:
    """Forget which backends clients had of services whose time is up; gives how many records are left."""
    n = rec(nat, NAT)
    pool = rec(n.affinity_pool, AFFINITY_POOL)
    lock(nat + N_LOCK)
    for index in range(pool.top):
        a = rec(affinity_at(nat, index), AFFINITY)
        if a.mapping >= 0:
            m = rec(n.mappings + a.mapping * MAPPING_SIZE, MAPPING)
            if m.generation != a.generation or (a.references == 0 and a.expires < now):
                forget(nat, index)
    unlock(nat + N_LOCK)
    return int(pool.live)


@compiled
def end_all(nat: int, sessions: int, n: int, now: int) -> int:
    """End the ``n`` sessions whose numbers (int32) are at ``sessions``."""
    lock(nat + N_LOCK)
    for i in range(n):
        session = ld32s(sessions + 4 * i)
        if rec(cold_at(rec(nat, NAT).colds, session), COLD).live != 0:
            end(nat, session, now)
    unlock(nat + N_LOCK)
    return n


@compiled
def refill(nat: int) -> int:
    """Put all flows into a new, empty flow table; gives how many did not fit."""
    n = rec(nat, NAT)
    lost = 0
    for number in range(2 * n.top):
        half = rec(half_at(n.halves, number), HALF)
        if half.present != 0 and not put(nat, number):
            half.present = 0
            lost += 1
    return lost


@compiled
def find_flow(nat: int, addresses: int, key: int) -> int:
    """`find`, for Python."""
    return find(nat, addresses, key)


class NatSessions:
    """The flow table of an engine, and views of its sessions."""

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        self.tables = plane.shared(NatTables)
        self.address = self.tables.address
        self._first = FIRST_BUCKETS
        self._flows = self._make(self._first)
        self._use()

    def expect(self, sessions: int) -> None:
        """Have room for so many sessions, or for a good part of them, from the beginning: many may come at once, and
        the table grows only when the workers pause."""
        self._first = FIRST_BUCKETS
        while self._first * _FULL < 2 * sessions and self._first < MOST_AT_FIRST:
            self._first *= 2
        if self._first > self.buckets:
            self._replace(self._first)

    def _replace(self, buckets: int) -> None:
        old = self._flows
        self._flows = self._make(buckets)
        self._use()
        refill(self.address)
        self._plane.epochs.retire(old.close)

    @staticmethod
    def _make(buckets: int) -> Region:
        size = buckets * BUCKET
        return Region(size, name="nat44 flows", huge=size >= 2 * HUGE_PAGE)

    @property
    def buckets(self) -> int:
        """Buckets of the flow table."""
        return int(self.tables.settings["flow_mask"]) + 1

    @property
    def flows(self) -> int:
        """Entries of the table."""
        return int(np.count_nonzero(self._flows.view("<u4", 0, 2 * self.buckets * SLOTS)[::2]))

    def _use(self) -> None:
        state = self.tables.settings
        buckets = self._flows.size // BUCKET
        buckets = 1 << (buckets.bit_length() - 1)
        state["flows"], state["flow_mask"] = self._flows.address, buckets - 1
        state["grow_at"] = buckets * _FULL // 2  # two flows a session

    def grow(self) -> None:
        """Make the flow table big enough for four times the sessions there are. No worker may be dispatching."""
        live = max(int(self.tables.settings["live"]), 1)
        buckets = self.buckets
        while live * 2 >= buckets * _FULL and buckets < MOST_SESSIONS:
            buckets *= 4
        if buckets != self.buckets:
            self._replace(buckets)

    def clear(self) -> None:
        """End all sessions, and begin again with a small table."""
        state = self.tables.settings
        top = int(state["top"])
        if top:
            self.halves(top)["key"] = -1
            self.halves(top)["present"] = 0
            self.colds(top)["live"] = 0
            self.colds(top)["mapping"] = -1
        state["live"] = state["top"] = 0
        self._plane.shared(NatCounters).total_sessions.clear()
        state["free"] = -1
        self.tables.lists["head"] = self.tables.lists["tail"] = -1
        records = self.tables.affinity_records[: int(self.tables.affinity_head["top"])]
        records["references"] = 0
        records["expires"] = -1
        sweep_affinities(self.address, 0)
        self._replace(self._first)

    def end(self, numbers: npt.NDArray[Any], now: int) -> None:
        """End these sessions."""
        rows = np.ascontiguousarray(numbers, np.int32)
        if len(rows):
            with lent(rows) as (address,):
                end_all(self.address, address, len(rows), now)

    def halves(self, top: int) -> npt.NDArray[Any]:
        """The halves of the first ``top`` records: [top, 2]."""
        return self.tables.halves.view(HALF, 0, 2 * top).reshape(top, 2)

    def colds(self, top: int) -> npt.NDArray[Any]:
        """What else they have: [top]."""
        return self.tables.colds.view(COLD, 0, top)

    @property
    def top(self) -> int:
        """Records from this number on were never used."""
        return int(self.tables.settings["top"])

    def resident(self) -> int:
        """Bytes of memory that sessions and their table take."""
        return int(self._flows.resident() + self.tables.halves.resident() + self.tables.colds.resident())

    def close(self) -> None:
        """Give the memory back."""
        self._flows.close()
