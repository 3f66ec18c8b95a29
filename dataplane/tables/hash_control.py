"""The hash map as Python calls it: compiled functions over keys in memory, one set for all key sizes."""

from __future__ import annotations

from vectorplane.dataplane.tables.hash_bucket import (
    ENTRIES,
    HASH_MAP,
    HIGH,
    LINKS,
    TAGS,
    hash_key,
    next_of,
    search_hashed,
)
from vectorplane.dataplane.tables.hash_update import FULL, insert_hashed, remove_hashed
from vectorplane.jit.kernel import compiled, helper
from vectorplane.jit.ops import ctz, ld64, load_acquire, popcount, rec, shr, st64


@compiled
def hash_get(m: int, key: int) -> int:
    """The value of the key at address ``key``, or -1."""
    return search_hashed(m, hash_key(m, key), key)


@compiled
def hash_set(m: int, entries: int, n: int) -> int:
    """Insert ``n`` entries (key words, value); gives how many went in before the map was full."""
    words = rec(m, HASH_MAP).words
    for i in range(n):
        key = entries + i * (8 * words + 8)
        if insert_hashed(m, hash_key(m, key), key, ld64(key + 8 * words)) == FULL:
            return i
    return n


@compiled
def hash_remove(m: int, key: int) -> int:
    """Take a key out; its value, or -1."""
    return remove_hashed(m, hash_key(m, key), key)


@helper
def _copy_chain(m: int, home: int, out: int, room: int) -> int:
    """Copy the entries of one chain, as they are at one moment; gives their number, -1 when there is no room."""
    size = 8 * rec(m, HASH_MAP).words + 8
    while True:
        version = load_acquire(home) >> 1
        n = 0
        bucket = home
        while bucket != 0:
            links = load_acquire(bucket + LINKS)
            used = shr(links, TAGS) & HIGH
            while used != 0:
                if n >= room:
                    return -1
                entry = bucket + ENTRIES + (ctz(used) >> 3) * size
                for at in range(0, size, 8):
                    st64(out + n * size + at, load_acquire(entry + at))
                n += 1
                used &= used - 1
            bucket = next_of(m, links)
        if load_acquire(home) >> 1 == version:
            return n


@compiled
def hash_dump(m: int, first: int, out: int, room: int) -> int:
    """Copy the entries of home buckets from ``first`` on, as long as there is room for ``room`` of them.

    Gives their number; the bucket to go on with is written behind the room (int64).
    """
    r = rec(m, HASH_MAP)
    n = 0
    size = 8 * r.words + 8
    bucket = first
    while bucket <= r.mask:
        copied = _copy_chain(m, r.buckets + (bucket << r.shift), out + n * size, room - n)
        if copied < 0:
            break
        n += copied
        bucket += 1
    st64(out + room * size, bucket)
    return int(n)


@compiled
def hash_shape(m: int, out: int) -> int:
    """Count: int64 out[0] entries, out[1 .. 8] home buckets by the length of their chain; gives the entries."""
    r = rec(m, HASH_MAP)
    entries = 0
    for i in range(r.mask + 1):
        bucket = r.buckets + (i << r.shift)
        length = 0
        while bucket != 0:
            links = load_acquire(bucket + LINKS)
            entries += popcount(shr(links, TAGS) & HIGH)
            length += 1
            bucket = next_of(m, links)
        st64(out + 8 * min(length, 8), ld64(out + 8 * min(length, 8)) + 1)
    st64(out, entries)
    return int(entries)
