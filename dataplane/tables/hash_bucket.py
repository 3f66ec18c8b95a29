"""The memory of a hash map, and how it is read beside writers without ever waiting for one.

A bucket is 64 bytes (keys of 1 word), 128 (2, 3) or 256 (more), on its own cache lines:

    +0   version << 1 | lock      (home buckets only)
    +8   fingerprints << 24 | number of the overflow bucket that goes on (0: none)
    +16  entries: key words, value; 3, 4, 3, -, 5, 4 of them for keys of 1 .. 6 words

A fingerprint is 128 plus the top 7 bits of the hash; 0 marks a free entry. All of a bucket are compared
in one subtraction, so a search reads the first line and that of the entry it finds.

Readers check the home's version before and after: same version, same entries. What makes that enough:

* An entry is written first, its fingerprint is published after it (release). Inserting needs no new version.
* A value is replaced by one store.
* Removing clears the fingerprint, then raises the version, and only later is the entry's room used
  again. Who sees any word of the new entry sees the new version too, and starts again.
* An entry that moves (out of the overflow, into a hole) is published in its new place, the version
  is raised, and then the old place is cleared: who missed it in both sees another version.
* An overflow bucket leaves its chain before the version is raised, and is used again after that.

So no key is ever paired with another key's value; a reader starts again only when somebody has made
progress; and a writer that is stopped halfway stops no reader. Loads and stores of entries are acquire
and release, which on x86 are plain moves.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vectorplane.dataplane.tables.hash_key import mix, word, words_of
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ctz, load_acquire, prefetch, rec, shr

HASH_MAP = np.dtype(
    [
        ("buckets", "i8"),  # address of the home buckets
        ("overflow", "i8"),  # address of overflow bucket 0, which is never used
        ("mask", "i8"),  # home buckets - 1
        ("seed", "i8"),
        ("words", "i8"),  # of a key
        ("shift", "i8"),  # log2 of a bucket's bytes
        ("full", "i8"),  # HIGH of the entries that a bucket has
        ("overflow_n", "i8"),  # overflow buckets, number 0 included
        # second cache line: writers that need an overflow bucket
        ("lock", "i8"),
        ("free", "i8"),  # first free overflow bucket; word 0 of each holds the next
        ("high", "i8"),  # overflow buckets from here on were never used
        ("pad2", "i8", (5,)),
    ],
    align=True,
)

LINKS, ENTRIES = 8, 16
NEXT = (1 << 24) - 1
TAGS = 24
"""Where the fingerprints begin in the links."""
CHAIN = 8
"""Most buckets that hold the keys of one home bucket: bounds a search, whatever keys an attacker finds."""
LOW, HIGH = 0x0101010101, 0x8080808080


def geometry(words: int) -> tuple[int, int]:
    """log2 of the bytes of a bucket, and the entries in it, for keys of ``words`` words."""
    shift = 6 if words == 1 else 7 if words <= 3 else 8
    return shift, ((1 << shift) - ENTRIES) // (8 * words + 8)


@helper
def hash_key(m: int, key: Any) -> int:
    """The hash of a key in the map at ``m``."""
    r = rec(m, HASH_MAP)
    return mix(key, words_of(key, r.words), r.seed)


@helper
def home_of(m: int, h: int) -> int:
    """Address of the home bucket of a hash."""
    r = rec(m, HASH_MAP)
    return int(r.buckets + ((h & r.mask) << r.shift))


@helper
def next_of(m: int, links: int) -> int:
    """Address of the bucket that goes on; 0 when none does."""
    if links & NEXT == 0:
        return 0
    r = rec(m, HASH_MAP)
    return int(r.overflow + ((links & NEXT) << r.shift))


@helper
def equal(entry: int, key: Any, words: int) -> bool:
    """Does the entry hold this key?"""
    difference = 0
    for i in range(words):
        difference |= load_acquire(entry + 8 * i) ^ word(key, i)
    return difference == 0


@helper
def find(m: int, home: int, h: int, key: Any) -> int:
    """Address of the key's entry, 0 when there is none. Holds only while the home's version stays the same."""
    words = words_of(key, rec(m, HASH_MAP).words)
    spread = (shr(h, 57) | 128) * LOW
    bucket = home
    while bucket != 0:
        links = load_acquire(bucket + LINKS)
        x = shr(links, TAGS) ^ spread
        hits = (x - LOW) & ~x & HIGH  # the high bit of each byte of x that is 0 (and at times of one above it)
        while hits != 0:
            entry = bucket + ENTRIES + (ctz(hits) >> 3) * (8 * words + 8)
            if equal(entry, key, words):
                return int(entry)
            hits &= hits - 1
        bucket = next_of(m, links)
    return 0


@helper
def search_hashed(m: int, h: int, key: Any) -> int:
    """The value of a key whose hash is ``h``; -1 when it is not in the map."""
    words = words_of(key, rec(m, HASH_MAP).words)
    home = home_of(m, h)
    while True:
        version = load_acquire(home) >> 1
        entry = find(m, home, h, key)
        value = load_acquire(entry + 8 * words) if entry != 0 else -1
        if load_acquire(home) >> 1 == version:
            return int(value)


@helper
def prefetch_bucket(m: int, h: int) -> None:
    """Ask for the home bucket of a hash."""
    home = home_of(m, h)
    prefetch(home)
    if rec(m, HASH_MAP).shift > 6:
        prefetch(home + 64)
