"""What should be: the items that the sources want, and whose wish counts where two want the same key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.transactions.change import Change, Wanted
from vectorplane.control.transactions.index import Index

Journal = list[tuple[str, tuple[Wanted, ...]]]
"""By key what was wanted before; see `Desired.undo`."""


class Conflict(NamedTuple):
    """An item that does not count, because another source wanted that key first."""

    wanted: Wanted
    owner: Wanted

    def __str__(self) -> str:
        w, o = self.wanted, self.owner
        return f"{w.key}: {w.origin or w.source} wants it otherwise, but {o.origin or o.source} asked first"


class Desired:
    """Items by key. Of several that want a key, the first to ask counts; the others wait in line."""

    def __init__(self, descriptors: Mapping[type, Descriptor]) -> None:
        self.items: dict[str, Wanted] = {}
        self.index = Index(descriptors)
        self._claims: dict[str, tuple[Wanted, ...]] = {}
        self._keys: dict[str, dict[str, None]] = {}

    def claims(self, key: str) -> tuple[Wanted, ...]:
        """All that want the key, the one that counts first."""
        return self._claims.get(key, ())

    def keys_of(self, source: str) -> list[str]:
        """What a source wants."""
        return list(self._keys.get(source, ()))

    def apply(self, change: Change) -> tuple[list[str], Journal]:
        """Note what a source wants. Gives the keys whose item is another one now, and how to undo it."""
        changed: list[str] = []
        journal: Journal = []
        if change.whole:
            gone = [k for k in self._keys.get(change.source, ()) if k not in change.puts]
        else:
            gone = list(change.drops)
        for key in gone:
            old = self._claims.get(key, ())
            new = tuple(w for w in old if w.source != change.source)
            if new != old:
                self._change(key, old, new, changed, journal)
        for key, wanted in change.puts.items():
            old = self._claims.get(key, ())
            if not any(w.source == change.source for w in old):
                new = (*old, wanted)
            else:
                new = tuple(wanted if w.source == change.source else w for w in old)
            self._change(key, old, new, changed, journal)
        return changed, journal

    def undo(self, journal: Journal) -> None:
        """Want what was wanted before."""
        for key, old in reversed(journal):
            self._set(key, self._claims.get(key, ()), old)

    def conflicts(self, keys: list[str], source: str) -> list[Conflict]:
        """Which items of a source do not count."""
        found = []
        for key in keys:
            owner, *others = self._claims.get(key) or (None,)
            found += [Conflict(w, owner) for w in others if owner and w.source == source and w.item != owner.item]
        return found

    def _change(
        self, key: str, old: tuple[Wanted, ...], new: tuple[Wanted, ...], changed: list[str], journal: Journal
    ) -> None:
        journal.append((key, old))
        self._set(key, old, new)
        before, after = (old[0].item if old else None), (new[0].item if new else None)
        if before is not after and before != after:
            changed.append(key)

    def _set(self, key: str, old: tuple[Wanted, ...], new: tuple[Wanted, ...]) -> None:
        for wanted in old:
            if not any(w.source == wanted.source for w in new):
                del self._keys[wanted.source][key]
        for wanted in new:
            self._keys.setdefault(wanted.source, {})[key] = None
        if new:
            self._claims[key] = new
        else:
            self._claims.pop(key, None)
        before, after = (old[0] if old else None), (new[0] if new else None)
        if before is not None and (after is None or before.item != after.item):
            self.index.remove(key, before.item)
        if after is not None:
            self.items[key] = after
            if before is None or before.item != after.item:
                self.index.add(key, after.item)
        elif before is not None:
            del self.items[key]
