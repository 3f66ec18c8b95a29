"""The mtrie against a dict of routes: lookups, the plies it holds, bulk loads, running out of plies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.dataplane.tables.strategies import SHORTEST, addresses, budget, lengths
from tests.naive.mtrie import NaiveMtrie
from vectorplane.dataplane.epoch import Epochs
from vectorplane.dataplane.region import lent
from vectorplane.dataplane.tables.mtrie import (
    Mtrie,
    MtrieFull,
    first_slot,
    lookup,
    root_of,
    slot,
    step,
)
from vectorplane.jit.kernel import JIT, compiled
from vectorplane.jit.ops import ld32s, ld64, prefetch, st64

FIBS = 3


@compiled
def _look_up_all(mtrie: int, fib: int, plies: int, n: int, address: int, out: int) -> int:
    """Look ``n`` addresses up in both ways that kernels may; gives how often they differ."""
    differ = 0
    root = root_of(mtrie, fib)
    for i in range(n):
        a = ld64(address + 8 * i)
        prefetch(first_slot(root, a))
        leaf = ld32s(first_slot(root, a))
        if leaf < 0:
            prefetch(slot(plies, leaf, a >> 8))
        leaf = step(plies, step(plies, leaf, a >> 8), a)
        value = lookup(root, plies, a)
        differ += value != leaf
        st64(out + 8 * i, value)
    return differ


def look_up_all(mtrie: Mtrie, fib: int, where: list[int]) -> list[int]:
    wanted = np.array(where, np.int64)
    out = np.zeros(len(where), np.int64)
    with lent(wanted, out) as (a, b):
        assert _look_up_all(mtrie.roots, fib, mtrie.plies, len(where), a, b) == 0
    return out.tolist()  # type: ignore[no-any-return]


def edges(prefix: int, length: int) -> list[int]:
    """The first and last address of a prefix and their neighbours."""
    last = prefix | (1 << (32 - length)) - 1
    return [a & 0xFFFFFFFF for a in (prefix - 1, prefix, last, last + 1)]


class Machine(RuleBasedStateMachine):
    """Routes come and go, one by one and in bulk, in several FIBs."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs = Epochs(1)
        self.mtrie = Mtrie(self.epochs, fibs=FIBS, plies=4096)
        self.naive = NaiveMtrie()
        self.asked = {0, 2**32 - 1}

    def teardown(self) -> None:
        for fib, prefix, length in list(self.naive.routes):
            self._remove(fib, prefix, length)
        assert self.mtrie.plies_used == 0
        self.mtrie.close()

    def _remove(self, fib: int, prefix: int, length: int) -> None:
        self.naive.remove(fib, prefix, length)
        _, covering, value = self.naive.longest(fib, prefix, length) or (0, 0, 0)
        self.mtrie.remove(fib, prefix, length, value, covering)

    @rule(fib=st.integers(0, FIBS - 1), prefix=addresses, length=lengths, value=st.integers(0, 2**31 - 1))
    def add(self, fib: int, prefix: int, length: int, value: int) -> None:
        self.mtrie.add(fib, prefix, length, value)
        self.naive.add(fib, prefix, length, value)
        self.asked.update(edges(prefix >> (32 - length) << (32 - length), length))

    @rule(fib=st.integers(0, FIBS - 1), prefix=addresses, length=lengths)
    def remove_what_may_be_missing(self, fib: int, prefix: int, length: int) -> None:
        self._remove(fib, prefix, length)

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        if self.naive.routes:
            self._remove(*data.draw(st.sampled_from(sorted(self.naive.routes))))

    @rule(fib=st.integers(0, FIBS - 1), routes=st.lists(st.tuples(addresses, lengths, st.integers(1, 9)), max_size=12))
    def load(self, fib: int, routes: list[tuple[int, int, int]]) -> None:
        columns = [[r[i] for r in routes] for i in range(3)]
        self.mtrie.load(fib, *columns)
        for prefix, length, value in routes:
            self.naive.add(fib, prefix, length, value)
            self.asked.add(prefix)

    @precondition(lambda self: JIT)  # it goes through all 65,536 leaves of a root
    @rule(fib=st.integers(0, FIBS - 1))
    def clear(self, fib: int) -> None:
        self.mtrie.clear(fib)
        for f, prefix, length in list(self.naive.routes):
            if f == fib:
                self.naive.remove(f, prefix, length)

    @invariant()
    def same(self) -> None:
        assert self.mtrie.plies_used == self.naive.plies()
        where = sorted(self.asked)
        for fib in range(FIBS):
            assert look_up_all(self.mtrie, fib, where) == [self.naive.look_up(fib, a) for a in where]


