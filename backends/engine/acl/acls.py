"""The ACLs of an engine, and on which interfaces they apply (VPP's acl plugin).

What applies to one direction of an interface is compiled to a matcher (`vectorplane.graph_nodes.acl.matcher`) that
takes the place of the one before by one store, while packets flow; the old one goes when no worker can be using it.
As in VPP other lists on an interface end its sessions, unless sessions are to be checked against the new policy
(`reclassify`); other rules in a list leave them alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from vectorplane.backends.engine.acl.acl import Acl, AclInUse, AclNotThere, AclTwice
from vectorplane.backends.engine.acl.contexts import Contexts, LookupContext
from vectorplane.backends.engine.acl.match_counters import MatchCounters
from vectorplane.backends.engine.acl.reach import Reach
from vectorplane.backends.engine.acl.rule import REFLECT, AclRule
from vectorplane.backends.engine.acl.sessions import Sessions
from vectorplane.backends.engine.acl.users import take_out
from vectorplane.backends.engine.interface import DELETED
from vectorplane.backends.engine.slots import Slots
from vectorplane.graph_nodes.acl.tables import MAX_ACLS, AclTables

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

__all__ = ["Acl", "AclInUse", "AclNotThere", "AclTwice", "Acls"]

_ARCS = {True: ("ip4-unicast", "ip6-unicast"), False: ("ip4-output",)}
_L2_ARCS = {True: ("l2-input-ip4", "l2-input-ip6"), False: ("l2-output-ip4", "l2-output-ip6")}


class Acls:
    """See the module's docstring. Numbers are VPP's: the lowest free one is taken last (a pool)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._acls: dict[int, Acl] = {}
        self._slots = Slots()
        self._lists: dict[tuple[int, bool], tuple[int, ...]] = {}
        """By interface and direction (True: input)."""
        self.reach = {True: Reach(), False: Reach()}
        """By direction."""
        self._contexts = Contexts(engine)
        self._counters = MatchCounters(engine)
        self.sessions = Sessions(engine)
        engine.interfaces.on_change.append(self._interface_changed)

    # --- the lists

    def add_replace(self, index: int | None, tag: str, rules: Sequence[AclRule]) -> int:
        """Make an ACL, or give one other rules at once wherever it applies; gives its number.

        Raises:
            AclNotThere: there is none with the number ``index``.
            OverflowError: there are too many.
        """
        if index is None:
            if self._slots.next >= MAX_ACLS:
                raise OverflowError(f"no room for another ACL: there are {MAX_ACLS}")
            index = self._slots.take()
        elif index not in self._acls:
            raise AclNotThere(f"there is no ACL {index}")
        self._acls[index] = Acl(index, tag, tuple(rules), any(rule.action == REFLECT for rule in rules))
        self._counters.prepare(index, len(rules))
        for (sw_if_index, is_input), numbers in self._lists.items():
            if index in numbers:
                self.sessions.policy_changed(sw_if_index, is_input)
                self._compile(sw_if_index, is_input)
        self._take_turns()
        return index

    def delete(self, index: int) -> None:
        """Forget an ACL.

        Raises:
            AclNotThere: there is none with this number.
            AclInUse: it applies somewhere.
        """
        if index not in self._acls:
            raise AclNotThere(f"there is no ACL {index}")
        for is_input in (True, False):
            if self.applied(index, is_input):
                raise AclInUse(index, is_input)
        del self._acls[index]
        self._slots.give(index)

    def __getitem__(self, index: int) -> Acl:
        """The ACL with this number. Raises `AclNotThere`."""
        try:
            return self._acls[index]
        except KeyError:
            raise AclNotThere(f"there is no ACL {index}") from None

    def __iter__(self) -> Iterator[Acl]:
        """All, by number."""
        for index in sorted(self._acls):
            yield self._acls[index]

    def __contains__(self, index: int) -> bool:
        return index in self._acls

    def __len__(self) -> int:
        return len(self._acls)

    # --- where they apply

    def set_lists(self, sw_if_index: int, inputs: Sequence[int] | None, outputs: Sequence[int] | None) -> None:
        """What an interface's packets must pass, in this order; None leaves a direction as it is, () checks nothing.

        As in VPP the output list is set first, and stays when the input list is refused.

        Raises:
            KeyError: no such interface.
            AclNotThere: an ACL is not there; nothing has changed.
            AclTwice: one stands twice in a list.
        """
        interface = self._engine.interfaces[sw_if_index]
        for index in (*(inputs or ()), *(outputs or ())):
            if index not in self._acls:
                raise AclNotThere(f"there is no ACL {index}")
        cleared = False
        for is_input, numbers in ((False, outputs), (True, inputs)):
            if numbers is None:
                continue
            twice = next((i for k, i in enumerate(numbers) if i in numbers[:k]), None)
            if twice is not None:
                raise AclTwice(f"ACL {twice} stands twice in the {'input' if is_input else 'output'} list")
            cleared = self._set(interface.sw_if_index, is_input, tuple(numbers), cleared)

    def join(self, sw_if_index: int, is_input: bool, index: int) -> None:
        """Put an ACL at the end of an interface's list.

        Raises:
            KeyError: no such interface.
            AclInUse: it stands in the list.
            AclNotThere: it is not there.
        """
        now = self._lists.get((sw_if_index, is_input), ())
        if index in now:
            raise AclInUse(index, is_input)
        self._set_one(sw_if_index, is_input, [*now, index])

    def leave(self, sw_if_index: int, is_input: bool, index: int) -> None:
        """Take an ACL out of an interface's list; as in VPP the last one gets its place.

        Raises:
            KeyError: no such interface.
            AclNotThere: it is not in the list.
        """
        now = list(self._lists.get((sw_if_index, is_input), ()))
        if index not in now:
            raise AclNotThere(f"ACL {index} does not apply")
        take_out(now, index)
        self._set_one(sw_if_index, is_input, now)

    def inputs(self, sw_if_index: int) -> tuple[int, ...]:
        """The ACLs that what an interface receives must pass."""
        return self._lists.get((sw_if_index, True), ())

    def outputs(self, sw_if_index: int) -> tuple[int, ...]:
        """The ACLs that what an interface sends must pass."""
        return self._lists.get((sw_if_index, False), ())

    def applied(self, index: int, is_input: bool) -> list[int]:
        """The interfaces in whose list of a direction the ACL is, in VPP's order (`Users`)."""
        return self.reach[is_input].users.of(index)

    @property
    def interfaces(self) -> list[int]:
        """The interfaces with ACLs."""
        return sorted({i for i, _ in self._lists})

    def matches(self, index: int) -> list[tuple[int, int]]:
        """Packets and bytes that met each rule of an ACL since it was last changed, while `counters_enabled`.

        Raises:
            AclNotThere: there is none with this number.
        """
        return [self._counters.total(index, k) for k in range(len(self[index].rules))]

    def contexts(self) -> list[LookupContext]:
        """VPP's lookup contexts: one for each interface and direction with ACLs."""
        return self._contexts.all()

    def contexts_with(self, index: int) -> list[int]:
        """The numbers of the lookup contexts that an ACL is in, in VPP's order (`Users`)."""
        return self._contexts.users.of(index)

    def context_of(self, sw_if_index: int, is_input: bool) -> int | None:
        """The number of the lookup context of an interface and direction."""
        return self._contexts.number(sw_if_index, is_input)

    # --- switches

    @property
    def counters_enabled(self) -> bool:
        """Are matches counted by rule (``/acl/N/matches``)? Not at first."""
        return bool(self._tables.switches["count_matches"])

    @counters_enabled.setter
    def counters_enabled(self, on: bool) -> None:
        self._tables.switches["count_matches"] = int(on)

    @property
    def l4_match_nonfirst_fragment(self) -> bool:
        """Does a fragment without ports meet a rule by its protocol alone?"""
        return self._contexts.match_fragments

    @l4_match_nonfirst_fragment.setter
    def l4_match_nonfirst_fragment(self, on: bool) -> None:
        self._contexts.match_fragments = on
        self._compile_all()

    @property
    def use_hash_matching(self) -> bool:
        """Are rules found by tuples, or one after the other?"""
        return self._contexts.by_tuples

    @use_hash_matching.setter
    def use_hash_matching(self, on: bool) -> None:
        self._contexts.by_tuples = on
        self._compile_all()

    @property
    def reclassify(self) -> bool:
        """Are sessions checked anew when the policy of their interface changes?"""
        return self.sessions.reclassify

    @reclassify.setter
    def reclassify(self, on: bool) -> None:
        self.sessions.reclassify = on

    @property
    def max_sessions(self) -> int:
        """The most sessions (VPP's default: 500,000)."""
        return self.sessions.most

    @max_sessions.setter
    def max_sessions(self, most: int) -> None:
        self.sessions.most = most

    def timeout(self, kind: int) -> int:
        """Seconds without a packet after which a session of a kind ends (1: UDP, 2: TCP idle, 3: TCP transient)."""
        return self.sessions.timeout(kind)

    def set_timeout(self, kind: int, seconds: int) -> None:
        """Change it. Raises `ValueError`: no such kind, or not within 0 to 2**32 - 1."""
        self.sessions.set_timeout(kind, seconds)

    def skip_ip6_extension(self, header: int, on: bool) -> None:
        """Whether an IPv6 extension header is skipped on the way to ports. Raises `ValueError`."""
        self.sessions.skip_ip6_extension(header, on)

    def clear_sessions(self, sw_if_index: int | None = None) -> None:
        """End the sessions of an interface, or all."""
        self.sessions.clear(sw_if_index)

    def policy_epoch(self, sw_if_index: int, is_input: bool) -> int | None:
        """VPP's number of the policy of an interface and direction; None: it never changed."""
        return self.sessions.policy_epoch(sw_if_index, is_input)

    # --- inside

    @property
    def _tables(self) -> AclTables:
        return self._engine.plane.shared(AclTables)

    def _set_one(self, sw_if_index: int, is_input: bool, numbers: list[int]) -> None:
        self.set_lists(sw_if_index, numbers if is_input else None, None if is_input else numbers)

    def _set(self, sw_if_index: int, is_input: bool, numbers: tuple[int, ...], cleared: bool) -> bool:
        key = (sw_if_index, is_input)
        before = self._lists.get(key, ())
        self.reach[is_input].change(sw_if_index, before, numbers)
        if self.sessions.reclassify:
            self.sessions.policy_changed(sw_if_index, is_input)
        elif not cleared and set(before) != set(numbers):
            self.sessions.clear(sw_if_index)
            cleared = True
        if numbers:
            self._lists[key] = numbers
        else:
            self._lists.pop(key, None)
        self._compile(sw_if_index, is_input)
        self._take_turns()
        if bool(before) != bool(numbers):
            self._switch(sw_if_index, is_input, bool(numbers))
        if before and not numbers and (sw_if_index, not is_input) not in self._lists:
            self.sessions.clear(sw_if_index)
        return cleared

    def _compile(self, sw_if_index: int, is_input: bool) -> None:
        numbers = self._lists.get((sw_if_index, is_input), ())
        self._contexts.set(sw_if_index, is_input, [(i, self._acls[i].rules) for i in numbers])

    def _take_turns(self) -> None:
        """Where rules make sessions, packets of two interfaces must not share a vector in virtual time."""
        reflects = any(self._acls[i].reflects for numbers in self._lists.values() for i in numbers)
        self._engine.plane.take_turns("acl", reflects)

    def _compile_all(self) -> None:
        for sw_if_index, is_input in self._lists:
            self._compile(sw_if_index, is_input)

    def _switch(self, sw_if_index: int, is_input: bool, on: bool) -> None:
        engine = self._engine
        direction = "in" if is_input else "out"
        for arc in _ARCS[is_input]:
            engine.plane.arcs[arc].enable(sw_if_index, f"acl-plugin-{direction}-{arc[:3]}-fa", on)
        engine.routes.features_changed(sw_if_index)
        for arc in _L2_ARCS[is_input]:
            engine.l2_features.enable(arc, f"acl-plugin-{direction}-{arc[-3:]}-l2", sw_if_index, on)
        engine.acl_whitelists.acls_applied(sw_if_index, is_input, on)

    def _interface_changed(self, sw_if_index: int, what: str) -> None:
        if what != DELETED:
            return
        for is_input in (False, True):
            if (sw_if_index, is_input) in self._lists:
                self._set(sw_if_index, is_input, (), False)
        self.sessions.clear(sw_if_index)
