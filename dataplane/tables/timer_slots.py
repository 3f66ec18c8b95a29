"""A hierarchical timer wheel whose empty stretches cost nothing (VPP's tw_timer, with bitmaps).

Time is counted in ticks. The wheel has 11 levels of 64 slots, digits of 6 bits of a tick's number: a
timer lies at the level of the highest digit in which its tick differs from the current one, in the
slot of its own digit there. So all timers of a level come before those of the next, the earliest
slot is the lowest bit of the lowest level in use, and time may jump by years: no slot is visited that
holds no timer, and the others need not move, since the digits that place them did not change. When time
reaches a slot above level 0 its timers are placed anew; each goes down, ten times at most.

A timer never expires before its deadline, and at most one tick after it. Timers of one tick expire in the
order in which they were started. A wheel has one owner at a time; there is no lock.

Kernels: ``start``, ``stop``, ``advance``, ``next_deadline``, with `TimerWheel.address`. A handle is a
number below the wheel's capacity, the index of a session, say.
"""

from __future__ import annotations

import numpy as np

from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import ctz, ld32s, ld64, offsets, rec, st32, st64

LEVELS = 11
NEVER = (1 << 63) - 1

WHEEL = np.dtype(
    [
        ("tick_ns", "i8"),
        ("now", "i8"),  # the current tick: all before it has expired
        ("entries", "i8"),  # address of the entries, see `ENTRY`
        ("capacity", "i8"),  # handles
        ("running", "i8"),
        ("slots", "i8", (LEVELS,)),  # a bit a slot: it holds timers
    ],
    align=True,
)

ENTRY = np.dtype([("tick", "i8"), ("next", "i4"), ("prev", "i4")])
"""Handle h is entry h + 1; the slots' list heads lie behind them. ``next`` 0: the timer does not run."""

_SLOTS = offsets(WHEEL, "slots")[0]
_SIZE = ENTRY.itemsize


@helper
def _head(wheel: int, number: int) -> int:
    """The entry that heads the list of slot ``number`` (64 * level + digit)."""
    return int(rec(wheel, WHEEL).capacity + 1 + number)


@routine
def _place(wheel: int, entry: int, tick: int) -> None:
    """Append an entry to the list of the slot where ``tick`` belongs now."""
    w = rec(wheel, WHEEL)
    level = 0
    above = (tick ^ w.now) >> 6
    while above != 0:
        level += 1
        above >>= 6
    digit = (tick >> (6 * level)) & 63
    head = _head(wheel, 64 * level + digit)
    h = rec(w.entries + _SIZE * head, ENTRY)
    e = rec(w.entries + _SIZE * entry, ENTRY)
    e.tick = tick
    e.next = head
    e.prev = h.prev
    rec(w.entries + _SIZE * h.prev, ENTRY).next = entry
    h.prev = entry
    bits = wheel + _SLOTS + 8 * level
    st64(bits, ld64(bits) | 1 << digit)


@routine
def _unlink(wheel: int, entry: int) -> None:
    """Take an entry out of its list."""
    w = rec(wheel, WHEEL)
    e = rec(w.entries + _SIZE * entry, ENTRY)
    following = int(e.next)
    before = int(e.prev)
    rec(w.entries + _SIZE * before, ENTRY).next = following
    rec(w.entries + _SIZE * following, ENTRY).prev = before
    e.next = 0
    if following == before:  # only the head is left
        number = following - w.capacity - 1
        bits = wheel + _SLOTS + 8 * (number >> 6)
        st64(bits, ld64(bits) & ~(1 << (number & 63)))


@routine
def start(wheel: int, handle: int, deadline_ns: int) -> int:
    """Start a timer, or move one that runs. 0, or -1 for a wild handle."""
    w = rec(wheel, WHEEL)
    if handle < 0 or handle >= w.capacity:
        return -1
    if ld32s(w.entries + _SIZE * (handle + 1) + 8) != 0:
        _unlink(wheel, handle + 1)
    else:
        w.running += 1
    tick = deadline_ns // w.tick_ns
    if tick * w.tick_ns != deadline_ns:
        tick += 1
    _place(wheel, handle + 1, max(tick, w.now))
    return 0


@routine
def stop(wheel: int, handle: int) -> int:
    """Stop a timer. 1, or 0 when it does not run, -1 for a wild handle."""
    w = rec(wheel, WHEEL)
    if handle < 0 or handle >= w.capacity:
        return -1
    if ld32s(w.entries + _SIZE * (handle + 1) + 8) == 0:
        return 0
    _unlink(wheel, handle + 1)
    w.running -= 1
    return 1


@helper
def _earliest(wheel: int) -> int:
    """The number of the earliest slot that holds timers; -1 when none does."""
    for level in range(LEVELS):
        bits = ld64(wheel + _SLOTS + 8 * level)
        if bits != 0:
            return int(64 * level + ctz(bits))
    return -1


@helper
def _begin(wheel: int, number: int) -> int:
    """The first tick of a slot."""
    shift = 6 * (number >> 6)
    return int(((rec(wheel, WHEEL).now >> shift & ~63) | (number & 63)) << shift)


@routine
def next_deadline(wheel: int) -> int:
    """No timer expires before this time, ns; `NEVER` when none runs.

    Exact (to the tick) for timers of level 0, those in the current 64 ticks. Else it may be earlier, the begin
    of a slot; who advances to it learns a better one, ten times at most.
    """
    number = _earliest(wheel)
    if number < 0:
        return NEVER
    tick = _begin(wheel, number)
    tick_ns = rec(wheel, WHEEL).tick_ns
    return int(tick * tick_ns) if tick <= NEVER // tick_ns else NEVER


@routine
def advance(wheel: int, now_ns: int, out: int, most: int) -> int:
    """Expire timers up to ``now_ns``: their handles go to ``out`` (int32), by tick, at most ``most`` of them.

    Gives their number; when that is ``most``, more may be due: call again.
    """
    w = rec(wheel, WHEEL)
    until = now_ns // w.tick_ns
    n = 0
    while n < most:
        number = _earliest(wheel)
        begin = _begin(wheel, number) if number >= 0 else NEVER
        if number < 0 or begin > until:
            w.now = max(w.now, until)
            break
        w.now = begin
        head = w.entries + _SIZE * _head(wheel, number)
        if number < 64:
            while n < most and ld64(wheel + _SLOTS) >> number & 1 != 0:
                entry = int(rec(head, ENTRY).next)
                _unlink(wheel, entry)
                st32(out + 4 * n, entry - 1)
                n += 1
        else:
            bits = wheel + _SLOTS + 8 * (number >> 6)
            while ld64(bits) >> (number & 63) & 1 != 0:
                entry = int(rec(head, ENTRY).next)
                _unlink(wheel, entry)
                _place(wheel, entry, rec(w.entries + _SIZE * entry, ENTRY).tick)
    w.running -= n
    return n
