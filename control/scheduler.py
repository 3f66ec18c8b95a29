"""The scheduler: brings a backend to the desired state, keeps it there, and can say why anything is as it is.

How to use it (everything in one thread, the control thread; around calls that touch an engine enter
``engine.paused()`` or let the backend's ``batch()`` do it)::

    scheduler = Scheduler(backend)                  # takes over backend.on_reconnect; reads nothing yet
    scheduler.resync("start")                       # what the backend holds already becomes known (obtained)

    change = Change("router.yaml", whole=True)      # from the source of that name; whole: what is not put is dropped
    change.put(item, origin)                        # an item of backends/items.py; origin: Origin(file, line, field)
    change.drop(key)
    plan = scheduler.plan(change)                   # touches nothing; plan(None): what a retry of everything would do
    plan.operations, plan.pending, plan.conflicts   # plan.text(), plan.json(); bool(plan): is there anything to do?
    record = scheduler.commit(change)               # Record: outcome, events, failures, pending, conflicts, duration
    record.outcome                                  # "applied", "incomplete" (retries follow), "reverted", "away"

    scheduler.items()                               # every item known: ItemState(key, item, state, source, reason ...)
    scheduler.state(key)                            # the same for one key
    scheduler.explain(key)                          # Explanation: .text(), .json()
    scheduler.history                               # records, oldest first; history[NUMBER]; record.text(), .json()
    scheduler.verify()                              # differences of what we believe and what is really there
    scheduler.diff()                                # differences of what should be and what is really there
    scheduler.refresh()                             # downstream resync: believe what is really there; changes nothing
    scheduler.resync("asked")                       # full resync: read what is there, then make it as it should be

    scheduler.next_retry()                          # seconds on `clock` (time.monotonic) or None
    scheduler.run_retries()                         # what is due; a Record or None
    scheduler.noticed()                             # the backend told of a change of interfaces: look, in run_retries

`vectorplane.control.yaml_source` makes the `Change` of a configuration file.

Several sources may want items. A key that two of them want belongs to the one that asked first; the other's item is a
conflict, which is reported, and takes over when the first lets go. What others made in the backend (API clients) is
obtained: shown, usable as a dependency, never deleted; when a source wants the same key the item becomes its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from vectorplane.backends.base import Backend, BackendError, Disconnected
from vectorplane.backends.items import Item, Route
from vectorplane.control.descriptors import DESCRIPTORS
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.transactions.belief import PENDING, Belief, ItemState
from vectorplane.control.transactions.change import Change as Change
from vectorplane.control.transactions.change import Origin as Origin
from vectorplane.control.transactions.desired import Journal
from vectorplane.control.transactions.history import APPLIED, AWAY, INCOMPLETE, REVERTED, History, Record, reason_of
from vectorplane.control.transactions.plan import Pending, Plan
from vectorplane.control.transactions.planner import Planner
from vectorplane.control.transactions.retry import FIRST_DELAY, Failure
from vectorplane.control.transactions.runner import Outcome, Runner

if TYPE_CHECKING:
    # what is needed to look at things is loaded when somebody looks
    from vectorplane.control.transactions.explain import Explanation
    from vectorplane.control.transactions.reality import Difference

_log = logging.getLogger(__name__)


class Busy(Exception):
    """The scheduler was called from within one of its own operations."""


class Scheduler:
    """One backend's. ``clock`` gives seconds; `next_retry` and `run_retries` work with it."""

    def __init__(
        self,
        backend: Backend,
        *,
        descriptors: Mapping[type, Descriptor] = DESCRIPTORS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.backend, self.clock = backend, clock
        self.history = History()
        self.on_record: Callable[[Record], None] | None = None
        """Called when a transaction is over."""
        self._belief = Belief(backend, descriptors)
        self._busy = False
        self._back = False
        """The backend came back while we were busy."""
        self._resync_at: float | None = None
        self._noticed = False
        self._woken: dict[str, None] = {}
        """What waited for something that others brought meanwhile."""
        backend.on_reconnect = self._reconnected

    # --- transactions

    def plan(self, change: Change | None = None) -> Plan:
        """What `commit` would do; touches nothing. Without a change: what is left to do of what is wanted."""
        desired = self._belief.desired
        if change is None:
            return Planner(self._belief).plan(self._everything())
        changed, journal = desired.apply(change)
        try:
            plan = Planner(self._belief).plan(changed)
            plan.conflicts = desired.conflicts(list(change.puts), change.source)
        finally:
            desired.undo(journal)
        return plan

    def commit(self, change: Change) -> Record:
        """Want what the change says, and do it as far as it can be done now.

        Never raises for what the backend refuses: see the record.
        """
        with _Once(self):
            record = self.history.new(change.source, change.text)
            changed, journal = self._belief.desired.apply(change)
            record.conflicts = self._belief.desired.conflicts(list(change.puts), change.source)
            if self._belief.away:
                record.outcome, record.reason = AWAY, self._belief.away
            else:
                before = self._belief.failures.copy()
                for key in changed:
                    self._belief.failures.forget(key)  # another wish: its attempts count anew
                self._carry_out(record, changed, journal if change.atomic else None, before)
        return self._finish(record)

    def resync(self, text: str = "") -> Record:
        """Read what the backend really holds, then make it as it should be."""
        with _Once(self):
            record = self.history.new("resync", text)
            self._belief.away, self._resync_at, self._woken = "", None, {}
            if self._read(record):
                self._belief.failures.clear()
                self._carry_out(record, self._everything(), None)
        return self._finish(record)

    def next_retry(self) -> float | None:
        """When `run_retries` should be called, on the clock; None: nothing waits for its time."""
        if self._belief.away:
            return None
        now = self.clock() if self._woken or self._noticed else None
        return min((t for t in (self._belief.failures.next(), self._resync_at, now) if t is not None), default=None)

    def run_retries(self, now: float | None = None) -> Record | None:
        """Try again what is due; None when nothing is."""
        now = self.clock() if now is None else now
        if self._belief.away:
            return None
        if self._resync_at is not None and self._resync_at <= now:
            return self.resync("retry")
        if self._noticed:
            self._look(now)
        if self._belief.away:
            return None
        due = [*self._woken, *self._belief.failures.due(now)]
        self._woken = {}
        if not due:
            return None
        with _Once(self):
            record = self.history.new("retry", "")
            self._carry_out(record, due, None)
        return self._finish(record)

    # --- looking

    def state(self, key: str) -> ItemState:
        """The state of one key."""
        return self._belief.state(key)

    def items(self) -> Iterator[ItemState]:
        """The states of all that is wanted or there; wanted items first, in the order of their wishes."""
        wanted, there = self._belief.desired.items, self._belief.actual.items
        for key in [*wanted, *(k for k in there if k not in wanted)]:
            yield self._belief.state(key)

    def explain(self, key: str) -> Explanation:
        """Why an item is in the state that it is in."""
        from vectorplane.control.transactions.explain import explain

        return explain(key, self._belief, self.history, self.clock())

    def verify(self) -> list[Difference]:
        """What is really there, against what we believe. Changes nothing.

        Raises:
            BackendError: it cannot be read.
        """
        from vectorplane.control.transactions import reality

        return reality.against_belief(reality.read(self.backend), self._belief)

    def diff(self) -> list[Difference]:
        """What is really there, against what should be. Changes nothing; raises as `verify`."""
        from vectorplane.control.transactions import reality

        return reality.against_desire(reality.read(self.backend), self._belief)

    def refresh(self) -> list[Difference]:
        """Believe what is really there, and change nothing of it; gives what is new. Raises as `verify`.

        Items that waited for what others have brought meanwhile are due for `run_retries`.
        """
        return self._refresh(None)

    def noticed(self) -> None:
        """Interfaces of the backend have changed: `run_retries` is to look at all but its routes again.

        So items that wait for what others make are brought, and what others take away is known.
        """
        self._noticed = True

    # --- inner works

    def _look(self, now: float) -> None:
        self._noticed = False
        try:
            self._refresh(Route)
        except Disconnected as error:
            self._belief.away = str(error)
        except BackendError:
            self._resync_at = now + FIRST_DELAY

    def _refresh(self, but: type[Item] | None) -> list[Difference]:
        from vectorplane.control.transactions import reality

        with _Once(self):
            found = reality.read(self.backend, but)
            if but is not None:
                found = reality.with_believed(found, but, self._belief)
            differences = reality.against_belief(found, self._belief)
            reality.take_in(found, self._belief)
            self._wake(d.key for d in differences if d.expected is None)
        self._look_back()
        return differences

    def _everything(self) -> list[str]:
        return [*self._belief.desired.items, *self._belief.actual.ours()]

    def _wake(self, keys: Iterable[str]) -> None:
        belief = self._belief
        for key in keys:
            provides = belief.descriptors[type(belief.actual.items[key])].provides(belief.actual.items[key])
            for name in (key, *provides):
                waiting = (d for d in belief.desired.index.dependents(name) if d not in belief.actual.items)
                self._woken.update(dict.fromkeys(waiting))

    def _reconnected(self) -> None:
        if self._busy:
            self._back = True
        else:
            self.resync("the backend is back")

    def _read(self, record: Record) -> bool:
        from vectorplane.control.transactions import reality

        try:
            reality.take_in(reality.read(self.backend), self._belief)
            return True
        except Disconnected as error:
            self._gone(record, str(error))
        except Exception as error:  # also a mistake of the backend must not end the control plane
            if not isinstance(error, BackendError):
                _log.exception("%s: reading what is there", self.backend.name)
            record.outcome, record.reason = INCOMPLETE, f"it could not be read: {error}"
            self._resync_at = self.clock() + FIRST_DELAY
        return False

    def _gone(self, record: Record, reason: str) -> None:
        record.outcome, record.reason = AWAY, reason
        self._belief.away = reason or "no reason given"

    def _carry_out(
        self, record: Record, keys: list[str], journal: Journal | None, before: dict[str, Failure] | None = None
    ) -> None:
        """Plan and run. If something is refused (atomic), ``journal`` undoes the desired state, and ``before`` tells
        what was failing before; None: what is now."""
        belief = self._belief
        before = belief.failures.copy() if before is None else before
        foreign = set(belief.actual.foreign)
        excused = set() if journal is None else before.keys() - set(keys)
        outcome, anew, touched = Outcome(), set[str](), dict[str, None]()

        def refused(outcome: Outcome) -> bool:
            return journal is not None and any(not e.retry and s.key not in excused for s, e in outcome.failed)

        runner = Runner(belief)
        while True:
            plan = Planner(belief, anew).plan(keys)
            record.plan(plan.steps)
            record.adopted += len(plan.adopted)
            touched.update(dict.fromkeys(plan.keys))
            for key in plan.adopted:
                belief.actual.set(key, belief.desired.items[key].item)
            runner.run(plan.steps, outcome, refused)
            if refused(outcome) or outcome.away or not set(outcome.anew) - anew:
                break
            anew |= set(outcome.anew)  # the backend can't change these in place after all
            keys = list(anew)
        for step in outcome.done:
            record.note(step)
        for step, error in outcome.failed:
            record.note(step, error)
        record.failures += outcome.failed
        if outcome.lost:
            self._resync_at = self.clock() + FIRST_DELAY
        if outcome.away:
            self._gone(record, outcome.away)
        elif journal is not None and refused(outcome):
            self._revert(record, runner, outcome, journal, foreign)
            belief.failures.restore(before)
        else:
            self._note_failures(outcome, touched)
            record.outcome = INCOMPLETE if outcome.failed else APPLIED
            record.pending = list(self._pending(touched))

    def _note_failures(self, outcome: Outcome, touched: Iterable[str]) -> None:
        failures, now = self._belief.failures, self.clock()
        for step, error in outcome.failed:
            failures.note(step.key, step.verb, error, now)
        failed = {step.key for step, _ in outcome.failed}
        for key in touched:
            if key in failures and key not in failed:
                failures.forget(key)  # there was nothing left to do, or it waits for something now

    def _revert(self, record: Record, runner: Runner, outcome: Outcome, journal: Journal, foreign: set[str]) -> None:
        belief, step, error = self._belief, *next((s, e) for s, e in outcome.failed if not e.retry)
        record.outcome, record.reason = REVERTED, f"{step.verb} {step.key}: {reason_of(step, error)}"
        undone = runner.undo(outcome.done)
        belief.desired.undo(journal)
        belief.actual.foreign |= foreign & belief.actual.items.keys()
        for back in undone.done:
            record.note(back)
        for back, why in undone.failed:
            record.note(back, why)
            record.failures.append((back, why))
        if undone.away:
            self._gone(record, undone.away)
            record.outcome, record.reason = REVERTED, f"{record.reason}; and then the backend went away: {undone.away}"
        elif undone.failed or undone.lost:
            record.reason += "; not everything could be undone"
            self._resync_at = self.clock() + FIRST_DELAY

    def _pending(self, keys: Iterable[str]) -> Iterator[Pending]:
        for key in keys:
            wanted = self._belief.desired.items.get(key)
            if wanted is not None and key not in self._belief.actual.items:
                state = self._belief.state(key)
                if state.state == PENDING:
                    yield Pending(key, wanted.item, state.reason, wanted.origin)

    def _finish(self, record: Record) -> Record:
        record.duration = max(time.time() - record.time, 0.0)
        _log.info("%s", record.line())
        if self.on_record is not None:
            self.on_record(record)
        self._look_back()
        return record

    def _look_back(self) -> None:
        if self._back:
            self._back = False
            self.resync("the backend is back")


class _Once:
    """Entered around each operation of a scheduler, so that none begins within another."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def __enter__(self) -> None:
        if self._scheduler._busy:
            raise Busy("the scheduler is in the middle of a transaction")
        self._scheduler._busy = True

    def __exit__(self, *_: object) -> None:
        self._scheduler._busy = False
