"""What is there, as far as we know: what we brought, and what others did."""

from __future__ import annotations

from collections.abc import Mapping

from vectorplane.backends.items import Item
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.transactions.index import Index


class Actual:
    """Items by key. ``foreign``: keys of those that others made (obtained)."""

    def __init__(self, descriptors: Mapping[type, Descriptor]) -> None:
        self.items: dict[str, Item] = {}
        self.foreign: set[str] = set()
        self.index = Index(descriptors)

    def set(self, key: str, item: Item, *, foreign: bool = False) -> None:
        """It is there."""
        old = self.items.get(key)
        if old is not None:
            self.index.remove(key, old)
        self.items[key] = item
        self.index.add(key, item)
        (self.foreign.add if foreign else self.foreign.discard)(key)

    def remove(self, key: str) -> None:
        """It is gone."""
        self.index.remove(key, self.items.pop(key))
        self.foreign.discard(key)

    def ours(self) -> list[str]:
        """Keys of what we brought."""
        return [k for k in self.items if k not in self.foreign]
