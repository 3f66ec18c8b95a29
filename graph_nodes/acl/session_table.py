"""Sessions of permit+reflect rules: one record a session for both directions, found through hash maps.

A session is VPP's: it belongs to an interface and to the worker that made it, lives as long as packets come within the
timeout of its kind (UDP and others; TCP whose SYN and ACK were seen both ways and no FIN or RST; TCP otherwise), and is
in a list of its worker and kind, ordered by when it was put there. A list's head is looked at after half the timeout
and goes to the end when there was traffic meanwhile (`vectorplane.graph_nodes.acl.session_control`).

Time is the packets' own: a session whose time was up when a packet came is not found by it, whether or not it was
looked at by then.

Any worker finds and refreshes any session without a lock. What changes lists or maps (making, ending, another kind)
holds the lock of the table. A record may be another session's by the time that a packet gets to it, so its key is
compared.
"""

from __future__ import annotations

import numpy as np

from vectorplane.dataplane.abi import WORKER
from vectorplane.dataplane.buffer import lock, unlock
from vectorplane.dataplane.event import post
from vectorplane.dataplane.tables.hash_map import (
    FULL,
    insert_16,
    insert_40,
    remove_16,
    remove_40,
    search_16,
    search_40,
)
from vectorplane.graph_nodes.event_kinds import ACL_SESSIONS
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import ld32s, ld64, offsets, rec, shr, st64

SESSION = np.dtype(
    [
        ("addresses", "i8"),  # IPv4: as its key has them; IPv6: see `KEYS6`
        ("key", "i8"),  # the L4 word of `session_key`
        ("active", "i8"),  # time of the last packet, ns
        ("enqueued", "i8"),  # when it was put in its list, ns
        ("sw_if", "i4"),
        ("next", "i4"),  # in its list; -1
        ("prev", "i4"),
        ("flags_seen", "i4"),  # TCP flags: of packets out, of packets in << 8
        ("epoch", "i4"),  # of the interface's policy when it was made
        ("worker", "i2"),
        ("list", "i1"),  # UDP_IDLE ...
        ("ways", "i1"),
        ("state", "i1"),  # FREE, IP4, IP6
        ("is_input", "i1"),  # of the packet that made it
        ("pad", "i1", (6,)),
    ],
    align=True,
)
SESSION_SIZE = SESSION.itemsize
assert SESSION_SIZE == 64
FREE, IP4, IP6 = 0, 1, 2
KEYS6_SIZE = 32
"""The addresses of an IPv6 session, in a memory of their own, by session."""

UDP_IDLE, TCP_IDLE, TCP_TRANSIENT = 1, 2, 3
"""Kinds of timeouts, as in VPP."""
LISTS = 4

TABLE = np.dtype(
    [
        ("map4", "i8"),
        ("map6", "i8"),
        ("sessions", "i8"),
        ("keys6", "i8"),
        ("lists", "i8"),  # of worker 0
        ("stats", "i8"),  # of worker 0
        ("timeouts", "i8", (LISTS,)),  # ns, by kind
        ("max_sessions", "i8"),
        ("workers", "i8"),
        ("reclassify", "i8"),
        ("epochs", "i8"),  # int32 by interface: of the output policy, then of the input policy
        ("known_extensions", "i8", (4,)),  # IPv6 extension headers that are skipped, a bit each
        # what changes with sessions
        ("lock", "i8"),
        ("live", "i8"),
        ("top", "i8"),  # records from here on were never used
        ("free", "i8"),  # first free record; -1
        ("added", "i8"),
        ("deleted", "i8"),
        ("grow_at", "i8"),  # live at which bigger maps are asked for
        ("told", "i8"),  # the control side knows that there is something to do
        ("pad", "i8", (4,)),
    ],
    align=True,
)
T_LOCK, T_TIMEOUTS, T_KNOWN = offsets(TABLE, "lock", "timeouts", "known_extensions")

LIST = np.dtype([("head", "i4"), ("tail", "i4")], align=True)
LIST_SIZE = LIST.itemsize
LISTS_SIZE = 64
"""Bytes of a worker's lists."""

MAX_INTERFACES = 65536
STATS_SIZE = 3 * 8 * MAX_INTERFACES
"""A worker's counters: made, ended, ended because of another policy; int64 by interface each."""
S_MADE, S_ENDED, S_STALE = (8 * MAX_INTERFACES * k for k in range(3))

