"""Sessions from the control side: their memory, ending those whose time is up, looking at them.

`sweep`, `clear` and the rest may be called only while no worker is dispatching, or from one that holds the lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.abi import NEVER
from vectorplane.dataplane.buffer import lock, unlock
from vectorplane.dataplane.region import Region
from vectorplane.dataplane.tables.hash_map import HashMap
from vectorplane.graph_nodes.acl.session_table import (
    FREE,
    IP4,
    KEYS6_SIZE,
    LIST,
    LISTS,
    LISTS_SIZE,
    MAX_INTERFACES,
    SESSION,
    SESSION_SIZE,
    STATS_SIZE,
    T_LOCK,
    T_TIMEOUTS,
    TABLE,
    TCP_IDLE,
    TCP_TRANSIENT,
    UDP_IDLE,
    end,
    head_of,
    join_list,
    leave_list,
    session_at,
)
from vectorplane.jit.kernel import compiled
from vectorplane.jit.ops import ld64, rec
from vectorplane.jit.words import signed

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

SECOND = 1_000_000_000
DEFAULT_TIMEOUTS = {UDP_IDLE: 600, TCP_IDLE: 86_400, TCP_TRANSIENT: 120}
"""Seconds, VPP's."""
DEFAULT_MAX_SESSIONS = 500_000
MOST_SESSIONS = 1 << 24
_FIRST_CAPACITY = 1 << 16
_FIRST_CAPACITY6 = 1 << 12
_EXTENSIONS = (0, 43, 44, 60, 135, 139, 140, 253, 254)
"""IPv6 extension headers that VPP's plugin skips by default."""


@compiled
def sweep(table: int, now: int) -> int:
    """End what has run out; what had traffic goes to the end of its list. Gives how many had traffic."""
    t = rec(table, TABLE)
    lock(table + T_LOCK)
    restarted = 0
    for worker in range(t.workers):
        for kind in range(UDP_IDLE, LISTS):
            timeout = ld64(table + T_TIMEOUTS + 8 * kind)
            left = t.live
            index = head_of(table, worker, kind)
            while index >= 0 and left > 0 and rec(session_at(table, index), SESSION).enqueued + timeout // 2 <= now:
                if now - rec(session_at(table, index), SESSION).active >= timeout:
                    end(table, index)
                else:
                    leave_list(table, index)
                    join_list(table, index, kind, now)
                    restarted += 1
                left -= 1
                index = head_of(table, worker, kind)
    unlock(table + T_LOCK)
    return restarted


@compiled
def next_sweep(table: int) -> int:
    """When the next session is to be looked at; `NEVER` without any."""
    t = rec(table, TABLE)
    due = NEVER
    for worker in range(t.workers):
        for kind in range(UDP_IDLE, LISTS):
            index = head_of(table, worker, kind)
            if index >= 0:
                due = min(
                    due, rec(session_at(table, index), SESSION).enqueued + ld64(table + T_TIMEOUTS + 8 * kind) // 2
                )
    return due


@compiled
def clear(table: int, sw_if: int) -> int:
    """End all sessions of an interface (-1: of all)."""
    t = rec(table, TABLE)
    lock(table + T_LOCK)
    for index in range(t.top):
        s = rec(session_at(table, index), SESSION)
        if s.state != FREE and (sw_if < 0 or s.sw_if == sw_if):
            end(table, index)
    unlock(table + T_LOCK)
    return int(t.live)


