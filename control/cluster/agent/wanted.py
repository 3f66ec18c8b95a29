"""What the handlers of an agent want its dataplane to hold, in units: a service, a peer, a pod's link.

A handler puts a unit as a whole; what is different from before is found here, so that a handler need not remember it.
Several units may want the same item. When they want different ones under one key (two services with one external
address), that of the unit whose name comes first counts and the others wait for it to let go: which one it is must not
depend on who came first, or a node that is started anew would hold something else than the others.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator

from vectorplane.backends.items import Item
from vectorplane.control.transactions.change import Change, Origin

SOURCE = "agent"
"""The agent's name as a source of the scheduler's."""


class Wanted:
    """Units of items. Between `begin` and `change` (or `undo`) handlers change it."""

    def __init__(self) -> None:
        self._units: dict[str, dict[str, Item]] = {}
        self._claims: dict[str, list[str]] = {}
        self._text: dict[str, str] = {}
        self._before: dict[str, tuple[dict[str, Item], str] | None] = {}
        self._touched: dict[str, Item | None] = {}
        """Keys that changed since `begin`, with the item that counted then."""
        self._lines: dict[str, list[str]] = {}
        """By key who claimed it at `begin`, of those whose claims are others now."""
        self._whole = False

    # --- for handlers

    def put(self, unit: str, items: Iterable[Item], text: str = "") -> None:
        """The unit wants these items, and nothing else. ``text`` says whose they are, for whoever asks why.

        Unit names are ``handler/what``. Without items it is the same as `drop`.
        """
        new = {item.key: item for item in items}
        old = self._units.get(unit, {})
        self._note(unit)
        for key in old.keys() - new.keys():
            self._touch(key)
            self._unclaim(unit, key)
        if new:
            self._units[unit], self._text[unit] = new, text or unit
        else:
            self._units.pop(unit, None)
            self._text.pop(unit, None)
        for key, item in new.items():
            if old.get(key) != item:
                self._touched.setdefault(key, self._counting(key) if key not in old else self._was(unit, key, old))
            if key not in old:
                self._note_line(key)
                insort(self._claims.setdefault(key, []), unit)

    def drop(self, unit: str) -> None:
        """The unit wants nothing any more; it need not be there."""
        if unit in self._units:
            self.put(unit, ())

    def units(self, prefix: str = "") -> list[str]:
        """The names of the units that begin so."""
        return [unit for unit in self._units if unit.startswith(prefix)]

    def items_of(self, unit: str) -> tuple[Item, ...]:
        """What a unit wants."""
        return tuple(self._units.get(unit, {}).values())

    # --- for the agent

    def begin(self, whole: bool = False) -> None:
        """A transaction begins. ``whole``: the handlers put everything anew; what they do not put is gone."""
        self._before, self._touched, self._lines, self._whole = {}, {}, {}, whole
        if whole:
            for unit in list(self._units):
                self.drop(unit)

    def keep(self, prefix: str) -> None:
        """Units that begin so are as they were at `begin`: who puts them could not say what they should be."""
        for unit in self.units(prefix):
            self.drop(unit)
        for unit, was in list(self._before.items()):
            if was is not None and unit.startswith(prefix):
                self.put(unit, was[0].values(), was[1])

    def change(self, text: str = "", atomic: bool = False) -> Change:
        """What is different since `begin`, for the scheduler."""
        change = Change(SOURCE, whole=self._whole, atomic=atomic, text=text)
        keys: Iterable[str] = self._claims if self._whole else self._touched
        for key in keys:
            item = self._counting(key)
            if item is None:
                if self._touched[key] is not None:  # else it came and went
                    change.drop(key)
            elif self._whole or item != self._touched[key]:
                change.put(item, self._origin(key))
        return change

    def undo(self) -> None:
        """Want what was wanted at `begin`."""
        for unit, was in self._before.items():
            if was is None:
                self._units.pop(unit, None)
                self._text.pop(unit, None)
            else:
                self._units[unit], self._text[unit] = was
        for key, line in self._lines.items():
            if line:
                self._claims[key] = line
            else:
                self._claims.pop(key, None)
        self._before, self._touched, self._lines = {}, {}, {}

    def inverse(self, change: Change, text: str = "") -> Change:
        """What takes a change back that the scheduler was given, after `undo`."""
        back = Change(SOURCE, text=text)
        for key in (*change.puts, *change.drops):
            item = self._counting(key)
            if item is None:
                back.drop(key)
            else:
                back.put(item, self._origin(key))
        return back

    def __iter__(self) -> Iterator[Item]:
        """All items that count, in the order in which they were asked for."""
        for key in self._claims:
            item = self._counting(key)
            if item is not None:
                yield item

    def who(self, key: str) -> tuple[str, ...]:
        """Which units want a key, by their texts; the one that counts first."""
        return tuple(self._text[unit] for unit in self._claims.get(key, ()))

    # --- inner works

    def _counting(self, key: str) -> Item | None:
        claims = self._claims.get(key)
        return self._units[claims[0]][key] if claims else None

    def _was(self, unit: str, key: str, old: dict[str, Item]) -> Item | None:
        """What counted under the key before ``unit`` changed its item."""
        first = self._claims[key][0]
        return old[key] if first == unit else self._units[first][key]

    def _touch(self, key: str) -> None:
        self._touched.setdefault(key, self._counting(key))

    def _origin(self, key: str) -> Origin:
        return Origin(self._text[self._claims[key][0]], 0)

    def _note_line(self, key: str) -> None:
        if key not in self._lines:
            self._lines[key] = list(self._claims.get(key, ()))

    def _unclaim(self, unit: str, key: str) -> None:
        self._note_line(key)
        claims = self._claims[key]
        claims.remove(unit)
        if not claims:
            del self._claims[key]

    def _note(self, unit: str) -> None:
        if unit not in self._before:
            old = self._units.get(unit)
            self._before[unit] = None if old is None else (old, self._text[unit])