Machine.TestCase.settings = budget(25)
TestMtrie = Machine.TestCase


@budget(20)
@given(st.lists(st.tuples(addresses, lengths), max_size=40), st.integers(1, 6))
def test_out_of_plies_leaves_the_table_as_it_was(routes: list[tuple[int, int]], plies: int) -> None:
    mtrie, naive = Mtrie(fibs=1, plies=plies), NaiveMtrie()
    asked: set[int] = set()
    for value, (prefix, length) in enumerate(routes):
        before = dict(naive.routes)
        naive.add(0, prefix, length, value)
        asked.update(edges(prefix >> (32 - length) << (32 - length), length))
        if naive.plies() > plies:
            naive.routes = before
            with pytest.raises(MtrieFull, match=f"{plies} plies"):
                mtrie.add(0, prefix, length, value)
            with pytest.raises(MtrieFull, match=f"{plies} plies"):
                mtrie.load(0, [prefix, 1], [length, 32], [value, 1])
        else:
            mtrie.add(0, prefix, length, value)
        where = sorted(asked)
        assert look_up_all(mtrie, 0, where) == [naive.look_up(0, a) for a in where]
        assert mtrie.plies_used == naive.plies()
    mtrie.close()


def test_plies_wait_for_running_workers() -> None:
    epochs = Epochs(1)
    epochs.enter(0)
    mtrie = Mtrie(epochs, fibs=1, plies=2)
    mtrie.add(0, 0x0A000001, 32, 1)
    mtrie.remove(0, 0x0A000001, 32)
    assert mtrie.look_up(0, 0x0A000001) == 0
    with pytest.raises(MtrieFull):
        mtrie.add(0, 0x0B000001, 32, 2)
    epochs.leave(0)
    mtrie.add(0, 0x0B000001, 32, 2)
    assert [mtrie.look_up(0, a) for a in (0x0A000001, 0x0B000001)] == [0, 2]


def test_a_closed_mtrie_says_so() -> None:
    epochs = Epochs(1)
    epochs.enter(0)
    mtrie = Mtrie(epochs, fibs=1, plies=2)
    mtrie.add(0, 1, 32, 1)
    mtrie.remove(0, 1, 32)
    mtrie.close()
    epochs.leave(0)
    assert epochs.poll() == 1  # the plies that waited have nowhere to go
    with pytest.raises(ValueError, match="closed"):
        mtrie.look_up(0, 1)


def test_wild_arguments_are_refused() -> None:
    mtrie = Mtrie(fibs=2, plies=4)
    for route in ((2, 0, 16, 1), (-1, 0, 16, 1), (0, 1 << 32, 16, 1), (0, -1, 16, 1), (0, 0, 33, 1), (0, 0, -1, 1)):
        for call in (mtrie.add, mtrie.remove, lambda f, p, n, v: mtrie.load(f, [p], [n], [v])):
            with pytest.raises(ValueError, match=r"fib|prefix"):
                call(*route)
    for value in (-1, 1 << 31):
        with pytest.raises(ValueError, match="leaf"):
            mtrie.add(0, 0, 16, value)
    with pytest.raises(ValueError, match="cover"):
        mtrie.remove(0, 0, 16, 1, 16)
    with pytest.raises(ValueError, match="number"):
        mtrie.load(0, [1], [2, 3], [4])
    mtrie.load(0, [], [], [])
    mtrie.remove(0, 0, max(SHORTEST, 1))
    assert mtrie.plies_used == 0
    assert mtrie.memory()["plies in use"] == 0


def test_big_load_in_any_order_agrees_with_single_routes() -> None:
    generator = np.random.default_rng(5)
    n = 30_000
    length = generator.integers(8, 33, n)
    prefix = generator.integers(10 << 24, 14 << 24, n)
    value = generator.integers(0, 1 << 31, n)
    loaded, single = Mtrie(fibs=1, plies=1 << 16), Mtrie(fibs=1, plies=1 << 16)
    loaded.load(0, prefix, length, value)
    for route in zip(prefix.tolist(), length.tolist(), value.tolist(), strict=True):
        single.add(0, *route)
    assert loaded.plies_used == single.plies_used
    where = generator.integers(10 << 24, 14 << 24, 50_000).tolist() + prefix.tolist()
    assert look_up_all(loaded, 0, where) == look_up_all(single, 0, where)
    naive = NaiveMtrie()
    for route in zip(prefix.tolist(), length.tolist(), value.tolist(), strict=True):
        naive.add(0, *route)
    assert look_up_all(loaded, 0, where[:5000]) == [naive.look_up(0, a) for a in where[:5000]]
    loaded.clear(0)
    assert loaded.plies_used == 0
    assert not any(look_up_all(loaded, 0, where))
