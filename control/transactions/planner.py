"""Makes plans: from what is there to what should be, touching only what a change reaches.

1. The keys that changed, and all that may have to come or go with them, are collected.
2. For each of them it is decided whether it can be there in the end: all that it needs must be there too.
3. What is not wanted any more, cannot stay, or must be created anew is taken away, and what needs such a thing with it.
4. What is missing is created and what differs is changed, each after what it needs; all that goes, goes before,
   but for what is in nobody's way (`Descriptor.goes_last`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vectorplane.backends.items import Item
from vectorplane.control.descriptors.need import AFTER, ANY, SETTLED, Need
from vectorplane.control.transactions.belief import Belief
from vectorplane.control.transactions.index import Index
from vectorplane.control.transactions.plan import Pending, Plan, Step


class Planner:
    """One plan. ``anew``: keys of items that the backend can't change in place, though their kind could be."""

    def __init__(self, belief: Belief, anew: Iterable[str] = ()) -> None:
        self._belief = belief
        self._wanted, self._there = belief.desired.items, belief.actual.items
        self._foreign = belief.actual.foreign
        self._anew = set(anew)
        self._looked_at: dict[str, bool] = {}
        """Keys that are part of the plan; True: with all that needs them."""
        self._stays: dict[str, bool] = {}
        self._gone: dict[str, str] = {}
        """What is taken away, and why."""

    def plan(self, keys: Iterable[str]) -> Plan:
        """What is to be done for these keys, and for all that depends on it."""
        self._collect(keys)
        updates = self._decide()
        self._cascade(updates)
        plan = Plan(keys=list(self._looked_at))
        removals = self._removals()
        plan.steps += [step for step in removals if not self._goes_last(step.key)]
        plan.steps += self._arrivals(updates)
        plan.steps += [step for step in removals if self._goes_last(step.key)]
        for key in self._looked_at:
            wanted = self._wanted.get(key)
            if wanted is None:
                continue
            if not self._will_be(key):
                plan.pending.append(Pending(key, wanted.item, self._waits_for(key), wanted.origin))
            elif key in self._foreign and key not in self._gone and self._is_same(key):
                plan.adopted.append(key)
        return plan

    # --- which keys

    def _collect(self, keys: Iterable[str]) -> None:
        self._looked_at = {}
        work: list[tuple[str, bool]] = [(k, False) for k in keys]
        for key, reached in work:  # grows on the way
            known = self._looked_at.get(key)
            if known or (known is False and not reached):
                continue
            whole = reached or self._comes_or_goes(key)
            if known is None or whole:
                self._looked_at[key] = whole
            if whole:
                work += [(d, True) for name in self._names(key) for d in self._dependents(name, settled=False)]
            elif known is None:  # also when it is neither wanted nor there any more: then it is settled now
                work += [(d, True) for d in self._dependents(key, settled=True)]
                # it may be wanted again, and count again, though it had not gone yet
                waiting = _who_needs(self._belief.desired.index, key, settled=False)
                work += [(d, True) for d in waiting if d not in self._there]

    def _names(self, key: str) -> list[str]:
        items = (w.item if (w := self._wanted.get(key)) else None, self._there.get(key))
        provides = {n: None for i in items if i is not None for n in self._belief.descriptors[type(i)].provides(i)}
        return [key, *provides]

    def _dependents(self, name: str, *, settled: bool) -> Iterator[str]:
        for index in (self._belief.desired.index, self._belief.actual.index):
            yield from _who_needs(index, name, settled=settled)

    def _is_same(self, key: str) -> bool:
        wanted, there = self._wanted.get(key), self._there.get(key)
        if wanted is None or there is None:
            return wanted is None and (there is None or key in self._foreign)
        return self._belief.same_there(key, wanted.item, there) and key not in self._anew

    def _comes_or_goes(self, key: str) -> bool:
        if self._is_same(key):
            return False
        wanted, there = self._wanted.get(key), self._there.get(key)
        return wanted is None or there is None or not self._in_place(key, there, wanted.item)

    def _in_place(self, key: str, old: Item, new: Item) -> bool:
        if key in self._anew or type(old) is not type(new):
            return False
        return self._belief.descriptors[type(old)].in_place(old, new)

    # --- what can be there

    def _will_be(self, key: str) -> bool:
        known = self._stays.get(key)
        if known is not None:
            return known
        self._stays[key] = False  # until it is known, and for what needs itself
        if key not in self._wanted:
            result = key in self._foreign
        elif key not in self._looked_at:
            result = key in self._there
        else:
            result = all(self._will_be_met(n) for n in self._belief.desired.index.needs[key])
        self._stays[key] = result
        return result

    def _will_be_met(self, need: Need) -> bool:
        if need.how == AFTER or (need.applies is not None and not need.applies(self._belief.lookup)):
            return True
        if need.how == ANY:
            indexes = (self._belief.desired.index, self._belief.actual.index)
            return any(self._is_or_will_be(k) for index in indexes for k in index.providers(need.key))
        if need.how == SETTLED:
            if need.key not in self._wanted:
                return True
            return self._will_be(need.key) if need.key in self._looked_at else self._belief.is_settled(need.key)
        return self._is_or_will_be(need.key)

    def _is_or_will_be(self, key: str) -> bool:
        return key in self._foreign or self._will_be(key)

    def _waits_for(self, key: str) -> str:
        unmet = [n for n in self._belief.desired.index.needs[key] if not self._will_be_met(n)]
        return "; ".join(self._why_not(n) for n in unmet)

    def _why_not(self, need: Need) -> str:
        if need.how != ANY and need.key in self._wanted:
            return f"{need} is pending"
        return f"there is no {str(need).removeprefix('an ')}"

    # --- what goes

    def _decide(self) -> dict[str, None]:
        updates: dict[str, None] = {}
        for key in self._looked_at:
            wanted, there = self._wanted.get(key), self._there.get(key)
            if there is None or (key in self._foreign and (wanted is None or not self._will_be(key))):
                continue
            if wanted is None:
                self._gone[key] = "no longer wanted"
            elif not self._will_be(key):
                self._gone[key] = self._waits_for(key)
            elif self._is_same(key):
                continue
            elif self._in_place(key, there, wanted.item):
                updates[key] = None
            else:
                self._gone[key] = "it cannot be changed in place"
        return updates

    def _cascade(self, updates: dict[str, None]) -> None:
        new = [k for k in self._looked_at if k in self._wanted and k not in self._there and self._will_be(k)]
        work = [(k, True) for k in self._gone] + [(k, False) for k in (*updates, *new)]
        for key, goes in work:  # grows on the way
            for name in self._names(key) if goes else [key]:
                for dependent in _who_needs(self._belief.actual.index, name, settled=not goes, lookup=self._belief):
                    if goes and dependent in updates and self._lets_go(dependent, name):
                        continue
                    if dependent not in self._gone and dependent not in self._foreign:
                        self._gone[dependent] = f"{key} {'goes' if goes else 'changes'}"
                        updates.pop(dependent, None)
                        work.append((dependent, True))

    def _lets_go(self, dependent: str, name: str) -> bool:
        """Will it, changed in place, not need any more what can wait for that with its going?"""
        return self._goes_last(name) and all(need.key != name for need in self._belief.desired.index.needs[dependent])

    def _goes_last(self, key: str) -> bool:
        there = self._there.get(key)
        return key not in self._wanted and there is not None and self._belief.descriptors[type(there)].goes_last

    # --- in which order

    def _removals(self) -> list[Step]:
        order = self._ordered(self._gone, self._belief.actual.index, self._there)
        return [Step("delete", k, self._there[k], None, self._gone[k]) for k in reversed(order)]

    def _arrivals(self, updates: dict[str, None]) -> list[Step]:
        wanted, there = self._wanted, self._there
        arriving = {
            k: None
            for k in (*self._looked_at, *(k for k in self._gone if k not in self._looked_at))
            if k in updates or (k in wanted and (k in self._gone or k not in there) and self._will_be(k))
        }
        items = {k: wanted[k].item for k in arriving}
        steps = []
        for k in self._ordered(arriving, self._belief.desired.index, items):
            if k in updates:
                steps.append(Step("update", k, there[k], items[k], ""))
            else:
                steps.append(Step("create", k, None, items[k], ""))
        return steps

    def _ordered(self, keys: Iterable[str], index: Index, items: dict[str, Item]) -> list[str]:
        """By kind, but each after what it needs."""
        descriptors, chosen = self._belief.descriptors, set(keys)
        order: dict[str, None] = {}
        started: set[str] = set()

        def visit(key: str) -> None:
            started.add(key)
            for need in index.needs[key]:
                for k in index.providers(need.key) if need.how == ANY else (need.key,):
                    if k in chosen and k not in started:
                        visit(k)
            order[key] = None

        for key in sorted(keys, key=lambda k: descriptors[type(items[k])].rank):
            if key not in started:
                visit(key)
        return list(order)


def _who_needs(index: Index, name: str, *, settled: bool, lookup: Belief | None = None) -> Iterator[str]:
    """Keys of items that need it; ``settled``: only those that need it to stay as it is."""
    for key in index.dependents(name):
        for need in index.needs[key]:
            if need.key != name or not (need.how == SETTLED if settled else need.how != AFTER):
                continue
            if lookup is None or need.applies is None or need.applies(lookup.lookup):
                yield key
                break
