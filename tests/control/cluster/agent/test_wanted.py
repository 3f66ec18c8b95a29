"""Wanted against a dictionary of units: what counts, what a scheduler is told, and that undo undoes."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vectorplane.backends.items import Interface, Item
from vectorplane.control.cluster.agent.wanted import Wanted

UNITS = st.sampled_from(["a/1", "a/2", "b/1"])
ITEMS = st.dictionaries(st.sampled_from(["x", "y", "z"]), st.sampled_from(["sim", "null", "pg"]), max_size=3)
STEPS = st.lists(st.tuples(UNITS, ITEMS), max_size=5)


class Naive:
    """By key the units that want it, in the order of their names."""

    def __init__(self) -> None:
        self.units: dict[str, dict[str, str]] = {}
        self.lines: dict[str, list[str]] = {}

    def put(self, unit: str, items: dict[str, str]) -> None:
        for name in self.units.get(unit, {}):
            if name not in items:
                self.lines[name].remove(unit)
        for name in items:
            if name not in self.units.get(unit, {}):
                self.lines[name] = sorted([*self.lines.get(name, []), unit])
        self.units[unit] = items

    def items(self) -> dict[str, Item]:
        counting = {name: self.units[line[0]][name] for name, line in self.lines.items() if line}
        return {f"interface/{name}": Interface(name, device) for name, device in counting.items()}


def put(wanted: Wanted, naive: Naive, unit: str, items: dict[str, str]) -> None:
    wanted.put(unit, [Interface(name, device) for name, device in items.items()])
    naive.put(unit, items)


def now(wanted: Wanted) -> dict[str, Item]:
    return {item.key: item for item in wanted}


def inner(wanted: Wanted) -> Any:
    lines = {key: list(line) for key, line in wanted._claims.items()}
    return {u: dict(i) for u, i in wanted._units.items()}, dict(wanted._text), lines


@given(STEPS, STEPS, st.booleans(), st.sampled_from(["change", "undo", "keep"]))
def test_any_sequence(first: list[Any], second: list[Any], whole: bool, end: str) -> None:
    wanted, naive = Wanted(), Naive()
    wanted.begin()
    for unit, items in first:
        put(wanted, naive, unit, items)
    assert now(wanted) == naive.items()
    before, kept = now(wanted), inner(wanted)
    old = copy.deepcopy(naive)
    wanted.begin(whole)
    if whole:
        naive = Naive()
    for unit, items in second:
        put(wanted, naive, unit, items)
    assert now(wanted) == naive.items()
    if end == "keep":
        wanted.keep("a/")
        for unit in ("a/1", "a/2"):
            assert {i.name: i.device for i in wanted.items_of(unit)} == old.units.get(unit, {})  # type: ignore[attr-defined]
    change = wanted.change()
    told = {} if whole else dict(before)
    told |= {key: w.item for key, w in change.puts.items()}
    for key in change.drops:
        del told[key]
    assert told == now(wanted)
    if not whole:
        assert all(before.get(key) != w.item for key, w in change.puts.items()), "only what is different"
    if end == "undo":
        after = now(wanted)
        wanted.undo()
        assert inner(wanted) == kept
        back = wanted.inverse(change)
        if not whole:
            after |= {key: w.item for key, w in back.puts.items()}
            for key in back.drops:
                after.pop(key)
            assert after == before
