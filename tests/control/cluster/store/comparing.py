"""A store's answers in the words of the oracle."""

from __future__ import annotations

from tests.control.cluster.store.naive_store import Happened, Item, text
from vectorplane.control.cluster.store.entry import Change, Entry
from vectorplane.control.cluster.store.store import Store, Watch


def item(entry: Entry | None) -> Item | None:
    """An entry as the oracle has it."""
    if entry is None:
        return None
    return Item(text(entry.value), entry.create_revision, entry.mod_revision, entry.version)


def happened(change: Change) -> list[Happened]:
    """A change as the oracle has it."""
    return [Happened(change.revision, e.key, item(e.entry), item(e.previous)) for e in change.events]


def taken(watch: Watch) -> list[Happened]:
    """All that a watch has now."""
    result = []
    while (change := watch.take(0)) is not None:
        result += happened(change)
    return result


def contents(store: Store) -> dict[str, Item | None]:
    """All that is in a store."""
    return {entry.key: item(entry) for entry in store.list("").entries}