class AclSessions:
    """The memory of an engine's sessions. Maps begin small and grow with use."""

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        workers = plane.graph.workers
        lists = LISTS_SIZE * workers
        self._small = Region(TABLE.itemsize + lists + 8 * MAX_INTERFACES + 64, name="acl session table")
        self._stats = Region(STATS_SIZE * workers, name="acl session counters")
        self._records = Region(SESSION_SIZE * MOST_SESSIONS, name="acl sessions")
        self._keys6 = Region(KEYS6_SIZE * MOST_SESSIONS, name="acl ip6 sessions")
        self.address = self._small.address
        self.state: Any = self._small.view(TABLE, 0, 1)[0]
        head = self._small.view(LIST, TABLE.itemsize, workers * LISTS_SIZE // LIST.itemsize)
        head["head"] = head["tail"] = -1
        self._lists = head
        self.epochs: npt.NDArray[np.int32] = self._small.view(
            np.dtype("i4"), TABLE.itemsize + lists, 2 * MAX_INTERFACES
        )
        """By interface: of the output policy, then of the input policy."""
        state = self.state
        state["sessions"], state["keys6"] = self._records.address, self._keys6.address
        state["lists"], state["stats"] = self.address + TABLE.itemsize, self._stats.address
        state["epochs"] = self.address + TABLE.itemsize + lists
        state["workers"], state["free"] = workers, -1
        state["max_sessions"] = DEFAULT_MAX_SESSIONS
        for kind, seconds in DEFAULT_TIMEOUTS.items():
            state["timeouts"][kind] = seconds * SECOND
        for header in _EXTENSIONS:
            self.skip_extension(header, True)
        self._map4, self._map6 = self._maps(_FIRST_CAPACITY, _FIRST_CAPACITY6)
        self._use()

    @staticmethod
    def _maps(capacity: int, capacity6: int) -> tuple[HashMap, HashMap]:
        return HashMap(capacity, 2, "acl sessions", seed=0xAC14), HashMap(capacity6, 5, "acl ip6 sessions", seed=0xAC16)

    @property
    def maps(self) -> tuple[HashMap, HashMap]:
        """Of IPv4 and of IPv6: key to session."""
        return self._map4, self._map6

    def _use(self) -> None:
        self.state["map4"], self.state["map6"] = self._map4.address, self._map6.address
        self.state["grow_at"] = min(self._map4.capacity, self._map6.capacity) * 3 // 4

    def grow(self) -> None:
        """Make the maps big enough for twice the sessions there are. No worker may be dispatching."""
        live, live6 = int(self.state["live"]), len(self._map6)
        old4, old6 = self._map4, self._map6
        capacity, capacity6 = old4.capacity, old6.capacity
        while (live - live6) * 4 > capacity * 3 and capacity < MOST_SESSIONS:
            capacity *= 4
        while live6 * 4 > capacity6 * 3 and capacity6 < MOST_SESSIONS:
            capacity6 *= 4
        if (capacity, capacity6) != (old4.capacity, old6.capacity):
            self._map4, self._map6 = self._maps(capacity, capacity6)
            for old, made in ((old4, self._map4), (old6, self._map6)):
                for rows in old.chunks():
                    made.load(rows)
                self._plane.epochs.retire(old.close)
        self._use()
        # either map alone could take all that come: ask again before one can be full
        room = min(capacity - (live - live6), capacity6 - live6)
        self.state["grow_at"] = live + max(room * 3 // 4 - 256 * int(self.state["workers"]), 1)
        self.state["told"] = 1

    def skip_extension(self, header: int, on: bool) -> None:
        """Whether an IPv6 extension header (0 to 255) is skipped on the way to the L4 header."""
        word, bit = divmod(header, 64)
        value = int(self.state["known_extensions"][word]) & ~(1 << bit) | int(on) << bit
        self.state["known_extensions"][word] = signed(value)

    def stats(self, worker: int) -> npt.NDArray[np.int64]:
        """int64 [3, interfaces]: sessions made, ended, and ended because of another policy, by interface."""
        return self._stats.view(np.dtype("i8"), worker * STATS_SIZE, 3 * MAX_INTERFACES).reshape(3, MAX_INTERFACES)

    def head(self, worker: int, kind: int) -> int:
        """The session longest in a worker's list of a kind; -1."""
        return int(self._lists["head"][worker * LISTS_SIZE // LIST.itemsize + kind])

    def record(self, index: int) -> Any:
        """One session's record."""
        return self._records.view(SESSION, index * SESSION_SIZE, 1)[0]

    def records(self, chunk: int = 65_536) -> Iterator[tuple[int, Any]]:
        """Index and record (a copy) of all sessions, in no order."""
        top = int(self.state["top"])
        for first in range(0, top, chunk):
            some = self._records.view(SESSION, first * SESSION_SIZE, min(chunk, top - first)).copy()
            for i in np.flatnonzero(some["state"] != FREE):
                yield first + int(i), some[i]

    def addresses(self, index: int, record: Any) -> bytes:
        """Both addresses of a session as its key has them, 8 or 32 bytes."""
        if int(record["state"]) == IP4:
            return int(record["addresses"]).to_bytes(8, "little", signed=True)
        return self._keys6.view(np.dtype("u1"), index * KEYS6_SIZE, KEYS6_SIZE).tobytes()

    def close(self) -> None:
        """Give the memory back."""
        self._map4.close()
        self._map6.close()
        for region in (self._small, self._stats, self._records, self._keys6):
            region.close()
