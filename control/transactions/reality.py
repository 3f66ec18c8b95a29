"""Reads what a backend really holds, and compares it with what we believe or want."""

from __future__ import annotations

from typing import Any, NamedTuple

from vectorplane.backends.base import Backend
from vectorplane.backends.items import Item
from vectorplane.control.descriptors.need import THERE
from vectorplane.control.transactions.belief import Belief
from vectorplane.control.transactions.describe import item_data, item_text


class Difference(NamedTuple):
    """A key that is not the same on both sides. ``expected`` None: should not be there; ``found`` None: is not."""

    key: str
    expected: Item | None
    found: Item | None
    ours: bool
    """False: others made what was found, and it stays."""
    reason: str = ""

    def __str__(self) -> str:
        why = f"  # {self.reason}" if self.reason else ""
        if self.expected is None:
            return f"{'+' if self.ours else ' '} {item_text(self.found)}{why}"
        if self.found is None:
            return f"- {item_text(self.expected)}{why}"
        return f"! {item_text(self.expected)} (found: {item_text(self.found)}){why}"

    def json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "key": self.key,
            "expected": None if self.expected is None else item_data(self.expected),
            "found": None if self.found is None else item_data(self.found),
            "ours": self.ours,
            "reason": self.reason,
        }


def read(backend: Backend, but: type[Item] | None = None) -> dict[str, Item]:
    """Everything that is there, by key; ``but``: nothing of this kind.

    Raises:
        BackendError: it could not be read.
    """
    found: dict[str, Item] = {}
    with backend.batch():
        for kind in backend.kinds():
            if kind is not but:
                for item in backend.dump(kind):
                    found[item.key] = item
    return found


def with_believed(found: dict[str, Item], kind: type[Item], belief: Belief) -> dict[str, Item]:
    """What was read, and of a kind that was not read what we believe, as far as it can still be there."""
    index = belief.actual.index
    for key, item in belief.actual.items.items():
        if type(item) is kind and all(n.key in found for n in index.needs[key] if n.how == THERE):
            found[key] = item
    return found


def take_in(found: dict[str, Item], belief: Belief) -> None:
    """Believe it. What is as it is wanted, or was brought by us, is ours; the rest others made."""
    actual, wanted = belief.actual, belief.desired.items
    ours = set(actual.ours())
    for key in [k for k in actual.items if k not in found]:
        actual.remove(key)
    for key, item in found.items():
        mine = wanted.get(key)
        if mine is not None and belief.same(mine.item, item):
            actual.set(key, mine.item)  # with what the backend cannot tell of it
        else:
            actual.set(key, item, foreign=key not in ours)


def against_belief(found: dict[str, Item], belief: Belief) -> list[Difference]:
    """What is not as we believe."""
    actual = belief.actual
    result = []
    for key, item in actual.items.items():
        ours = key not in actual.foreign
        if key not in found or not belief.same(item, found[key]):
            result.append(Difference(key, item, found.get(key), ours))
    result += [Difference(k, None, item, False) for k, item in found.items() if k not in actual.items]
    return result


def against_desire(found: dict[str, Item], belief: Belief) -> list[Difference]:
    """What is not as it should be; what others made is not listed."""
    result = []
    for key, wanted in belief.desired.items.items():
        if key not in found or not belief.same(wanted.item, found[key]):
            state = belief.state(key)
            reason = state.reason if state.state != "applied" else ""
            result.append(Difference(key, wanted.item, found.get(key), True, reason))
    for key in belief.actual.ours():
        if key in found and key not in belief.desired.items:
            result.append(Difference(key, None, found[key], True, belief.state(key).reason))
    return result
