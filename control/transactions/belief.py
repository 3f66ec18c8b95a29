"""What we hold true of each item now: is it there, is it as it should be, and if not, what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from vectorplane.backends.base import Backend, BackendError
from vectorplane.backends.items import Item
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import AFTER, ANY, SETTLED, Need
from vectorplane.control.transactions.actual import Actual
from vectorplane.control.transactions.change import Origin
from vectorplane.control.transactions.desired import Desired
from vectorplane.control.transactions.retry import Failures

APPLIED, PENDING, FAILED, RETRYING = "applied", "pending", "failed", "retrying"
OBTAINED, UNKNOWN, MISSING, DIFFERENT = "obtained", "unknown", "missing", "different"
"""States. Obtained: others made it. Unknown: no such item, or the backend is away. Missing, different: it is known
not to be as it should, and nothing has been tried yet (after a downstream resync)."""


class ItemState(NamedTuple):
    """One item. ``item``: as it should be; ``there``: as it is."""

    key: str
    state: str
    reason: str
    item: Item | None
    there: Item | None
    source: str
    origin: Origin | None


class Belief:
    """The desired and the actual state, and the failures on the way from one to the other."""

    def __init__(self, backend: Backend, descriptors: Mapping[type, Descriptor]) -> None:
        self.backend, self.descriptors = backend, descriptors
        self.desired, self.actual = Desired(descriptors), Actual(descriptors)
        self.failures = Failures()
        self.away = ""
        """Why the backend is away; empty: it is there."""

    def lookup(self, key: str) -> Item | None:
        """An item as it should be, else as it is."""
        wanted = self.desired.items.get(key)
        return wanted.item if wanted is not None else self.actual.items.get(key)

    def same(self, wanted: Item, there: Item) -> bool:
        """Is it as it should be, as far as the backend can hold it?"""
        if wanted is there or wanted == there:
            return True
        try:
            return bool(self.backend.canonical(wanted) == there)
        except BackendError:
            return False

    def same_there(self, key: str, wanted: Item, there: Item) -> bool:
        """The same of what is there under a key; of what we brought we know what the backend does not tell, too."""
        untold = self.descriptors[type(wanted)].untold if type(wanted) is type(there) else ()
        if key not in self.actual.foreign and any(getattr(wanted, f) != getattr(there, f) for f in untold):
            return False
        return self.same(wanted, there)

    def is_settled(self, key: str) -> bool:
        """Is this key as it should be, there or not?"""
        wanted, there = self.desired.items.get(key), self.actual.items.get(key)
        if wanted is None:
            return there is None or key in self.actual.foreign
        return there is not None and self.same_there(key, wanted.item, there)

    def met(self, need: Need) -> bool:
        """Is a need met now?"""
        if need.how == AFTER or (need.applies is not None and not need.applies(self.lookup)):
            return True
        if need.how == ANY:
            return any(True for _ in self.actual.index.providers(need.key))
        if need.how == SETTLED:
            return self.is_settled(need.key)
        # what is there but should not be does not count: it is about to go
        return need.key in self.actual.items and (need.key in self.desired.items or need.key in self.actual.foreign)

    def unmet(self, key: str) -> list[Need]:
        """Needs of a wanted item that are not met now."""
        return [n for n in self.desired.index.needs.get(key, ()) if not self.met(n)]

    def why_not(self, need: Need) -> str:
        """The reason that an item waits for a need."""
        if need.how == ANY:
            return f"there is no {str(need).removeprefix('an ')}"
        if need.how != SETTLED and need.key not in self.desired.items:
            return f"there is no {need}"
        return f"{need} is {self.state(need.key, deep=False).state}"

    def state(self, key: str, *, deep: bool = True) -> ItemState:
        """The state of a key; ``deep``: with the reason for waiting."""
        wanted, there = self.desired.items.get(key), self.actual.items.get(key)
        failure = self.failures.get(key)
        state, reason = UNKNOWN, ""
        if wanted is None and there is None:
            reason = "there is no such item"
        elif self.away:
            state = UNKNOWN if there is not None else PENDING
            reason = f"the backend is away: {self.away}"
        elif failure is not None:
            state = FAILED if failure.retry_at is None else RETRYING
            reason = str(failure)
        elif wanted is None:
            ours = key not in self.actual.foreign
            state, reason = (DIFFERENT, "it should not be there any more") if ours else (OBTAINED, "others made it")
        elif there is not None and self.same_there(key, wanted.item, there):
            reason = self.backend.fault(there)
            state = FAILED if reason else APPLIED
        elif waits := self.unmet(key):
            state, reason = PENDING, "; ".join(map(self.why_not, waits)) if deep else ""
        else:
            state = MISSING if there is None else DIFFERENT
        source, origin = (wanted.source, wanted.origin) if wanted is not None else ("", None)
        return ItemState(key, state, reason, wanted.item if wanted is not None else None, there, source, origin)
