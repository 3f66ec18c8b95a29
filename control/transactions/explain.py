"""Why is an item in the state that it is in?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vectorplane.control.descriptors.need import AFTER, ANY, SETTLED, Need
from vectorplane.control.transactions.belief import OBTAINED, Belief, ItemState
from vectorplane.control.transactions.change import Wanted
from vectorplane.control.transactions.describe import item_data, item_text
from vectorplane.control.transactions.history import Event, History, Record
from vectorplane.control.transactions.retry import Failure

MAX_DEPENDENTS = 20


@dataclass(frozen=True)
class NeedState:
    """Something that the item needs: is that need met, and in which state is what it needs?"""

    need: Need
    met: bool
    state: str

    def __str__(self) -> str:
        return f"{self.need}: {self.state}"


@dataclass(frozen=True)
class Explanation:
    """All that is known of one key. ``dependents``: what needs it, some of them; ``dependent_count``: how many."""

    state: ItemState
    others: tuple[Wanted, ...]
    """Other sources that want the key, in line."""
    needs: tuple[NeedState, ...]
    dependents: tuple[ItemState, ...]
    dependent_count: int
    failure: Failure | None
    retry_in: float | None
    """Seconds."""
    transactions: tuple[tuple[Record, list[Event]], ...]
    similar: tuple[str, ...]
    """Keys that may have been meant, when there is no such item."""

    def text(self) -> str:
        """For people."""
        s = self.state
        lines = [f"{s.key}: {s.state}" + (f": {s.reason}" if s.reason else "")]
        if self.similar:
            lines.append(f"  did you mean: {', '.join(self.similar)}")
        if s.item is not None:
            lines.append(f"  wanted by {s.origin or s.source}: {item_text(s.item)}")
        lines += [f"  also wanted by {w.origin or w.source}: {item_text(w.item)}" for w in self.others]
        if s.item is not None or s.there is not None:
            lines.append(f"  there now: {item_text(s.there)}" + (" (made by others)" if s.state == OBTAINED else ""))
        if self.failure is not None:
            again = "no retry by itself" if self.retry_in is None else f"retry in {max(self.retry_in, 0):.1f} s"
            lines.append(f"  last error: {self.failure} (attempt {self.failure.attempts}, {again})")
        lines += [f"  needs {n}" for n in self.needs]
        lines += [f"  needed by {d.key}: {d.state}" for d in self.dependents]
        if self.dependent_count > len(self.dependents):
            lines.append(f"  needed by {self.dependent_count - len(self.dependents)} more")
        for record, events in self.transactions:
            did = ", ".join(e.verb + (f" ({e.error})" if e.error else "") for e in events)
            lines.append(f"  #{record.number} {record.source}: {did} -> {record.outcome}")
        return "\n".join(lines)

    def json(self) -> dict[str, Any]:
        """For programs."""
        s = self.state
        return {
            "key": s.key,
            "state": s.state,
            "reason": s.reason,
            "source": s.source,
            "origin": str(s.origin) if s.origin else None,
            "wanted": None if s.item is None else item_data(s.item),
            "there": None if s.there is None else item_data(s.there),
            "also_wanted_by": [{"source": w.source, "item": item_data(w.item)} for w in self.others],
            "needs": [{"need": str(n.need), "key": n.need.key, "met": n.met, "state": n.state} for n in self.needs],
            "needed_by": [{"key": d.key, "state": d.state} for d in self.dependents],
            "needed_by_count": self.dependent_count,
            "error": None if self.failure is None else str(self.failure),
            "attempts": 0 if self.failure is None else self.failure.attempts,
            "retry_in": self.retry_in,
            "transactions": [
                {"number": r.number, "source": r.source, "outcome": r.outcome, "events": [e._asdict() for e in events]}
                for r, events in self.transactions
            ],
            "similar": list(self.similar),
        }


def explain(key: str, belief: Belief, history: History, now: float) -> Explanation:
    """What is known of a key; ``now``: on the scheduler's clock."""
    state = belief.state(key)
    index = belief.desired.index if state.item is not None else belief.actual.index
    needs = tuple(_need(n, belief) for n in index.needs.get(key, ()) if n.how != AFTER)
    known = state.item if state.item is not None else state.there
    names = [key, *(belief.descriptors[type(known)].provides(known) if known is not None else ())]
    above = {
        d: None
        for name in names
        for i in (belief.desired.index, belief.actual.index)
        for d in i.dependents(name)
        if any(n.key == name and n.how != AFTER and (n.how != SETTLED or known) for n in i.needs[d])
    }
    failure = belief.failures.get(key)
    similar: list[str] = []
    if known is None:
        import difflib

        similar = difflib.get_close_matches(key, [*belief.desired.items, *belief.actual.items][:20_000], 3, 0.6)
    return Explanation(
        state,
        belief.desired.claims(key)[1:],
        needs,
        tuple(belief.state(d, deep=False) for d in list(above)[:MAX_DEPENDENTS]),
        len(above),
        failure,
        None if failure is None or failure.retry_at is None else failure.retry_at - now,
        tuple(history.of(key)),
        tuple(dict.fromkeys(similar)),
    )


def _need(need: Need, belief: Belief) -> NeedState:
    met = belief.met(need)
    if need.applies is not None and not need.applies(belief.lookup):
        return NeedState(need, met, "does not matter")
    if need.how == ANY:
        return NeedState(need, met, "there" if met else "there is none")
    state = belief.state(need.key, deep=False)
    if need.how == SETTLED and state.item is None and met:
        return NeedState(need, met, "as it should be")
    return NeedState(need, met, state.state)
