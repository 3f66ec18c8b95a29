"""A transaction as its source asks for it: items to put, keys to drop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from vectorplane.backends.items import Item
from vectorplane.control.config_error import Path, field_text


class Origin(NamedTuple):
    """Where an item is written."""

    file: str
    line: int
    field: Path = ()

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {field_text(self.field)}" if self.field else place


class Wanted(NamedTuple):
    """An item that a source wants."""

    key: str
    item: Item
    source: str
    origin: Origin | None = None


@dataclass
class Change:
    """What a source wants to be different; nothing happens before it is given to a scheduler.

    ``whole``: these are all items of the source; what it wanted before and is not put here is dropped. ``atomic``:
    when an operation is refused, all of it is undone and the source wants what it wanted before.
    """

    source: str
    whole: bool = False
    atomic: bool = False
    text: str = ""
    """For the history."""
    puts: dict[str, Wanted] = field(default_factory=dict)
    drops: dict[str, None] = field(default_factory=dict)

    def put(self, item: Item, origin: Origin | None = None) -> None:
        """Want this item, instead of another of its key."""
        key = item.key
        self.puts[key] = Wanted(key, item, self.source, origin)
        self.drops.pop(key, None)

    def put_all(self, items: Iterable[Item]) -> None:
        """Want all of these."""
        for item in items:
            self.put(item)

    def drop(self, key: str) -> None:
        """No longer want the item of that key."""
        self.puts.pop(key, None)
        self.drops[key] = None
