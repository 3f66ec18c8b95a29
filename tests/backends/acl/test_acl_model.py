"""Any interleaving of rule changes, packets both ways and time: the engine does what the naive ACLs do."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.backends.acl.strategies import answer, packets, rule_lists
from tests.backends.acl.walled import INSIDE, OUTSIDE, SECOND, Walled
from tests.budget import examples
from vectorplane.backends.engine.acl.acls import AclInUse
from vectorplane.backends.engine.acl.rule import REFLECT, AclRule
from vectorplane.jit.kernel import JIT

EVERYTHING = AclRule(REFLECT)
SIDES = st.sampled_from([INSIDE, OUTSIDE])
ACLS = 3


class AclMachine(RuleBasedStateMachine):
    """See `Walled`."""

    @initialize(
        reclassify=st.booleans(), eager=st.booleans(), some=rule_lists, others=rule_lists, place=st.integers(0, 4)
    )
    def begin(self, reclassify: bool, eager: bool, some: list[AclRule], others: list[AclRule], place: int) -> None:
        self.it = Walled()
        self.it.eager = eager
        self.it.engine.acls.reclassify = self.it.naive.reclassify = reclassify
        self.acls = [self.it.acl([*some, EVERYTHING]), self.it.acl(others), self.it.acl([])]
        if place == 0:
            self.it.apply(INSIDE, [self.acls[0]], [self.acls[1]])
        elif place == 1:
            self.it.apply(OUTSIDE, [self.acls[2]], [self.acls[0]])
        elif place == 2:
            self.it.apply(OUTSIDE, [self.acls[1]], [self.acls[0]])
            self.it.apply(INSIDE, [self.acls[1], self.acls[0]], [])

    @rule(which=st.integers(0, ACLS - 1), rules=rule_lists)
    def replace(self, which: int, rules: list[AclRule]) -> None:
        self.it.acl(rules if which else [*rules, EVERYTHING], self.acls[which])

    @rule(
        side=SIDES,
        inputs=st.lists(st.integers(0, ACLS - 1), unique=True, max_size=2),
        outputs=st.lists(st.integers(0, ACLS - 1), unique=True, max_size=2),
    )
    def apply(self, side: int, inputs: list[int], outputs: list[int]) -> None:
        self.it.apply(side, [self.acls[i] for i in inputs], [self.acls[i] for i in outputs])

    def send(self, inward: bool, sent: list[bytes], together: bool) -> None:
        """Packets come."""
        self.it.send(OUTSIDE if inward else INSIDE, sent, together)

    @rule(data=st.data(), together=st.booleans())
    def outward(self, data: st.DataObject, together: bool) -> None:
        self.send(False, data.draw(st.lists(packets(False), min_size=1, max_size=8)), together)

    @rule(data=st.data(), together=st.booleans())
    def inward(self, data: st.DataObject, together: bool) -> None:
        self.send(True, data.draw(st.lists(packets(True), min_size=1, max_size=8)), together)

    def talk(self, data: st.DataObject, times: int, pauses: list[int], inward: bool, burst: bool) -> None:
        """A packet and what answers it, again and again, sometimes just when a session's time is up."""
        there = data.draw(packets(inward))
        back = answer(there)
        for k in range(times):
            self.send(inward, [there] * 2 if burst else [there], burst)
            self.it.wait(pauses[k] * SECOND)
            self.send(not inward, [back], False)

    talk_here = talk_there = talk_on = talk_again = rule(
        data=st.data(),
        times=st.integers(1, 3),
        pauses=st.lists(st.sampled_from([0, 0, 0, 1, 119, 120, 599, 600]), min_size=3, max_size=3),
        inward=st.booleans(),
        burst=st.booleans(),
    )(talk)

    @rule(seconds=st.sampled_from([0, 1, 60, 119, 120, 121, 599, 600, 86_400]))
    def wait(self, seconds: int) -> None:
        self.it.wait(seconds * SECOND)

    @rule(kind=st.integers(1, 3), seconds=st.sampled_from([1, 30, 120, 600]))
    def set_timeout(self, kind: int, seconds: int) -> None:
        self.it.set_timeout(kind, seconds)

    @rule()
    def clear(self) -> None:
        self.it.engine.acls.clear_sessions()
        self.it.naive.clear()

    @rule(which=st.integers(0, ACLS - 1))
    def delete_in_use(self, which: int) -> None:
        index = self.acls[which]
        if any(index in numbers for numbers in self.it.naive.lists.values()):
            with pytest.raises(AclInUse):
                self.it.engine.acls.delete(index)

    @invariant()
    def same_sessions(self) -> None:
        if hasattr(self, "it"):
            self.it.check_sessions()

    def teardown(self) -> None:
        if hasattr(self, "it"):
            self.it.expire_all()
            self.it.close()


TestAcls = AclMachine.TestCase
TestAcls.settings = settings(examples(60 if JIT else 40), stateful_step_count=25)
