"""How a hash map is changed: by any number of workers, one at a time in a home bucket and its chain.

The lock is the lowest bit of the home's first word. Invariant: every bucket of a chain but the last is
full, so a removal fills its hole from the end of the chain and an empty last bucket goes back to the
stock. See `vectorplane.dataplane.tables.hash_bucket` for the order of the stores.
"""

from __future__ import annotations

from typing import Any

from vectorplane.dataplane.tables.hash_bucket import (
    CHAIN,
    ENTRIES,
    HASH_MAP,
    HIGH,
    LINKS,
    NEXT,
    TAGS,
    find,
    home_of,
    next_of,
)
from vectorplane.dataplane.tables.hash_key import word, words_of
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import compare_and_swap, ctz, ld64, load_acquire, offsets, pause, rec, shr, st64, store_release

FULL, REPLACED, INSERTED = -1, 0, 1
"""What `insert_hashed` gives."""

_LOCK = offsets(HASH_MAP, "lock")[0]


@helper
def _lock(at: int) -> None:
    """Set the lowest bit of a word, when it is clear."""
    while True:
        seen = load_acquire(at) & ~1
        if compare_and_swap(at, seen, seen | 1) == seen:
            return
        pause()


@helper
def _unlock(at: int) -> None:
    store_release(at, load_acquire(at) & ~1)


@helper
def _raise_version(home: int) -> None:
    """Whoever read entries of this chain before looks again."""
    store_release(home, load_acquire(home) + 2)


@routine
def _take_bucket(m: int) -> int:
    """Number of an empty overflow bucket, 0 when there is none."""
    r = rec(m, HASH_MAP)
    _lock(m + _LOCK)
    taken = r.free
    if taken != 0:
        r.free = ld64(r.overflow + (taken << r.shift))
    elif r.high < r.overflow_n:
        taken = r.high
        r.high = taken + 1
    _unlock(m + _LOCK)
    return int(taken)


@routine
def _give_bucket(m: int, number: int) -> None:
    r = rec(m, HASH_MAP)
    _lock(m + _LOCK)
    st64(r.overflow + (number << r.shift), r.free)
    r.free = number
    _unlock(m + _LOCK)


@helper
def _write(entry: int, key: Any, words: int, value: int) -> None:
    for i in range(words):
        store_release(entry + 8 * i, word(key, i))
    store_release(entry + 8 * words, value)


@routine
def _unchain(m: int, home: int, last: int) -> int:
    """Take the last bucket off a chain; gives its number."""
    before = home
    while next_of(m, ld64(before + LINKS)) != last:
        before = next_of(m, ld64(before + LINKS))
    links = ld64(before + LINKS)
    store_release(before + LINKS, links & ~NEXT)
    return int(links & NEXT)


@routine
def _last_bucket(m: int, home: int) -> int:
    """The end of a chain."""
    last = home
    following = home
    while following != 0:
        last = following
        following = next_of(m, ld64(last + LINKS))
    return last


@routine
def _chain_may_grow(m: int, home: int) -> bool:
    """Is the chain shorter than `CHAIN` buckets?"""
    for _ in range(CHAIN - 1):
        home = next_of(m, ld64(home + LINKS))
        if home == 0:
            return True
    return False


@routine
def insert_hashed(m: int, h: int, key: Any, value: int) -> int:
    """Give a key a value (any but -1): `INSERTED`, `REPLACED`, or `FULL` with nothing changed."""
    r = rec(m, HASH_MAP)
    words = words_of(key, r.words)
    home = home_of(m, h)
    _lock(home)
    entry = find(m, home, h, key)
    if entry != 0:
        store_release(entry + 8 * words, value)
        _unlock(home)
        return REPLACED
    last = _last_bucket(m, home)
    links = ld64(last + LINKS)
    free = ~shr(links, TAGS) & r.full
    tag = shr(h, 57) | 128
    if free != 0:
        byte = ctz(free) & ~7
        _write(last + ENTRIES + (byte >> 3) * (8 * words + 8), key, words, value)
        store_release(last + LINKS, links | tag << (TAGS + byte))
        _unlock(home)
        return INSERTED
    number = _take_bucket(m) if _chain_may_grow(m, home) else 0
    if number != 0:
        bucket = r.overflow + (number << r.shift)
        _write(bucket + ENTRIES, key, words, value)
        store_release(bucket + LINKS, tag << TAGS)
        store_release(last + LINKS, links | number)
    _unlock(home)
    return INSERTED if number != 0 else FULL


@routine
def _fill_hole(m: int, home: int, bucket: int, entry: int, byte: int, last: int) -> int:
    """Move an entry of the last bucket into the hole at ``entry``; gives which (8 * its number)."""
    words = rec(m, HASH_MAP).words
    hole = ld64(bucket + LINKS) & ~(255 << (TAGS + byte))
    store_release(bucket + LINKS, hole)
    _raise_version(home)
    tags = shr(ld64(last + LINKS), TAGS)
    source = ctz(tags & HIGH) & ~7
    moved = last + ENTRIES + (source >> 3) * (8 * words + 8)
    _write(entry, moved, words, ld64(moved + 8 * words))
    store_release(bucket + LINKS, hole | (shr(tags, source) & 255) << (TAGS + byte))
    _raise_version(home)
    return int(source)


@routine
def remove_hashed(m: int, h: int, key: Any) -> int:
    """Take a key out; gives its value, -1 when it is not in the map."""
    r = rec(m, HASH_MAP)
    size = 8 * r.words + 8
    home = home_of(m, h)
    _lock(home)
    entry = find(m, home, h, key)
    if entry == 0:
        _unlock(home)
        return -1
    value = ld64(entry + size - 8)
    bucket = entry >> r.shift << r.shift
    byte = (entry - bucket - ENTRIES) // size << 3
    last = _last_bucket(m, home)
    if bucket != last:
        byte = _fill_hole(m, home, bucket, entry, byte, last)
    store_release(last + LINKS, ld64(last + LINKS) & ~(255 << (TAGS + byte)))
    number = 0
    if ld64(last + LINKS) == 0 and last != home:
        number = _unchain(m, home, last)
    _raise_version(home)
    if number != 0:
        _give_bucket(m, number)
    _unlock(home)
    return int(value)
