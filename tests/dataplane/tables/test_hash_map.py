"""The hash map against a dict: wild keys, one bucket with a long chain, full maps, both kinds of callers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dataplane.tables.strategies import budget
from tests.naive.hash_map import NaiveHashMap
from vectorplane.dataplane.region import lent
from vectorplane.dataplane.tables.hash_bucket import CHAIN, geometry
from vectorplane.dataplane.tables.hash_map import (
    FULL,
    HashMap,
    HashMapFull,
    hash_40,
    insert_40,
    prefetch_bucket,
    remove_40,
    search_40,
    search_hashed_40,
)
from vectorplane.jit.kernel import compiled
from vectorplane.jit.ops import ld64, st64

SIZES = [1, 2, 3, 5, 6]
WORDS = st.sampled_from([0, 1, 2, 3, 255, -1, -(1 << 63), (1 << 63) - 1, 0x0123456789ABCDEF])
VALUES = st.one_of(st.integers(0, 9), st.sampled_from([-2, -(1 << 63), (1 << 63) - 1]))
SEARCH, INSERT, REMOVE, HASHED = range(4)


def scripts(words: int, operations: list[int]) -> st.SearchStrategy[list[tuple[int, tuple[int, ...], int]]]:
    """Operations on wild keys and on keys that are met again; short scripts, and some that fill a chain."""
    again = st.integers(0, 50).map(lambda i: (i,) * words)
    step = st.tuples(st.sampled_from(operations), st.one_of(again, again, st.tuples(*[WORDS] * words)), VALUES)
    return st.one_of(st.lists(step), st.lists(step, min_size=60, max_size=120))


@compiled
def _script_40(m: int, rows: int, n: int, out: int) -> int:
    """Run rows (operation, five key words, value) one after the other; their results go to ``out``."""
    for i in range(n):
        row = rows + 56 * i
        a, b, c, d, e = ld64(row + 8), ld64(row + 16), ld64(row + 24), ld64(row + 32), ld64(row + 40)
        operation = ld64(row)
        if operation == SEARCH:
            done = search_40(m, a, b, c, d, e)
        elif operation == INSERT:
            done = insert_40(m, a, b, c, d, e, ld64(row + 48))
        elif operation == REMOVE:
            done = remove_40(m, a, b, c, d, e)
        else:
            h = hash_40(m, a, b, c, d, e)
            prefetch_bucket(m, h)
            done = search_hashed_40(m, h, a, b, c, d, e)
        st64(out + 8 * i, done)
    return n


def expected(naive: NaiveHashMap, room: int, operation: int, key: tuple[int, ...], value: int) -> int:
    if operation == INSERT:
        if key not in naive.entries and len(naive.entries) == room:
            return FULL
        return naive.insert(key, value)
    return naive.remove(key) if operation == REMOVE else naive.search(key)


@budget(40)
@given(scripts(5, [SEARCH, INSERT, INSERT, INSERT, REMOVE, HASHED]))
def test_kernels_agree_with_a_dict(script: list[tuple[int, tuple[int, ...], int]]) -> None:
    hash_map, naive = HashMap(1, 5, "one bucket"), NaiveHashMap()
    rows = np.array([[o, *key, value] for o, key, value in script], np.int64).reshape(-1, 7)
    out = np.zeros(len(rows), np.int64)
    with lent(rows, out) as (a, b):
        _script_40(hash_map.address, a, len(rows), b)
    assert out.tolist() == [expected(naive, 5 * CHAIN, *step) for step in script]
    assert dict(hash_map.items()) == naive.entries
    hash_map.close()


@pytest.mark.parametrize("words", SIZES)
@budget(12)
@given(st.data())
def test_python_agrees_with_a_dict(words: int, data: st.DataObject) -> None:
    capacity = data.draw(st.sampled_from([1, 9]))
    hash_map, naive = HashMap(capacity, words, "m"), NaiveHashMap()
    for operation, key, value in data.draw(scripts(words, [SEARCH, INSERT, INSERT, INSERT, REMOVE])):
        if operation == SEARCH:
            assert hash_map.get(key) == naive.entries.get(key)
        elif operation == REMOVE:
            assert hash_map.delete(key) == naive.entries.pop(key, None)
        else:
            try:
                hash_map.set(key, value)
            except HashMapFull:
                assert len(naive.entries) >= capacity
                assert key not in naive.entries
            else:
                naive.insert(key, value)
        assert len(hash_map) == len(naive.entries)
    assert dict(hash_map.items()) == naive.entries
    hash_map.close()


@pytest.mark.parametrize("words", SIZES)
def test_full_and_emptied_again_and_again(words: int) -> None:
    room = geometry(words)[1] * CHAIN
    hash_map = HashMap(1, words, "tiny")
    for turn in range(3):
        rows = [[turn * 1000 + i] * words + [i] for i in range(room)]
        hash_map.load(rows)
        with pytest.raises(HashMapFull, match=f"tiny is full: {room} keys"):
            hash_map.set([-5] * words, 1)
        hash_map.set(rows[3][:words], 7)  # a key that is there needs no room
        assert hash_map.stats()["chains"] == [0, 0, 0, 0, 0, 0, 0, 1]
        for row in rows[:: 1 if turn else -1]:
            assert hash_map.get(row[:words]) is not None
            assert hash_map.delete(row[:words]) == (7 if row == rows[3] else row[-1])
            assert hash_map.delete(row[:words]) is None
        assert len(hash_map) == 0
        assert hash_map.stats()["chains"] == [1, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("words", SIZES)
def test_big_map_holds_its_capacity(words: int) -> None:
    n = 100_000
    rows = np.arange(n * (words + 1), dtype=np.int64).reshape(n, words + 1)
    rows[:, 1:words] &= 7  # keys that differ in few bits
    hash_map = HashMap(n, words, "big")
    hash_map.load(rows)
    assert len(hash_map) == n
    chunks = list(hash_map.chunks(room=1000))
    assert max(map(len, chunks)) <= 1000
    got = np.concatenate(chunks)
    assert (got[np.argsort(got[:, 0])] == rows).all()
    stats = hash_map.stats()
    assert sum(stats["chains"]) == stats["buckets"]
    assert sum(stats["chains"][3:]) < stats["buckets"] / 500
    hash_map.load(rows[::-1])  # all there already
    assert len(hash_map) == n
    hash_map.close()


def test_seeds_place_keys_differently() -> None:
    order = []
    for seed in (1, 2, 1):
        hash_map = HashMap(64, 2, "m", seed=seed)
        hash_map.load([[i, 0, i] for i in range(64)])
        order.append([value for _, value in hash_map.items()])
    assert order[0] == order[2] != order[1]


def test_wild_arguments_are_refused() -> None:
    for capacity, words in ((0, 1), (-1, 1), (1 << 25, 1), (1, 4), (1, 0)):
        with pytest.raises(ValueError, match="not supported"):
            HashMap(capacity, words, "m")
    hash_map = HashMap(4, 2, "m")
    for call in (hash_map.get, hash_map.delete, lambda k: hash_map.set(k, 1)):
        with pytest.raises(ValueError, match="words"):
            call([1])
    with pytest.raises(ValueError, match="-1"):
        hash_map.set([1, 2], -1)
    assert len(hash_map) == 0
