"""VPP's pools and vectors, beside a pool written down slot by slot."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from vectorplane.backends.engine.nat44.order import PoolList, take_out


@given(st.lists(st.integers(0, 12)))
@examples(200)
def test_a_pool_list_has_the_order_of_a_pool(changes: list[int]) -> None:
    slots: list[int | None] = []
    free: list[int] = []
    ours: PoolList[int] = PoolList()
    for value in changes:
        if value in slots:
            at = slots.index(value)
            slots[at] = None
            free.append(at)
            ours.leave(value)
        elif free:
            slots[free.pop()] = value
            ours.enter(value)
        else:
            slots.append(value)
            ours.enter(value)
        assert ours == [v for v in slots if v is not None]
        for place in range(len(slots) + 2):
            assert ours.from_place(place) == [v for v in slots[place:] if v is not None]


def test_the_items_that_it_begins_with() -> None:
    it = PoolList("abc")
    it.leave("a")
    it.enter("d")
    it.enter("e")
    assert it == ["d", "b", "c", "e"]


def test_the_last_one_takes_the_place_of_what_is_taken_out() -> None:
    it = list("abcd")
    assert (take_out(it, 1), it) == ("b", ["a", "d", "c"])
    assert (take_out(it, 2), it) == ("c", ["a", "d"])
    assert (take_out(it, 0), take_out(it, 0), it) == ("a", "d", [])
