"""Random transactions over a backend that fails at random: what should be is there, or waits for a true reason."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.control.scheduler.fake_backend import FakeBackend, needed
from tests.control.scheduler.universe import KEYS, UNIVERSE
from vectorplane.backends.items import InterfaceAddress, InterfaceTable, Item, Unnumbered
from vectorplane.control.scheduler import Change, Scheduler

ITEMS = st.sampled_from(UNIVERSE)
FAILURES = st.dictionaries(st.integers(0, 25), st.booleans(), max_size=3)


class Machine(RuleBasedStateMachine):
    """Keeps its own, naive record of who wants what."""

    @initialize()
    def start(self) -> None:
        self.now = 0.0
        self.backend = FakeBackend()
        self.scheduler = Scheduler(self.backend, clock=lambda: self.now)
        self.claims: dict[str, list[tuple[str, Item]]] = {}
        self.others: dict[str, Item] = {}

    # --- what happens

    @rule(
        source=st.sampled_from(["yaml", "program"]),
        puts=st.lists(ITEMS, max_size=12),
        drops=st.lists(st.sampled_from(KEYS), max_size=4),
        whole=st.booleans(),
        atomic=st.booleans(),
        refuse=FAILURES,
        stubborn=st.sets(st.sampled_from(KEYS), max_size=3),
    )
    def transaction(
        self,
        source: str,
        puts: list[Item],
        drops: list[str],
        whole: bool,
        atomic: bool,
        refuse: dict[int, bool],
        stubborn: set[str],
    ) -> None:
        change = Change(source, whole, atomic)
        change.put_all(puts)
        for key in drops:
            change.drop(key)
        before, wished = dict(self.backend.items), self.wished()
        expected = self.scheduler.plan(change)
        assert self.backend.items == before and self.wished() == wished  # a plan touches nothing
        self.backend.arm(refuse)
        self.backend.stubborn = stubborn
        foreign = set(self.backend.foreign)
        record = self.scheduler.commit(change)
        fired = any(n < self.backend.count for n in refuse)
        self.backend.calm()
        if record.outcome == "reverted":
            assert atomic
            if len(record.failures) == sum(n < self.backend.count for n in refuse) == 1:
                lost = foreign - self.backend.items.keys()
                assert self.backend.items == {k: v for k, v in before.items() if k not in lost}
            assert self.wished() == wished
        else:
            self.note(change)
            if not fired and record.outcome == "applied" and not record.reason and not stubborn:
                assert record.planned.total() == len(expected.steps)
        self.settle_foreign()

    @rule(vanish=st.integers(0, 12), empty=st.booleans(), puts=st.lists(ITEMS, max_size=12), atomic=st.booleans())
    def disconnected(self, vanish: int, empty: bool, puts: list[Item], atomic: bool) -> None:
        change = Change("yaml", atomic=atomic)
        change.put_all(puts)
        self.backend.arm({}, vanish)
        record = self.scheduler.commit(change)
        self.backend.vanish = None
        self.note(change)
        if self.backend.away:
            assert record.outcome == "away"
            later = Change("program")
            later.put_all(puts[:3])
            assert self.scheduler.commit(later).outcome == "away"
            self.note(later)
            assert self.scheduler.next_retry() is None
            resyncs = sum(r.source == "resync" for r in self.scheduler.history)
            self.backend.come_back(empty)
            assert sum(r.source == "resync" for r in self.scheduler.history) == min(resyncs + 1, 100)
            if empty:
                self.others = {}
        self.settle_foreign()

    @rule(item=ITEMS)
    def others_make(self, item: Item) -> None:
        """An API client makes something that is not there, and the scheduler reads it."""
        if item.key in self.backend.items or any(k not in self.backend.items for k in self.needs(item)):
            return
        if isinstance(item, InterfaceTable | Unnumbered | InterfaceAddress):
            return  # these two might be refused for what is there; that is another test's
        self.backend.others(item)
        self.scheduler.refresh()
        self.settle_foreign()

    @rule(item=st.sampled_from(KEYS))
    def others_delete(self, item: str) -> None:
        """An API client takes away something that nothing needs; a full resync brings it again if it is ours."""
        if item in self.backend.items and not any(item in self.needs(i) for i in self.backend.items.values()):
            del self.backend.items[item]
            self.backend.foreign.discard(item)
            self.others.pop(item, None)
            self.scheduler.resync()
            self.settle_foreign()

    @rule(refuse=FAILURES)
    def resync(self, refuse: dict[int, bool]) -> None:
        self.backend.arm(refuse)
        self.scheduler.resync()
        self.backend.calm()
        self.settle_foreign()

    @rule(seconds=st.sampled_from([1, 5, 100]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        self.scheduler.run_retries()
        self.settle_foreign()

    # --- what must be true

    @invariant()
    def consistent(self) -> None:
        """What the scheduler says is what is there."""
        assert self.backend.violations == []
        assert self.scheduler.verify() == []
        states = {s.key: s for s in self.scheduler.items()}
        assert {k for k, s in states.items() if s.there is not None} == self.backend.items.keys()
        for key, s in states.items():
            wanted = self.owner(key)
            assert s.item == wanted
            if s.state == "applied":
                assert self.backend.items[key] == self.backend.canonical(s.item)
            elif s.state == "obtained":
                assert key in self.backend.foreign and wanted is None
            elif s.state == "pending":
                assert s.reason and (key not in self.backend.items or key in self.backend.foreign)
            else:
                assert s.state in ("failed", "retrying") or self.scheduler.next_retry() is not None, s
        assert {k for k in self.claims if self.owner(k) is not None} <= states.keys()
        for key in self.others:
            assert key in self.backend.items  # what others made is never deleted

    def teardown(self) -> None:
        """When failures end, all that can be there gets there."""
        if not hasattr(self, "backend"):
            return
        self.backend.calm()
        for _ in range(10):
            self.now += 100
            self.scheduler.run_retries()
        if any(s.state == "failed" for s in self.scheduler.items()):
            self.scheduler.resync()
        self.settle_foreign()
        self.consistent()
        states = {s.key: s.state for s in self.scheduler.items()}
        assert set(states.values()) <= {"applied", "pending", "obtained"}, states
        possible = self.possible()
        assert {k for k, s in states.items() if s == "applied"} == possible
        assert bool(self.scheduler.plan()) is False
        assert {d.key for d in self.scheduler.diff()} == {k for k, s in states.items() if s == "pending"}

    # --- the naive record

    def wished(self) -> dict[str, Item]:
        return {s.key: s.item for s in self.scheduler.items() if s.item is not None}

    def owner(self, key: str) -> Item | None:
        claims = self.claims.get(key)
        return claims[0][1] if claims else None

    def note(self, change: Change) -> None:
        drops = set(change.drops)
        if change.whole:
            drops = {k for k in KEYS if k not in change.puts}
        for key in drops:
            self.claims[key] = [c for c in self.claims.get(key, []) if c[0] != change.source]
        for key, wanted in change.puts.items():
            claims = self.claims.setdefault(key, [])
            for i, (source, _) in enumerate(claims):
                if source == change.source:
                    claims[i] = (source, wanted.item)
                    break
            else:
                claims.append((change.source, wanted.item))

    def settle_foreign(self) -> None:
        """What others made: gone only with what it stood on, ours once it is wanted."""
        items = self.backend.items
        wanted = {k for k in KEYS if self.owner(k) is not None}
        for key in [k for k in self.backend.foreign & wanted if self.scheduler.state(k).state == "applied"]:
            self.backend.foreign.discard(key)  # it is as it was wanted: ours
        for key in [k for k in self.others if k in wanted or k in self.backend.cascaded]:
            del self.others[key]
        self.backend.cascaded = set()
        self.others |= {k: items[k] for k in self.backend.foreign}

    def needs(self, item: Item) -> list[str]:
        """Needed keys, of interfaces as they are wished for."""
        wished = {k: w for k in KEYS if (w := self.owner(k)) is not None}
        return needed(item, {**self.backend.items, **wished})

    def possible(self) -> set[str]:
        """Wanted keys that can be there, found by trying until nothing changes."""
        found: set[str] = set()
        foreign = self.backend.foreign
        bindings = {k for k in KEYS if isinstance(self.owner(k), InterfaceTable)}
        while True:
            more = set()
            for key in KEYS:
                item = self.owner(key)
                if item is None or key in found:
                    continue
                ok = all(k in found or k in foreign for k in self.needs(item))
                names: list[str] = []
                if isinstance(item, InterfaceAddress):
                    names = [f"interface/{item.interface}/table{'6' if item.address.version == 6 else ''}"]
                if isinstance(item, Unnumbered):
                    names = [f"interface/{n}/table{f}" for n in (item.interface, item.lender) for f in ("", "6")]
                    there = [*(self.owner(k) for k in found), *(self.backend.items[k] for k in foreign)]
                    ok &= any(isinstance(i, InterfaceAddress) and i.interface == item.lender for i in there)
                if ok and all(n in found for n in names if n in bindings):
                    more.add(key)
            if not more:
                return found
            found |= more


TestScheduler = Machine.TestCase
TestScheduler.settings = settings(
    derandomize=True, deadline=None, max_examples=60, stateful_step_count=20, report_multiple_bugs=False
)