_FIN_SYN_RST_ACK, _SYN_ACK = 0x1717, 0x1212


@helper
def session_at(table: int, index: int) -> int:
    """Address of a session."""
    return rec(table, TABLE).sessions + index * SESSION_SIZE


@helper
def kind_of(key: int, flags_seen: int) -> int:
    """The kind of timeout that a session has."""
    if (shr(key, 32) & 0xFF) != 6:
        return UDP_IDLE
    return TCP_IDLE if (flags_seen & _FIN_SYN_RST_ACK) == _SYN_ACK else TCP_TRANSIENT


@helper
def count_session(table: int, worker: int, which: int, sw_if: int) -> None:
    """One more in a worker's counters."""
    at = rec(table, TABLE).stats + worker * STATS_SIZE + which + 8 * sw_if
    st64(at, ld64(at) + 1)


@helper
def _list_at(table: int, worker: int, kind: int) -> int:
    return rec(table, TABLE).lists + worker * LISTS_SIZE + kind * LIST_SIZE


@routine
def join_list(table: int, index: int, kind: int, now: int) -> None:
    """Put a session at the end of the list of a kind of its worker."""
    s = rec(session_at(table, index), SESSION)
    a = rec(_list_at(table, s.worker, kind), LIST)
    s.list = kind
    s.enqueued = now
    s.next = -1
    s.prev = a.tail
    if a.tail >= 0:
        rec(session_at(table, a.tail), SESSION).next = index
    else:
        a.head = index
    a.tail = index


@routine
def leave_list(table: int, index: int) -> None:
    """Take a session out of its list."""
    s = rec(session_at(table, index), SESSION)
    a = rec(_list_at(table, s.worker, s.list), LIST)
    if s.prev >= 0:
        rec(session_at(table, s.prev), SESSION).next = s.next
    else:
        a.head = s.next
    if s.next >= 0:
        rec(session_at(table, s.next), SESSION).prev = s.prev
    else:
        a.tail = s.prev


@routine
def end(table: int, index: int) -> None:
    """End a session, with the lock held; its record is free."""
    t = rec(table, TABLE)
    s = rec(session_at(table, index), SESSION)
    if s.state == IP4:
        remove_16(t.map4, s.addresses, s.key)
    else:
        k = t.keys6 + index * KEYS6_SIZE
        remove_40(t.map6, ld64(k), ld64(k + 8), ld64(k + 16), ld64(k + 24), s.key)
    leave_list(table, index)
    count_session(table, s.worker, S_ENDED, s.sw_if)
    s.state = FREE
    s.key = 0
    s.next = t.free
    t.free = index
    t.live -= 1
    t.deleted += 1


@helper
def head_of(table: int, worker: int, kind: int) -> int:
    """The session that has been in a list longest; -1."""
    return ld32s(_list_at(table, worker, kind))


@routine
def make_room(table: int, worker: int, now: int) -> None:
    """The table is full: end what has run out, else the worker's oldest TCP session that is not established."""
    t = rec(table, TABLE)
    for kind in range(UDP_IDLE, LISTS):
        index = head_of(table, worker, kind)
        if index >= 0 and now - rec(session_at(table, index), SESSION).active >= ld64(table + T_TIMEOUTS + 8 * kind):
            end(table, index)
    if t.live + t.workers >= t.max_sessions:
        index = head_of(table, worker, TCP_TRANSIENT)
        if index >= 0:
            end(table, index)


@routine
def new_record(worker: int, table: int, now: int) -> int:
    """A record for a new session, with the lock held; -1: there are as many as may be."""
    t = rec(table, TABLE)
    if t.live + t.workers >= t.max_sessions:
        make_room(table, rec(worker, WORKER).index, now)
        if t.live + t.workers >= t.max_sessions:
            return -1
    index = t.free
    if index >= 0:
        t.free = rec(session_at(table, index), SESSION).next
    else:
        index = t.top
        t.top = index + 1
    t.live += 1
    t.added += 1
    return int(index)


