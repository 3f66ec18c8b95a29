"""The store of prefixes against a dict of routes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.dataplane.tables.strategies import addresses, budget
from tests.naive.mtrie import NaiveMtrie, network
from vectorplane.dataplane.tables.prefixes import Prefixes

FIBS = 3
fibs = st.integers(0, FIBS - 1)
lengths = st.integers(0, 32)
values = st.integers(0, 2**63 - 1)


class Machine(RuleBasedStateMachine):
    """All methods, beginning with a store so small that it must grow."""

    def __init__(self) -> None:
        super().__init__()
        self.prefixes = Prefixes(FIBS, capacity=1)
        self.naive = NaiveMtrie()

    def teardown(self) -> None:
        self.prefixes.close()

    @rule(fib=fibs, prefix=addresses, length=lengths, value=values)
    def set(self, fib: int, prefix: int, length: int, value: int) -> None:
        self.prefixes.set(fib, prefix, length, value)
        self.naive.add(fib, prefix, length, value)

    @rule(fib=fibs, routes=st.lists(st.tuples(addresses, lengths, values), max_size=20))
    def load(self, fib: int, routes: list[tuple[int, int, int]]) -> None:
        self.prefixes.load(fib, *([r[i] for r in routes] for i in range(3)))
        for route in routes:
            self.naive.add(fib, *route)

    @rule(fib=fibs, prefix=addresses, length=lengths)
    def delete(self, fib: int, prefix: int, length: int) -> None:
        assert self.prefixes.delete(fib, prefix, length) == self.naive.remove(fib, prefix, length)

    @rule(fib=fibs)
    def clear(self, fib: int) -> None:
        self.prefixes.clear(fib)
        for f, prefix, length in list(self.naive.routes):
            if f == fib:
                self.naive.remove(f, prefix, length)

    @rule(fib=fibs, prefix=addresses, length=lengths)
    def ask(self, fib: int, prefix: int, length: int) -> None:
        expected = self.naive.routes.get((fib, network(prefix, length), length))
        assert self.prefixes.get(fib, prefix, length) == expected
        assert self.prefixes.covering(fib, prefix, length) == self.naive.longest(fib, prefix, length)
        assert self.prefixes.longest(fib, prefix) == self.naive.longest(fib, prefix)

    @invariant()
    def same(self) -> None:
        assert len(self.prefixes) == len(self.naive.routes)
        for fib in range(FIBS):
            dump = self.naive.dump(fib)
            assert self.prefixes.dump(fib).tolist() == list(self.prefixes.walk(fib)) == dump
            assert self.prefixes.count(fib) == len(dump)


Machine.TestCase.settings = budget(20)
TestPrefixes = Machine.TestCase


def test_wild_arguments_are_refused() -> None:
    prefixes = Prefixes(2)
    for fib, prefix, length in ((2, 0, 0), (-1, 0, 0), (0, -1, 8), (0, 1 << 32, 8), (0, 0, 33), (0, 0, -1)):
        for call in (prefixes.get, prefixes.delete, prefixes.covering, lambda f, p, n: prefixes.set(f, p, n, 1)):
            with pytest.raises(ValueError, match=r"fib|prefix"):
                call(fib, prefix, length)
        with pytest.raises(ValueError, match=r"fib|prefix"):
            prefixes.load(fib, [0, prefix], [0, length], [1, 1])
    for value in (-1, 1 << 63):
        with pytest.raises(ValueError, match="value"):
            prefixes.set(0, 0, 0, value)
    with pytest.raises(ValueError, match="negative"):
        prefixes.load(0, [0], [0], [-1])
    assert len(prefixes) == 0


def test_big_load_fits_and_dumps_in_order() -> None:
    n = 200_000
    prefixes = Prefixes()
    prefix = np.random.default_rng(2).permutation(n) << 8
    prefixes.load(7, prefix, np.full(n, 24), prefix >> 8)
    assert len(prefixes) == n
    assert prefixes.memory() < 64 * n
    dump = prefixes.dump(7)
    assert (dump["prefix"] == np.arange(n) << 8).all()
    assert (dump["value"] == np.arange(n)).all()
    assert list(prefixes.walk(7)) == dump.tolist()
    assert not len(prefixes.dump(6)) and not list(prefixes.walk(6))
