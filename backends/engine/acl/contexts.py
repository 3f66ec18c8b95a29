"""Matchers of interfaces with ACLs, by VPP's lookup contexts: numbered, one for each interface and direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vectorplane.backends.engine.acl.rule import AclRule
from vectorplane.backends.engine.acl.users import Users
from vectorplane.backends.engine.slots import Slots
from vectorplane.graph_nodes.acl.matcher import Matcher, Placed
from vectorplane.graph_nodes.acl.tables import AclTables

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


@dataclass(frozen=True)
class LookupContext:
    """What one interface's packets of a direction are checked against."""

    index: int
    sw_if_index: int
    is_input: bool
    acls: tuple[int, ...]
    matcher: Matcher

    @property
    def entries(self) -> list[tuple[Placed, int]]:
        """All rules in order, each with how often it was met."""
        return list(zip(self.matcher.rules, self.matcher.hits(), strict=True))


class Contexts:
    """The lookup contexts of an engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._by_place: dict[tuple[int, bool], LookupContext] = {}
        self._alike: dict[tuple[int, ...], dict[tuple[int, bool], None]] = {}
        """By ACLs the places that have them; what was compiled last is the last."""
        self._slots = Slots()
        self.users = Users()
        """By ACL the contexts it is in."""
        self._matchers = 0
        self.match_fragments = True
        self.by_tuples = True

    def set(self, sw_if_index: int, is_input: bool, lists: Sequence[tuple[int, Sequence[AclRule]]]) -> None:
        """Check an interface's packets of a direction against these ACLs from now on; none: not at all."""
        plane = self._engine.plane
        place = (sw_if_index, is_input)
        before = self._by_place.pop(place, None)
        if before is not None:
            alike = self._alike[before.acls]
            del alike[place]
            if not alike:
                del self._alike[before.acls]
        address = 0
        if lists:
            index = before.index if before is not None else self._slots.take()
            self._matchers += 1
            matcher = self._matcher(lists, index)
            context = self._by_place[place] = LookupContext(index, *place, tuple(i for i, _ in lists), matcher)
            self._alike.setdefault(context.acls, {})[place] = None
            self._use(index, () if before is None else before.acls, context.acls)
            address = matcher.address
        elif before is not None:
            self._use(before.index, before.acls, ())
            self._slots.give(before.index)
        plane.shared(AclTables).matchers[int(is_input), sw_if_index] = address
        if before is not None:
            plane.epochs.retire(before.matcher.close)

    def _matcher(self, lists: Sequence[tuple[int, Sequence[AclRule]]], context: int) -> Matcher:
        """A new one. Many pods have the same lists: what another place has is copied."""
        number, workers = self._matchers & 0x7FFFFFFF, self._engine.plane.graph.workers
        alike = self._alike.get(tuple(i for i, _ in lists))
        if alike:
            model = self._by_place[next(reversed(alike))].matcher
            rules, *how = model.made_of
            if how == [workers, self.match_fragments, self.by_tuples] and all(
                was is now for (_, was), (_, now) in zip(rules, lists, strict=True)
            ):
                return model.copy(number=number, context=context)
        return Matcher(
            lists,
            number=number,
            context=context,
            workers=workers,
            match_fragments=self.match_fragments,
            by_tuples=self.by_tuples,
        )

    def all(self) -> list[LookupContext]:
        """All, by number."""
        return sorted(self._by_place.values(), key=lambda c: c.index)

    def number(self, sw_if_index: int, is_input: bool) -> int | None:
        """That of an interface and direction."""
        found = self._by_place.get((sw_if_index, is_input))
        return None if found is None else found.index

    def _use(self, index: int, before: tuple[int, ...], now: tuple[int, ...]) -> None:
        if before != now:  # as in VPP those that stay are taken out and put in again, too
            self.users.change(index, before, ())
            self.users.change(index, (), now)