@routine
def enter(worker: int, table: int, index: int, sw_if: int, is_input: int, key: int, ways: int, now: int) -> None:
    """Fill in a new session that its map leads to, and see that the control side will look after it."""
    t = rec(table, TABLE)
    s = rec(session_at(table, index), SESSION)
    s.key = key
    s.active = now
    s.sw_if = sw_if
    s.flags_seen = 0
    s.epoch = ld32s(t.epochs + 4 * (is_input * MAX_INTERFACES + sw_if))
    s.worker = rec(worker, WORKER).index
    s.ways = ways
    s.is_input = is_input
    join_list(table, index, kind_of(key, 0), now)
    count_session(table, s.worker, S_MADE, sw_if)
    if t.told == 0 or (t.live >= t.grow_at and t.told == 1):
        t.told = 2 if t.live >= t.grow_at else 1
        if post(worker, ACL_SESSIONS, sw_if, now, 0, 0, 0) == 0:
            t.told = 0


@routine
def forget_record(table: int, index: int) -> int:
    """Give a record back that no map had room for; gives -1."""
    t = rec(table, TABLE)
    s = rec(session_at(table, index), SESSION)
    s.state = FREE
    s.next = t.free
    t.free = index
    t.live -= 1
    t.added -= 1
    return -1


@routine
def widen(table: int, index: int, ways: int, now: int) -> int:
    """A session is there that lets other packets through (or another worker made it just now): this one counts, too."""
    s = rec(session_at(table, index), SESSION)
    s.ways |= ways
    s.active = now
    return index


@routine
def make4(worker: int, table: int, sw_if: int, is_input: int, addresses: int, key: int, ways: int, now: int) -> int:
    """A new IPv4 session; -1: too many."""
    lock(table + T_LOCK)
    index = search_16(rec(table, TABLE).map4, addresses, key)
    if index >= 0:
        widen(table, index, ways, now)
        unlock(table + T_LOCK)
        return index
    index = new_record(worker, table, now)
    if index >= 0:
        s = rec(session_at(table, index), SESSION)
        s.addresses = addresses
        s.state = IP4
        if insert_16(rec(table, TABLE).map4, addresses, key, index) == FULL:
            index = forget_record(table, index)
        else:
            enter(worker, table, index, sw_if, is_input, key, ways, now)
    unlock(table + T_LOCK)
    return index


@routine
def make6(worker: int, table: int, sw_if: int, is_input: int, source: int, key: int, ways: int, now: int) -> int:
    """A new IPv6 session; ``source``: where the packet's addresses are. -1: too many."""
    first = source if is_input else source + 16
    second = source + 16 if is_input else source
    lock(table + T_LOCK)
    index = search_40(rec(table, TABLE).map6, ld64(first), ld64(first + 8), ld64(second), ld64(second + 8), key)
    if index >= 0:
        widen(table, index, ways, now)
        unlock(table + T_LOCK)
        return index
    index = new_record(worker, table, now)
    if index >= 0:
        t = rec(table, TABLE)
        s = rec(session_at(table, index), SESSION)
        k = t.keys6 + index * KEYS6_SIZE
        st64(k, ld64(first))
        st64(k + 8, ld64(first + 8))
        st64(k + 16, ld64(second))
        st64(k + 24, ld64(second + 8))
        s.addresses = 0
        s.state = IP6
        if insert_40(t.map6, ld64(k), ld64(k + 8), ld64(k + 16), ld64(k + 24), key, index) == FULL:
            index = forget_record(table, index)
        else:
            enter(worker, table, index, sw_if, is_input, key, ways, now)
    unlock(table + T_LOCK)
    return index


@routine
def end_if(table: int, index: int, key: int, stale: int) -> None:
    """End a session, if it is still the one with this key."""
    lock(table + T_LOCK)
    s = rec(session_at(table, index), SESSION)
    if s.state != FREE and s.key == key:
        if stale:
            count_session(table, s.worker, S_STALE, s.sw_if)
        end(table, index)
    unlock(table + T_LOCK)


@routine
def change_kind(table: int, index: int, key: int, now: int) -> int:
    """The flags seen may give a session another timeout; gives its kind before << 8 and now, 0 when it is the same."""
    lock(table + T_LOCK)
    s = rec(session_at(table, index), SESSION)
    changed = 0
    if s.state != FREE and s.key == key:
        kind = kind_of(s.key, s.flags_seen)
        if kind != s.list:
            changed = s.list << 8 | kind
            leave_list(table, index)
            join_list(table, index, kind, now)
    unlock(table + T_LOCK)
    return changed
