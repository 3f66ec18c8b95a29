"""Contexts of IPv4 reassembly: one a datagram whose fragments are being collected, in the memory of one worker.

Found by FIB, addresses, identification and protocol (RFC 791 3.2) through a chained hash table; ordered by when
a fragment last came, so that those whose time is up are at the front. All in memory of fixed size: the number of
contexts is limited.
"""

from __future__ import annotations

import numpy as np

from vectorplane.dataplane.buffer import BUFFER, buffer_at
from vectorplane.graph_nodes.rare import free
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import ld32s, mul, rec, shr, st32

MAX_CONTEXTS = 1 << 16
BUCKETS = 1 << 16
NONE = -1

TABLE = np.dtype(
    [
        ("contexts", "i8"),  # address of context 0
        ("buckets", "i8"),  # int32 by hash: first context, plus 1
        ("count", "i8"),  # contexts in use
        ("top", "i8"),  # contexts from here on were never used
        ("free", "i8"),  # first free context; -1
        ("oldest", "i8"),
        ("newest", "i8"),
        ("timeout", "i8"),  # ns
        ("max_contexts", "i8"),
        ("max_fragments", "i8"),
        ("local_enabled", "i8"),
        ("started", "i8"),  # contexts made so far
        ("armed", "i8"),  # 1: the control side knows that there are contexts
        ("extended", "i8"),  # 1: shallow virtual reassembly waits for the last fragment, too
        ("pad", "i8", (2,)),
    ]
)
TABLE_SIZE = TABLE.itemsize

CONTEXT = np.dtype(
    [
        ("key", "i8"),  # FIB index << 32 | protocol << 16 | identification
        ("addresses", "i8"),  # source and destination as they stand in the packet
        ("heard", "i8"),  # time of the last fragment, ns
        ("first", "i4"),  # buffer of the first range; -1
        ("last_octet", "i4"),  # of the datagram's data; -1 until the last fragment has come
        ("data", "i4"),  # bytes collected
        ("fragments", "i4"),
        ("min_length", "i4"),  # shortest fragment, IP header included
        ("errors", "i4"),  # first error counter of the node that made the context
        ("chain", "i4"),  # the next with the same hash, plus 1; or the next free one
        ("older", "i4"),
        ("newer", "i4"),
        ("pad", "i4"),
    ]
)
CONTEXT_SIZE = CONTEXT.itemsize
assert CONTEXT_SIZE == 64

_SCATTER = -0x61C8864680B583EB

RANGE = np.dtype(
    [
        ("first", "i8"),  # the bytes that the fragment contributes, by their place in the datagram
        ("last", "i8"),
        ("fragment_first", "i8"),  # the bytes that it came with
        ("fragment_last", "i8"),
        ("next", "i8"),  # buffer of the next range; -1
        ("pad", "i8"),
    ]
)
"""A held fragment's part of the datagram, in its buffer's `opaque`."""
assert RANGE.itemsize == 48
OPAQUE = int(BUFFER.fields["opaque"][1])  # type: ignore[index]


@helper
def context_at(table: int, index: int) -> int:
    """Address of context ``index``."""
    return rec(table, TABLE).contexts + index * CONTEXT_SIZE


@helper
def context_hash(key: int, addresses: int) -> int:
    """The hash of a key; its upper bits are the good ones."""
    return mul(key ^ mul(addresses, _SCATTER), _SCATTER)


@helper
def bucket_of(table: int, key: int, addresses: int) -> int:
    """Address of the hash bucket of a key."""
    return rec(table, TABLE).buckets + 4 * (shr(context_hash(key, addresses), 40) & (BUCKETS - 1))


@helper
def find(table: int, key: int, addresses: int) -> int:
    """The context with this key; -1."""
    index = ld32s(bucket_of(table, key, addresses)) - 1
    while index >= 0:
        c = rec(context_at(table, index), CONTEXT)
        if c.key == key and c.addresses == addresses:
            return index
        index = c.chain - 1
    return NONE


@helper
def leave_order(table: int, index: int) -> None:
    """Take a context out of the order of age."""
    t = rec(table, TABLE)
    c = rec(context_at(table, index), CONTEXT)
    if c.older >= 0:
        rec(context_at(table, c.older), CONTEXT).newer = c.newer
    else:
        t.oldest = c.newer
    if c.newer >= 0:
        rec(context_at(table, c.newer), CONTEXT).older = c.older
    else:
        t.newest = c.older


@helper
def join_order(table: int, index: int) -> None:
    """Make a context the newest one."""
    t = rec(table, TABLE)
    c = rec(context_at(table, index), CONTEXT)
    c.older = t.newest
    c.newer = NONE
    if t.newest >= 0:
        rec(context_at(table, t.newest), CONTEXT).newer = index
    else:
        t.oldest = index
    t.newest = index


@helper
def create(table: int, key: int, addresses: int) -> int:
    """A new context, the newest; -1 when there are as many as may be."""
    t = rec(table, TABLE)
    if t.count >= t.max_contexts:
        return NONE
    index = t.free
    if index >= 0:
        t.free = rec(context_at(table, index), CONTEXT).chain
    else:
        index = t.top
        t.top = index + 1
    t.count += 1
    t.started += 1
    c = rec(context_at(table, index), CONTEXT)
    c.key = key
    c.addresses = addresses
    c.first = NONE
    c.last_octet = NONE
    c.data = 0
    c.fragments = 0
    bucket = bucket_of(table, key, addresses)
    c.chain = ld32s(bucket)
    st32(bucket, index + 1)
    join_order(table, index)
    return int(index)


def _forget(table: int, index: int) -> int:
    """Give a context back; its fragments are somebody else's now."""
    t = rec(table, TABLE)
    c = rec(context_at(table, index), CONTEXT)
    bucket = bucket_of(table, c.key, c.addresses)
    at = ld32s(bucket) - 1
    if at == index:
        st32(bucket, c.chain)
    else:
        while rec(context_at(table, at), CONTEXT).chain - 1 != index:
            at = rec(context_at(table, at), CONTEXT).chain - 1
        rec(context_at(table, at), CONTEXT).chain = c.chain
    leave_order(table, index)
    c.chain = t.free
    t.free = index
    t.count -= 1
    return 0


forget = routine(_forget)


@helper
def range_of(b: int) -> int:
    """Address of the `RANGE` of the fragment at ``b``."""
    return b + OPAQUE


def _free_ranges(worker: int, first: int) -> int:
    """Free all fragments from range ``first`` on."""
    while first >= 0:
        following = rec(range_of(buffer_at(worker, first)), RANGE).next
        free(worker, first)
        first = following
    return 0


free_ranges = routine(_free_ranges)
