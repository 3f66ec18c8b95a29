"""The timer wheel against a sorted dict: what expires, in which order, and how well it foretells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.dataplane.tables.strategies import budget
from tests.naive.timer_wheel import NaiveTimers
from vectorplane.dataplane.region import lent
from vectorplane.dataplane.tables.timer_wheel import NEVER, TimerWheel, wheel_advance

HANDLES = 12
YEAR = 365 * 86_400 * 10**9
handles = st.integers(0, HANDLES - 1)
spans = st.one_of(
    st.integers(0, 300),
    st.integers(0, 70_000),
    st.integers(0, 3 * YEAR),
    st.sampled_from([63, 64, 65, 4095, 4096, 4097, 64**5]),
)


class Machine(RuleBasedStateMachine):
    """Timers start, move, stop and expire while time makes small and vast steps."""

    @initialize(tick=st.sampled_from([1, 7, 1000, 10**6]), now=st.sampled_from([0, 1, 10**18]))
    def begin(self, tick: int, now: int) -> None:
        self.wheel = TimerWheel(HANDLES, tick, "w", now)
        self.naive = NaiveTimers(tick, now)
        self.tick, self.now = tick, now

    def teardown(self) -> None:
        if hasattr(self, "wheel"):
            self.wheel.close()

    @rule(handle=handles, span=spans, scale=st.booleans())
    def start(self, handle: int, span: int, scale: bool) -> None:
        deadline = min(self.now + span * (self.tick if scale else 1), NEVER)
        self.wheel.start(handle, deadline)
        self.naive.start(handle, deadline)

    @rule(handle=handles, deadline=st.sampled_from([-(1 << 63), -1, 0, NEVER, NEVER - 1]))
    def start_at_a_wild_time(self, handle: int, deadline: int) -> None:
        self.wheel.start(handle, deadline)
        self.naive.start(handle, deadline)

    @rule(handle=handles)
    def stop(self, handle: int) -> None:
        assert self.wheel.stop(handle) == self.naive.stop(handle)

    @rule(span=spans, scale=st.booleans())
    def advance(self, span: int, scale: bool) -> None:
        self.now = min(self.now + span * (self.tick if scale else 1), 2 * 10**18)
        assert self.wheel.advance(self.now).tolist() == self.naive.advance(self.now)

    @rule(most=st.integers(1, 3))
    def advance_a_few_at_a_time(self, most: int) -> None:
        out = np.zeros(most, np.int32)
        done: list[int] = []
        with lent(out) as (address,):
            while (n := wheel_advance(self.wheel.address, self.now, address, most)) > 0:
                done += out[:n].tolist()
        assert done == self.naive.advance(self.now)

    @rule()
    def jump_to_what_is_due_next(self) -> None:
        for _ in range(11):  # a bound a level, at most
            due = self.naive.first()
            foretold = self.wheel.next_deadline()
            if due is None or foretold > 2 * 10**18:
                return
            assert foretold <= due * self.tick
            self.now = max(self.now, foretold)
            got, wanted = self.wheel.advance(self.now).tolist(), self.naive.advance(self.now)
            assert got == wanted
            if got:
                return
        raise AssertionError("nothing expired after eleven jumps")

    @invariant()
    def same(self) -> None:
        if not hasattr(self, "wheel"):
            return
        assert len(self.wheel) == len(self.naive.timers)
        due, foretold = self.naive.first(), self.wheel.next_deadline()
        assert foretold <= (NEVER if due is None else due * self.tick)
        assert (foretold == NEVER) if due is None else foretold >= 0


Machine.TestCase.settings = budget(40)
TestTimerWheel = Machine.TestCase


@budget(20)
@given(st.lists(st.tuples(st.integers(0, 3000), spans), max_size=3000))
def test_many_expire_in_order(timers: list[tuple[int, int]]) -> None:
    wheel, naive = TimerWheel(3001, 10, "w"), NaiveTimers(10)
    for handle, deadline in timers:
        wheel.start(handle, deadline)
        naive.start(handle, deadline)
    assert wheel.advance(4 * YEAR).tolist() == naive.advance(4 * YEAR)
    assert len(wheel) == 0
    wheel.close()


def test_more_than_a_batch_at_once() -> None:
    wheel = TimerWheel(5000, 10, "w")
    for handle in range(5000):
        wheel.start(handle, 5000 * (handle % 3))
    due = wheel.advance(YEAR)
    assert due.tolist() == sorted(range(5000), key=lambda h: (h % 3, h))
    assert wheel.next_deadline() == NEVER


def test_never_before_the_deadline_and_at_most_a_tick_after() -> None:
    wheel = TimerWheel(1, 1000, "w")
    wheel.start(0, 5001)
    assert wheel.advance(5999).size == 0
    assert wheel.next_deadline() == 6000
    assert wheel.advance(6000).tolist() == [0]


def test_wild_arguments_are_refused() -> None:
    wheel = TimerWheel(1, 1000, "w")
    for handle in (-1, 1, 1 << 40):
        with pytest.raises(IndexError, match="handle"):
            wheel.start(handle, 5)
        with pytest.raises(IndexError, match="handle"):
            wheel.stop(handle)
    for capacity, tick, now in ((0, 1, 0), (1, 0, 0), (1, 1, -1), (1 << 30, 1, 0)):
        with pytest.raises(ValueError, match="not supported"):
            TimerWheel(capacity, tick, "w", now)
