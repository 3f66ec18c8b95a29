"""What an item needs before it can be brought to a backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from vectorplane.backends.items import Item

THERE = "there"
"""The item of that key is there."""
ANY = "any"
"""Some item that provides that name is there; when one of those goes, the item that needs it is brought anew."""
SETTLED = "settled"
"""The item of that key is as it should be, which may be: not there. It cannot change while this item is there."""
AFTER = "after"
"""Not needed; but when both are to be brought, that one comes first."""

Lookup = Callable[[str], Item | None]
"""The item of a key: as it should be, else as it is."""


class Need(NamedTuple):
    """One need. ``key``: of an item, or (`ANY`) the name that items provide; ``text``: how people call it."""

    key: str
    how: str = THERE
    text: str = ""
    applies: Callable[[Lookup], bool] | None = None
    """Asked when the need is looked at; None: always."""

    def __str__(self) -> str:
        return self.text or self.key
