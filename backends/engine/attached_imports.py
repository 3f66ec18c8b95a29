"""Attached routes of another table's interface take over what is known there (VPP's attached export).

A route "10.0.0.0/24 via pg0", without a next hop, in a table that pg0 is not in is an importer: all routes that
pg0's own table has below 10.0.0.0/24 (neighbours, our own addresses, configured ones) appear in the importer's table
too, as source "attached_export", as long as pg0's table has the very prefix as an attached one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vectorplane.backends.engine.fib_entries import ATTACHED, CONNECTED, IMPORT, Entry

if TYPE_CHECKING:
    from vectorplane.backends.engine.fib_control import FibControl

Prefix = tuple[int, int]


class AttachedImports:
    """The importers of all tables. ``table_of(sw_if_index)`` gives an interface's FIB index."""

    def __init__(self, control: FibControl, table_of: Callable[[int], int]) -> None:
        self._control, self._table_of = control, table_of
        self._importers: dict[Entry, int] = {}
        """Importer to the FIB that it imports from."""
        self._imported: dict[Entry, set[Prefix]] = {}
        self._watched: dict[int, set[Entry]] = {}
        """FIB to the importers that import from it."""

    def entry_changed(self, entry: Entry) -> None:
        """An entry came, went or forwards otherwise."""
        source = self._source_of(entry) if entry.flags & ATTACHED else None
        if source != self._importers.get(entry):
            self._forget(entry)
            if source is not None:
                self._importers[entry] = source
                self._imported[entry] = set()
                self._watched.setdefault(source, set()).add(entry)
                self._import_all(entry)
        watchers = self._watched.get(entry.fib)
        if watchers:
            for importer in sorted(watchers, key=lambda e: e.number):
                if (importer.prefix, importer.length) == (entry.prefix, entry.length):
                    self._import_all(importer)
                elif importer.length < entry.length and (entry.prefix ^ importer.prefix) >> 32 - importer.length == 0:
                    self._import_one(importer, (entry.prefix, entry.length))

    def table_changed(self, sw_if_index: int) -> None:
        """The interface moved to another table."""
        for path_set in self._control.path_sets.of_interface(sw_if_index):
            for entry in sorted(path_set.entries, key=lambda e: e.number):
                self.entry_changed(entry)

    def _source_of(self, entry: Entry) -> int | None:
        """The FIB that the entry is to import from; None: it is no importer."""
        if entry.number not in self._control.entries or entry.path_set is None or entry.flags & CONNECTED:
            return None
        path = entry.path_set.paths[0]
        if not path.is_attached:
            return None
        fib = self._table_of(path.sw_if_index)
        return None if fib == entry.fib else fib

    def _forget(self, importer: Entry) -> None:
        source = self._importers.pop(importer, None)
        if source is None:
            return
        self._watched[source].discard(importer)
        for prefix in sorted(self._imported.pop(importer)):
            self._drop(importer.fib, prefix)

    def _import_all(self, importer: Entry) -> None:
        source = self._importers[importer]
        below = {
            (e.prefix, e.length)
            for e in self._control.entries.values()
            if e.fib == source
            and e.length > importer.length
            and (e.prefix ^ importer.prefix) >> 32 - importer.length == 0
        }
        for prefix in sorted(below | self._imported[importer]):
            self._import_one(importer, prefix)

    def _import_one(self, importer: Entry, prefix: Prefix) -> None:
        source = self._importers[importer]
        exporter = self._known(source, (importer.prefix, importer.length))
        entry = self._known(source, prefix)
        paths = None
        attached = exporter is not None and exporter.flags & ATTACHED
        if attached and entry is not None and entry.forwards and min(entry.sources) != IMPORT:
            assert entry.path_set is not None
            paths = entry.path_set.paths
        if paths is None:
            if prefix in self._imported[importer]:
                self._imported[importer].discard(prefix)
                self._drop(importer.fib, prefix)
            return
        self._imported[importer].add(prefix)
        there = self._known(importer.fib, prefix)
        if there is None or IMPORT not in there.sources or there.sources[IMPORT].paths != paths:
            self._control.set_source(importer.fib, *prefix, IMPORT, paths)

    def _drop(self, fib: int, prefix: Prefix) -> None:
        """Nobody imports the prefix into the FIB any more, unless another importer does."""
        if any(prefix in done for e, done in self._imported.items() if e.fib == fib):
            return
        entry = self._known(fib, prefix)
        if entry is not None and IMPORT in entry.sources:
            self._control.drop_source(entry, IMPORT)

    def _known(self, fib: int, prefix: Prefix) -> Entry | None:
        value = self._control.prefixes.get(fib, *prefix)
        return None if value is None else self._control.entries.get(value)
