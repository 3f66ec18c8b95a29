"""The oracle: a store as plain as it can be, a dict and the list of all that ever happened."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Item(NamedTuple):
    """A key's value (as text, so that nobody changes it) and its create revision, mod revision, version."""

    value: str
    create: int
    mod: int
    version: int


class Happened(NamedTuple):
    """One event."""

    revision: int
    key: str
    new: Item | None
    old: Item | None


def text(value: dict[str, Any]) -> str:
    """A value as text."""
    return json.dumps(value, sort_keys=True)


class NaiveStore:
    """Writes are given as lists of (key, value or None); each list is one transaction."""

    def __init__(self) -> None:
        self.revision = 1
        self.items: dict[str, Item] = {}
        self.events: list[Happened] = []

    def write(self, writes: list[tuple[str, dict[str, Any] | None]]) -> int:
        """Do it; returns how many keys were deleted."""
        revision, deleted, any_event = self.revision + 1, 0, False
        for key, value in writes:
            old = self.items.get(key)
            if value is None:
                if old is None:
                    continue
                del self.items[key]
                deleted += 1
            else:
                create, version = (revision, 1) if old is None else (old.create, old.version + 1)
                self.items[key] = Item(text(value), create, revision, version)
            self.events.append(Happened(revision, key, self.items.get(key), old))
            any_event = True
        self.revision += any_event
        return deleted

    def under(self, prefix: str) -> list[str]:
        """The keys with a prefix, in order."""
        return sorted(key for key in self.items if key.startswith(prefix))

    def since(self, prefix: str, revision: int) -> list[Happened]:
        """What happened under a prefix from a revision on."""
        return [e for e in self.events if e.revision >= revision and e.key.startswith(prefix)]
