"""Sessions: made, ended, kept in lists by how long they may be silent, found by both directions.

As in VPP a session ends when a packet meets it after its time, when it is the stalest of its list and a new one is
made, or with what it was made by. Each worker has a list by kind (`session.KINDS`). A packet only writes the time into
its half; where a session stands in its list is put right when somebody looks at the head of the list (VPP moves it
every second). The control side looks, too (`session_control`), so that sessions go in time.

Everything here but `expired` needs the lock.
"""

from __future__ import annotations

from vectorplane.dataplane.abi import WORKER
from vectorplane.dataplane.buffer import lock, unlock
from vectorplane.dataplane.event import post
from vectorplane.graph_nodes.event_kinds import NAT44_SESSIONS
from vectorplane.graph_nodes.nat44.affinity import let_go
from vectorplane.graph_nodes.nat44.flow_table import put, take_out
from vectorplane.graph_nodes.nat44.nat import LIST, LIST_SIZE, LISTS_SIZE, N_LOCK, N_TIMEOUTS, NAT
from vectorplane.graph_nodes.nat44.session import (
    COLD,
    HALF,
    HALF_SIZE,
    I2O,
    KEY_FREE,
    KINDS,
    O2I,
    cold_at,
    half_at,
    last_active,
    timeout_kind,
)
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import fill, ld32s, ld64, rec, st64, store_release

SECOND = 1_000_000_000
FIRST_OF = HALF_SIZE * 2
"""Bytes of both halves of a session."""


@helper
def timeout_of(nat: int, kind: int) -> int:
    """How long a session of a kind may be silent, ns."""
    return ld64(nat + N_TIMEOUTS + 8 * kind)


@helper
def expired(nat: int, number: int, now: int) -> bool:
    """Is the time of the session of a half up?"""
    halves = rec(nat, NAT).halves
    return now - last_active(halves, number) >= timeout_of(nat, rec(half_at(halves, number), HALF).kind)


@helper
def _list_at(nat: int, worker: int, kind: int) -> int:
    return rec(nat, NAT).lists + worker * LISTS_SIZE + kind * LIST_SIZE


@helper
def head_of(nat: int, worker: int, kind: int) -> int:
    """The session at the head of a list; -1."""
    return ld32s(_list_at(nat, worker, kind))


@routine
def join_list(nat: int, session: int, kind: int, now: int) -> None:
    """Put a session at the end of the list of a kind of its worker."""
    n = rec(nat, NAT)
    c = rec(cold_at(n.colds, session), COLD)
    a = rec(_list_at(nat, c.worker, kind), LIST)
    c.enqueued = now
    c.next = -1
    c.prev = a.tail
    if a.tail >= 0:
        rec(cold_at(n.colds, a.tail), COLD).next = session
    else:
        a.head = session
    a.tail = session
    rec(half_at(n.halves, 2 * session + I2O), HALF).kind = kind
    rec(half_at(n.halves, 2 * session + O2I), HALF).kind = kind


@routine
def leave_list(nat: int, session: int) -> None:
    """Take a session out of its list."""
    n = rec(nat, NAT)
    c = rec(cold_at(n.colds, session), COLD)
    a = rec(_list_at(nat, c.worker, rec(half_at(n.halves, 2 * session), HALF).kind), LIST)
    if c.prev >= 0:
        rec(cold_at(n.colds, c.prev), COLD).next = c.next
    else:
        a.head = c.next
    if c.next >= 0:
        rec(cold_at(n.colds, c.next), COLD).prev = c.prev
    else:
        a.tail = c.prev


@routine
def change_kind(nat: int, session: int, kind: int, now: int) -> None:
    """A session goes to the end of another list."""
    leave_list(nat, session)
    join_list(nat, session, kind, now)


@helper
def _count_live(nat: int, by: int) -> None:
    n = rec(nat, NAT)
    n.live += by
    st64(n.total, n.live)


