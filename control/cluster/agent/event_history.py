"""What an agent did, one record an event. The JSON's fields are those of Contiv-VPP's ``/controller/event-history``."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from vectorplane.control.cluster.agent.event import Event

KEPT, FIRST_KEPT, TRIM_EVERY = 24 * 3600.0, 3600.0, 60.0
"""Seconds: how long a record is kept; those of the agent's first hour stay for good; how often it is looked."""
MOST, MOST_FIRST = 10_000, 1_000
"""Records at most, whatever their age; and those that stay for good."""
MOST_TEXT = 2_000
"""Characters of a description."""


@dataclass
class HandlerRecord:
    """What one handler did. ``change``: in its own words; ``error``: empty when nothing went wrong."""

    handler: str
    change: str = ""
    error: str = ""
    revert: bool = False

    def json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "Handler": self.handler,
            "Revert": self.revert,
            "Change": self.change,
            "Error": bool(self.error),
            "ErrorStr": self.error,
        }


@dataclass
class EventRecord:
    """One event. Times are seconds since 1970; ``transactions``: numbers of the scheduler's records."""

    number: int
    name: str
    description: str
    method: str
    start: float
    end: float = 0.0
    follow_up_to: int | None = None
    handlers: list[HandlerRecord] = field(default_factory=list)
    error: str = ""
    """Of the event as a whole; empty: all of it was done."""
    transactions: list[int] = field(default_factory=list)

    def handler(self, name: str, change: str = "", error: str = "", revert: bool = False) -> None:
        """A handler was called."""
        self.handlers.append(HandlerRecord(name, change, error, revert))

    def json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "SeqNum": self.number,
            "ProcessingStart": self.start,
            "ProcessingEnd": self.end,
            "IsFollowUp": self.follow_up_to is not None,
            "FollowUpTo": self.follow_up_to,
            "Name": self.name,
            "Description": self.description,
            "Method": self.method,
            "Handlers": [h.json() for h in self.handlers],
            "TxnError": self.error,
            "Txn": self.transactions,
        }


class EventHistory:
    """Records, oldest first. ``wall`` gives seconds since 1970."""

    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._begun = wall()
        self._trimmed = self._begun
        self._first: list[EventRecord] = []
        self._later: deque[EventRecord] = deque(maxlen=MOST)
        self._numbers = 0

    def begin(self, event: Event, follow_up_to: int | None = None) -> EventRecord:
        """The record of an event that is being dealt with now."""
        return self.note(event.name, str(event), event.method.value, follow_up_to)

    def note(self, name: str, description: str, method: str, follow_up_to: int | None = None) -> EventRecord:
        """The record of something that begins now."""
        now = self._wall()
        if now - self._trimmed >= TRIM_EVERY:
            self.trim()
        if len(description) > MOST_TEXT:
            description = f"{description[:MOST_TEXT]} ..."
        record = EventRecord(self._numbers, name, description, method, now, follow_up_to=follow_up_to)
        self._numbers += 1
        if now - self._begun < FIRST_KEPT and len(self._first) < MOST_FIRST:
            self._first.append(record)
        else:
            self._later.append(record)
        return record

    @property
    def last(self) -> EventRecord:
        """The newest. Raises IndexError: there is none yet."""
        return self._later[-1] if self._later else self._first[-1]

    def finish(self, record: EventRecord, error: str = "") -> None:
        """It is dealt with."""
        record.end, record.error = self._wall(), error

    def trim(self) -> None:
        """Forget what is too old."""
        self._trimmed = self._wall()
        while self._later and self._later[0].start < self._trimmed - KEPT:
            self._later.popleft()

    def __iter__(self) -> Iterator[EventRecord]:
        yield from self._first
        yield from list(self._later)

    def __len__(self) -> int:
        return len(self._first) + len(self._later)

    def __getitem__(self, number: int) -> EventRecord:
        """A record by its number.

        Raises:
            KeyError: there is none, or not any more.
        """
        for record in self:
            if record.number == number:
                return record
        raise KeyError(f"no event {number}")
