"""What is in a store, and what happened to it. All of it is immutable: threads share it without asking."""

from __future__ import annotations

import json
from dataclasses import dataclass

from vectorplane.control.cluster.store.value import JsonObject


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value, with etcd's three numbers."""

    key: str
    data: bytes
    """The value as canonical JSON."""
    create_revision: int
    """Of the transaction that made the key (since it was last deleted)."""
    mod_revision: int
    """Of the transaction that wrote it last."""
    version: int
    """How often it was written since it was made; 1 is the first."""

    @property
    def value(self) -> JsonObject:
        """The value, a new one every time: whoever changes it changes nothing in the store."""
        value: JsonObject = json.loads(self.data)
        return value


@dataclass(frozen=True, slots=True)
class Event:
    """A key was written (``entry``), or deleted (None). ``previous``: what it was, None when there was no such key."""

    key: str
    entry: Entry | None
    previous: Entry | None


@dataclass(frozen=True, slots=True)
class Change:
    """What one transaction did: all its events have its revision. No key is in it twice."""

    revision: int
    events: tuple[Event, ...]

    def touches(self, prefix: str) -> bool:
        """Whether any of it happened to keys with this prefix."""
        for event in self.events:
            if event.key.startswith(prefix):
                return True
        return False

    def under(self, prefix: str) -> Change | None:
        """The part of it that happened to keys with this prefix; None when nothing did."""
        events = tuple(e for e in self.events if e.key.startswith(prefix))
        return Change(self.revision, events) if events else None


@dataclass(frozen=True, slots=True)
class Listing:
    """All keys with a prefix, in their order, at one revision: a watch from the next one misses nothing."""

    revision: int
    entries: tuple[Entry, ...]