@routine
def end(nat: int, session: int, now: int) -> None:
    """End a session; its record is free."""
    n = rec(nat, NAT)
    c = rec(cold_at(n.colds, session), COLD)
    take_out(nat, 2 * session + I2O)
    take_out(nat, 2 * session + O2I)
    if c.mapping >= 0:
        let_go(nat, session, now)
    leave_list(nat, session)
    store_release(half_at(n.halves, 2 * session + I2O) + 8, KEY_FREE)
    store_release(half_at(n.halves, 2 * session + O2I) + 8, KEY_FREE)
    c.live = 0
    c.next = n.free
    n.free = session
    _count_live(nat, -1)


@routine
def end_half(nat: int, number: int, addresses: int, key: int, now: int) -> None:
    """End the session of a half, if it still has this match. Takes the lock."""
    lock(nat + N_LOCK)
    half = rec(half_at(rec(nat, NAT).halves, number), HALF)
    if half.addresses == addresses and half.key == key:
        end(nat, number >> 1, now)
    unlock(nat + N_LOCK)


@routine
def free_one(nat: int, worker: int, now: int) -> bool:
    """End one session of the worker whose time is up, if there is one."""
    n = rec(nat, NAT)
    for kind in range(KINDS):
        left = n.live
        session = head_of(nat, worker, kind)
        while session >= 0 and left > 0:
            active = last_active(n.halves, 2 * session)
            if now - active >= timeout_of(nat, kind):
                end(nat, session, now)
                return True
            if active - rec(cold_at(n.colds, session), COLD).enqueued <= SECOND:
                break
            leave_list(nat, session)
            join_list(nat, session, kind, active)
            left -= 1
            session = head_of(nat, worker, kind)
    return False


@routine
def free_any(nat: int, worker: int, now: int) -> bool:
    """The same, of another worker if this one has none."""
    if free_one(nat, worker, now):
        return True
    for other in range(rec(nat, NAT).workers):
        if other != worker and free_one(nat, other, now):
            return True
    return False


@helper
def too_many(nat: int, fib: int) -> bool:
    """Are there as many sessions as packets from a FIB may have?"""
    n = rec(nat, NAT)
    place = fib if fib < n.n_limits else 0
    return bool(n.live >= ld32s(n.limits + 4 * place))


@routine
def new_session(worker: int, nat: int, proto: int, now: int) -> int:
    """A record, all zero but for its place in a list; -1: there is none. Before, one whose time is up is ended."""
    n = rec(nat, NAT)
    index = rec(worker, WORKER).index
    free_one(nat, index, now)
    session = n.free
    if session >= 0:
        n.free = rec(cold_at(n.colds, session), COLD).next
    elif n.top < n.most:
        session = n.top
        n.top = session + 1
    else:
        return -1
    _count_live(nat, 1)
    first = half_at(n.halves, 2 * session)
    fill(first, 0, FIRST_OF)
    rec(first, HALF).key = KEY_FREE
    rec(first + HALF_SIZE, HALF).key = KEY_FREE
    rec(first, HALF).active = now
    rec(first + HALF_SIZE, HALF).active = now
    rec(first, HALF).tx_fib = -1
    rec(first + HALF_SIZE, HALF).tx_fib = -1
    c = rec(cold_at(n.colds, session), COLD)
    c.mapping = -1
    c.flags = 0
    c.worker = index
    c.tcp_state = 0
    c.proto = proto
    c.live = 1
    join_list(nat, session, timeout_kind(proto), now)
    if n.told == 0 or (n.live >= n.grow_at and n.told == 1):
        n.told = 2 if n.live >= n.grow_at else 1
        if post(worker, NAT44_SESSIONS, 0, now, 0, 0, 0) == 0:
            n.told = 0
    return int(session)


@helper
def publish(nat: int, number: int) -> bool:
    """Have a half of a new session found by its match, which nobody else has."""
    return put(nat, number)
