"""The store of prefixes as compiled functions: routes in a hash map, and how many there are of each length.

`vectorplane.dataplane.tables.prefixes` says what it is for. One thread at a time.
"""

from __future__ import annotations

import numpy as np

from vectorplane.dataplane.tables.hash_bucket import hash_key, search_hashed
from vectorplane.dataplane.tables.hash_update import FULL, INSERTED, insert_hashed, remove_hashed
from vectorplane.jit.kernel import compiled, helper
from vectorplane.jit.ops import ld32s, ld64, offsets, rec, st32, st64

COUNTS = 64
"""int32 counters a FIB: its routes by length."""

PREFIXES = np.dtype(
    [
        ("map", "i8"),  # address of the hash map
        ("counts", "i8"),  # int32 [fib][64]: routes by length
        ("key", "i8"),  # the key at work: in memory, so that the map's code is that of all key sizes
        ("pad", "i8", (5,)),
    ]
)
_KEY = offsets(PREFIXES, "key")[0]


@helper
def _key(t: int, fib: int, prefix: int, length: int) -> int:
    """Address of the key of a prefix."""
    key = t + _KEY
    st64(key, (((fib << 6) | length) << 32) | (prefix >> (32 - length) << (32 - length)))
    return key


@helper
def _counter(t: int, fib: int, length: int) -> int:
    """Address of the number of routes of a length."""
    return int(rec(t, PREFIXES).counts + 4 * (fib * COUNTS + length))


@helper
def _get(t: int, fib: int, prefix: int, length: int) -> int:
    m = rec(t, PREFIXES).map
    key = _key(t, fib, prefix, length)
    return search_hashed(m, hash_key(m, key), key)


@helper
def _set(t: int, fib: int, prefix: int, length: int, value: int) -> int:
    m = rec(t, PREFIXES).map
    key = _key(t, fib, prefix, length)
    done = insert_hashed(m, hash_key(m, key), key, value)
    if done == INSERTED:
        at = _counter(t, fib, length)
        st32(at, ld32s(at) + 1)
    return done


@compiled
def prefix_get(t: int, fib: int, prefix: int, length: int) -> int:
    """The prefix's value, -1 when it is not there."""
    return _get(t, fib, prefix, length)


@compiled
def prefix_set(t: int, fib: int, prefix: int, length: int, value: int) -> int:
    """Set one route: `INSERTED`, `REPLACED` or `FULL`."""
    return _set(t, fib, prefix, length, value)


@compiled
def prefix_load(t: int, fib: int, n: int, prefixes: int, lengths: int, values: int) -> int:
    """Set ``n`` routes (int64 arrays); gives how many went in before the map was full."""
    for i in range(n):
        at = 8 * i
        if _set(t, fib, ld64(prefixes + at), ld64(lengths + at), ld64(values + at)) == FULL:
            return i
    return n


@compiled
def prefix_delete(t: int, fib: int, prefix: int, length: int) -> int:
    """Take a prefix out; its value, or -1."""
    m = rec(t, PREFIXES).map
    key = _key(t, fib, prefix, length)
    value = remove_hashed(m, hash_key(m, key), key)
    if value != -1:
        at = _counter(t, fib, length)
        st32(at, ld32s(at) - 1)
    return value


@compiled
def prefix_longest(t: int, fib: int, address: int, below: int) -> int:
    """The length of the longest prefix shorter than ``below`` that holds ``address``; -1 when there is none."""
    for i in range(below):
        length = below - 1 - i
        if ld32s(_counter(t, fib, length)) > 0 and _get(t, fib, address, length) != -1:
            return length
    return -1
