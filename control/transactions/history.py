"""The last transactions: what was planned, what happened."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vectorplane.backends.base import BackendError
from vectorplane.control.transactions.desired import Conflict
from vectorplane.control.transactions.plan import Pending, Step

MAX_RECORDS = 100
MAX_EVENTS = 1000
"""Operations that a record remembers one by one; the others are counted."""

APPLIED, INCOMPLETE, REVERTED, AWAY = "applied", "incomplete", "reverted", "away"


def reason_of(step: Step, error: BackendError) -> str:
    """Why an operation failed, without its name (backends begin with that)."""
    return str(error).removeprefix(f"{step.verb} {step.key}: ") or type(error).__name__


class Event(NamedTuple):
    """One operation that was tried."""

    verb: str
    key: str
    error: str
    """Empty: it succeeded."""


@dataclass
class Record:
    """A transaction. ``planned``, ``done``: number of operations by ``verb kind``.

    ``outcome``: ``applied`` (items may be pending all the same), ``incomplete`` (something failed and is tried again),
    ``reverted``, ``away`` (the backend went away; all is brought to it when it is back).
    """

    number: int
    time: float
    """When it began, seconds since 1970."""
    source: str
    text: str
    outcome: str = APPLIED
    planned: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    events: list[Event] = field(default_factory=list)
    failures: list[tuple[Step, BackendError]] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    adopted: int = 0
    reason: str = ""
    """Why the outcome is what it is."""
    duration: float = 0.0
    """Seconds."""

    def note(self, step: Step, error: BackendError | None = None) -> None:
        """One operation was tried."""
        if error is None:
            self.done[_name(step)] += 1
        if len(self.events) < MAX_EVENTS:
            self.events.append(Event(step.verb, step.key, "" if error is None else reason_of(step, error)))

    def plan(self, steps: list[Step]) -> None:
        """These are to be done."""
        self.planned.update(map(_name, steps))

    def line(self) -> str:
        """The record in one line."""
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.time))
        what = ", ".join(f"{n} {name}" for name, n in self.done.items()) or "nothing done"
        more = [f"{len(self.failures)} failed"] if self.failures else []
        more += [f"{len(self.pending)} pending"] if self.pending else []
        more += [f"{len(self.conflicts)} in conflict"] if self.conflicts else []
        head = f"#{self.number} {when} {self.source}" + (f" ({self.text})" if self.text else "")
        return f"{head}: {self.outcome} in {self.duration * 1e3:.1f} ms: {'; '.join([what, *more])}"

    def lines(self) -> list[str]:
        """The record and its details."""
        result = [self.line()]
        result += [f"  {self.reason}"] if self.reason else []
        result += [f"  {e.verb:8} {e.key}" + (f": {e.error}" if e.error else "") for e in self.events]
        left = sum(self.done.values()) - sum(1 for e in self.events if not e.error)
        result += [f"  ... and {left} more"] if left > 0 else []
        result += [f"  pending  {p.key}: {p.reason}" for p in self.pending[:MAX_EVENTS]]
        result += [f"  conflict {c}" for c in self.conflicts]
        return result

    def json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "number": self.number,
            "time": self.time,
            "source": self.source,
            "text": self.text,
            "outcome": self.outcome,
            "reason": self.reason,
            "duration": self.duration,
            "planned": dict(self.planned),
            "done": dict(self.done),
            "adopted": self.adopted,
            "operations": [e._asdict() for e in self.events],
            "failures": [Event(s.verb, s.key, reason_of(s, e))._asdict() for s, e in self.failures[:MAX_EVENTS]],
            "pending": [{"key": p.key, "reason": p.reason} for p in self.pending[:MAX_EVENTS]],
            "conflicts": [str(c) for c in self.conflicts],
        }


def _name(step: Step) -> str:
    item = step.new if step.new is not None else step.old
    assert item is not None
    return f"{step.verb} {item.kind}"


class History:
    """A ring of records, oldest first."""

    def __init__(self, records: int = MAX_RECORDS) -> None:
        self._records: deque[Record] = deque(maxlen=records)
        self._numbers = 0

    def new(self, source: str, text: str) -> Record:
        """Begin a record."""
        self._numbers += 1
        record = Record(self._numbers, time.time(), source, text)
        self._records.append(record)
        return record

    def __iter__(self) -> Iterator[Record]:
        return iter(list(self._records))

    def __len__(self) -> int:
        return len(self._records)

    def __getitem__(self, number: int) -> Record:
        """A record by its number.

        Raises:
            KeyError: there is none, or not any more.
        """
        for record in self._records:
            if record.number == number:
                return record
        raise KeyError(f"no transaction {number}")

    def of(self, key: str, limit: int = 5) -> list[tuple[Record, list[Event]]]:
        """The last transactions that touched an item, newest first, and what they did to it."""
        found = []
        for record in reversed(self._records):
            events = [e for e in record.events if e.key == key]
            events += [Event("pending", key, p.reason) for p in record.pending if p.key == key]
            if events:
                found.append((record, events))
            if len(found) == limit:
                break
        return found
