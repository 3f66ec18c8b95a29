"""Where a fragment goes among those that came before it (RFC 791 3.2, RFC 815), overlaps treated as VPP does.

The ranges of a context are in order of place and do not overlap. A fragment wholly inside one range is a
duplicate. One that reaches into the next range takes that part over; one that begins inside a range leaves
that part to it; ranges that it covers wholly are freed.
"""

from __future__ import annotations

from vectorplane.dataplane.buffer import buffer_at
from vectorplane.graph_nodes.ip4_reassembly_table import CONTEXT, NONE, RANGE, range_of
from vectorplane.graph_nodes.rare import free
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import rec


@helper
def insert_after(worker: int, context: int, previous: int, index: int) -> None:
    """Put the fragment in buffer ``index`` behind range ``previous`` (-1: in front of all)."""
    c = rec(context, CONTEXT)
    r = rec(range_of(buffer_at(worker, index)), RANGE)
    if previous >= 0:
        p = rec(range_of(buffer_at(worker, previous)), RANGE)
        r.next = p.next
        p.next = index
    else:
        r.next = c.first
        c.first = index
    c.data = c.data + r.last - r.first + 1


@helper
def discard(worker: int, context: int, previous: int, index: int) -> int:
    """Free the range in buffer ``index``, which follows ``previous``; gives the one behind it."""
    c = rec(context, CONTEXT)
    r = rec(range_of(buffer_at(worker, index)), RANGE)
    following = r.next
    if previous >= 0:
        rec(range_of(buffer_at(worker, previous)), RANGE).next = following
    else:
        c.first = following
    c.data = c.data - (r.last - r.first + 1)
    free(worker, index)
    return int(following)


def _insert(worker: int, context: int, index: int) -> int:
    """Put the fragment in buffer ``index`` (its `RANGE` is filled in) among the others; 0: it is a duplicate."""
    c = rec(context, CONTEXT)
    own = rec(range_of(buffer_at(worker, index)), RANGE)
    first = own.first
    last = own.last
    previous = NONE
    at = c.first
    while at >= 0:
        r = rec(range_of(buffer_at(worker, at)), RANGE)
        if first > r.last:
            previous = at
            at = r.next
        elif last < r.first:
            break
        elif first >= r.first and last <= r.last:
            return 0
        elif first < r.first and last < r.last:
            # the front of that range is ours
            c.data = c.data - (last + 1 - r.first)
            r.first = last + 1
            break
        elif first > r.first and last > r.last:
            # our front is that range's
            own.first = r.last + 1
            previous = at
            at = r.next
        else:
            at = discard(worker, context, previous, at)
    insert_after(worker, context, previous, index)
    return 1


insert = routine(_insert)
