"""The pool against a set and a stack."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dataplane.tables.strategies import budget
from tests.naive.pool import NaivePool
from vectorplane.dataplane.tables.pool import Pool, PoolFull, element, give, is_used, take
from vectorplane.jit.kernel import compiled
from vectorplane.jit.ops import ld8, st8

RECORD = np.dtype([("a", "i8"), ("b", "i4"), ("c", "i1")])  # 13 bytes: no multiple of anything


@compiled
def _take_and_soil(pool: int, size: int) -> int:
    """As a session kernel does: take, check that all bytes are zero, write to all."""
    index = take(pool)
    if index < 0:
        return -1
    for i in range(size):
        if ld8(element(pool, index) + i) != 0:
            return -2
        st8(element(pool, index) + i, 255)
    return index if is_used(pool, index) else -3


@compiled
def _give(pool: int, index: int) -> int:
    return give(pool, index)


@budget(40)
@given(st.sampled_from([1, 2, 65, 200]), st.lists(st.one_of(st.none(), st.integers(-2, 201)), max_size=120))
def test_agrees_with_a_set_and_a_stack(capacity: int, script: list[int | None]) -> None:
    pool, naive = Pool(RECORD, capacity, "p"), NaivePool(capacity)
    for step in script:
        if step is None:
            assert _take_and_soil(pool.address, RECORD.itemsize) == naive.take()
        else:
            assert _give(pool.address, step) == naive.give(step)
        assert list(pool) == sorted(naive.used)
        assert len(pool) == len(naive.used)
    pool.close()


def test_python_side() -> None:
    pool = Pool(RECORD, 2, "sessions")
    assert pool.stride == 13
    first, second = pool.take(), pool.take()
    assert (first, second) == (0, 1)
    with pytest.raises(PoolFull, match="sessions is full: all 2"):
        pool.take()
    pool.records["a"] = [5, 6]
    records = pool.records
    pool.give(first)
    for wild in (first, 2, -1, 1 << 40):
        with pytest.raises(ValueError, match="sessions"):
            pool.give(wild)
    assert pool.take() == first
    assert records["a"].tolist() == [0, 6]
    for capacity in (0, -1, 1 << 31):
        with pytest.raises(ValueError, match="not supported"):
            Pool(RECORD, capacity, "p")


def test_reserving_much_takes_little() -> None:
    pool = Pool(RECORD, 1 << 28, "vast")
    assert [pool.take() for _ in range(3)] == [0, 1, 2]
    assert pool.records[(1 << 28) - 1]["a"] == 0
    pool.close()
