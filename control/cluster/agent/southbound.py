"""What an agent asks of its scheduler: an update (or an upstream resync), and the other two kinds of resync."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vectorplane.backends.base import BackendError
from vectorplane.backends.items import Interface, Item, Route
from vectorplane.control.cluster.agent.wanted import SOURCE, Wanted
from vectorplane.control.cluster.names import is_agents
from vectorplane.control.scheduler import Scheduler
from vectorplane.control.transactions.belief import OBTAINED
from vectorplane.control.transactions.change import Change
from vectorplane.control.transactions.history import APPLIED, AWAY, INCOMPLETE, REVERTED, Record, reason_of
from vectorplane.control.transactions.plan import Step


@dataclass(frozen=True)
class Committed:
    """What came of it. ``transactions``: numbers of the scheduler's records; ``error``: empty, or what was refused."""

    transactions: tuple[int, ...] = ()
    error: str = ""
    sick: bool = False
    """It was to be undone, but not all of it could be."""


class Southbound:
    """The dataplane is the agent's: what its first full resync finds there and nobody wants is taken away.

    Only interfaces that no agent makes, and what is on them, are left to whoever made them.
    """

    def __init__(self, scheduler: Scheduler, wanted: Wanted) -> None:
        self._scheduler, self._wanted = scheduler, wanted
        self.on_resync: Callable[[Record], None] | None = None
        """Called when the scheduler has resynced by itself: the dataplane is back."""
        self.taken_over = False
        """What the dataplane held before us has been looked at."""
        self._resyncing = False
        self._former = scheduler.on_record
        scheduler.on_record = self._on_record
        self._leftovers: set[str] = set()
        """What was there before us and can't be taken away: told once, no failure of ours."""

    def update(self, change: Change) -> Committed:
        """A change of what is wanted, or all of it, against what the dataplane is believed to hold.

        What the backend refuses for now only is left to the scheduler's retries.
        """
        if not change.whole and not change.puts and not change.drops:
            return Committed()
        record = self._scheduler.commit(change)
        return Committed((record.number,), self.refused(record))

    def all_or_nothing(self, change: Change) -> Committed:
        """The same, for a change whose pusher waits: anything that is not done is a failure.

        With an error nothing of it is wanted by the scheduler any more; `Wanted` is as it was at its `begin`.
        """
        if not change.puts and not change.drops:
            return Committed()
        change.atomic = True
        record = self._scheduler.commit(change)
        if record.outcome == APPLIED:
            return Committed((record.number,))
        self._wanted.undo()
        error = record.reason or _told([_failure(s, e) for s, e in record.failures]) or record.outcome
        if record.outcome == REVERTED:
            return Committed((record.number,), error)
        if record.outcome == AWAY:
            error = f"the dataplane is away: {error}"
        back = self._scheduler.commit(self._wanted.inverse(change, f"undo: {change.text}"))
        stuck = self.refused(back)
        error += f"; and it could not be undone: {stuck}" if stuck else ""
        return Committed((record.number, back.number), error, bool(stuck))

    def full(self, change: Change) -> Committed:
        """Everything that is wanted, against what the dataplane really holds."""
        transactions = []
        try:
            self._scheduler.refresh()
        except BackendError:
            pass  # the resync below tells why
        else:
            if not self.taken_over:
                transactions += self._take_over()
        transactions.append(self._scheduler.commit(change).number)
        last = self.downstream(change.text)
        return Committed((*transactions, *last.transactions), last.error)

    def downstream(self, text: str) -> Committed:
        """What was wanted last, against what the dataplane really holds."""
        self._resyncing = True
        try:
            record = self._scheduler.resync(text)
        finally:
            self._resyncing = False
        return Committed((record.number,), self.refused(record))

    def refused(self, record: Record) -> str:
        """What a transaction failed with for good; empty: nothing of ours. A dataplane that is away is none."""
        if record.outcome == AWAY:
            return ""
        error = self._text(record)
        return error or (record.reason if record.outcome in (INCOMPLETE, REVERTED) and not record.failures else "")

    def _on_record(self, record: Record) -> None:
        if self._former is not None:
            self._former(record)
        if record.source == "resync" and not self._resyncing and self.on_resync is not None:
            self.on_resync(record)

    def _take_over(self) -> list[int]:
        """What is there is ours from now on, so that the next change drops what it does not put."""
        found = [s.there for s in self._scheduler.items() if s.state == OBTAINED and s.there is not None]
        wanted = {item.key for item in self._wanted}
        others = {i.name for i in found if isinstance(i, Interface) and i.key not in wanted and not is_agents(i.name)}
        found = [item for item in found if not others & set(_interfaces(item))]
        self.taken_over = True
        self._leftovers = {item.key for item in found}
        if not found:
            return []
        change = Change(SOURCE, text="what was there before")
        change.put_all(found)
        return [self._scheduler.commit(change).number]

    def _text(self, record: Record) -> str:
        told = []
        for step, error in record.failures:
            wanted = self._scheduler.state(step.key)
            if (
                error.retry
                or (wanted.source not in ("", SOURCE))
                or (not wanted.source and step.key in self._leftovers)
            ):
                continue
            told.append(_failure(step, error))
        return _told(told)


def _interfaces(item: Item) -> Iterator[str]:
    """The interfaces that an item is, or is about."""
    match item:
        case Interface(name=name):
            yield name
        case Route(paths=paths):
            yield from (path.interface for path in paths)
        case _:
            fields = ("interface", "parent", "lender", "source", "target")
            yield from (value for f in fields if isinstance(value := getattr(item, f, None), str))


def _failure(step: Step, error: BackendError) -> str:
    return f"{step.verb} {step.key}: {reason_of(step, error)}"


def _told(failures: list[str]) -> str:
    more = f" (and {len(failures) - 3} more)" if len(failures) > 3 else ""
    return "; ".join(failures[:3]) + more
