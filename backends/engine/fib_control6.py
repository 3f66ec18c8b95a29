"""The IPv6 FIBs from the control side: entries by prefix, which source decides each, and what nodes see of them.

A neighbour's host route is installed only below a prefix that is attached to the neighbour's interface; it is looked
at again whenever a route above it comes, changes or goes.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
from typing import TYPE_CHECKING

from vectorplane.backends.engine.fib_entries import ADJ, API, DEFAULT, SPECIAL
from vectorplane.backends.engine.fib_entries6 import Entry6
from vectorplane.backends.engine.load_balances import LoadBalances
from vectorplane.backends.engine.route_paths import Path
from vectorplane.graph_nodes.fib import MAX_FIBS
from vectorplane.graph_nodes.fib6 import Fib6
from vectorplane.graph_nodes.forwarding import DROP_LB

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane


class FibControl6:
    """Entries of all FIBs.

    ``is_up(sw_if_index)`` and ``borrows(sw_if_index, lender)`` ("is this interface unnumbered to that?") come from
    the engine; each entry takes a load-balance for the sake of its counters (`LoadBalances`).
    """

    def __init__(
        self,
        plane: Dataplane,
        load_balances: LoadBalances,
        is_up: Callable[[int], bool],
        borrows: Callable[[int, int], bool],
    ) -> None:
        self._seen = plane.shared(Fib6)
        self._lbs, self._is_up, self._borrows = load_balances, is_up, borrows
        self.index_by_id: dict[int, int] = {0: 0}
        self.names: dict[int, str] = {0: "ipv6-VRF:0"}
        self._free: list[int] = []
        self.entries: dict[int, dict[tuple[int, int], Entry6]] = {0: {}}
        """By FIB index: entries by prefix and length."""
        self._lengths: dict[int, dict[int, int]] = {0: {}}
        """By FIB index: how many prefixes of each length."""
        self._tracked: dict[int, list[int]] = {}
        self._of_interface: dict[int, set[Entry6]] = {}
        self.stale: dict[int, set[tuple[int, int]]] = {}
        """By FIB: the API's routes that were there when a replacement began, and have not been entered again."""

    # --- tables

    def fib_index(self, table: int) -> int:
        """FIB index of a table id. Raises `KeyError`."""
        try:
            return self.index_by_id[table]
        except KeyError:
            raise KeyError(f"no IPv6 table {table}") from None

    def make_fib(self, table: int, name: str = "") -> int:
        """A new FIB, empty, for a table id that has none.

        Raises:
            OverflowError: all FIBs are in use.
        """
        fib = self._free.pop() if self._free else len(self.entries)
        if fib >= MAX_FIBS:
            raise OverflowError(f"IPv6 table {table}: all {MAX_FIBS} FIBs are in use")
        self.entries[fib], self._lengths[fib] = {}, {}
        self.index_by_id[table] = fib
        self.names[table] = name or f"ipv6-VRF:{table}"
        return fib

    def drop_fib(self, table: int) -> None:
        """Forget a FIB with all that is in it. Raises `KeyError`."""
        fib = self.fib_index(table)
        self.stale.pop(fib, None)
        for entry in list(self.entries[fib].values()):
            for source in list(entry.sources):
                self.drop_source(entry, source)
        del self.index_by_id[table], self.names[table]
        self._free.append(fib)

    # --- entries

    def find(self, fib: int, prefix: int, length: int) -> Entry6 | None:
        """The entry of exactly this prefix."""
        return self.entries[fib].get((prefix, length))

    def longest(self, fib: int, address: int, most: int = 128) -> Entry6 | None:
        """The installed entry of the longest prefix, of at most ``most`` bits, that holds an address."""
        entries = self.entries[fib]
        for length in sorted((n for n in self._lengths[fib] if n <= most), reverse=True):
            entry = entries.get((address & (-1 << (128 - length)), length))
            if entry is not None and entry.installed:
                return entry
        return None

    def set_source(self, fib: int, prefix: int, length: int, source: int, paths: tuple[Path, ...]) -> Entry6:
        """A source's paths for a prefix, instead of those that it gave before.

        Raises:
            MemoryError: no room for another route.
        """
        key = (prefix, length)
        entry = self.entries[fib].get(key)
        if entry is None:
            entry = self.entries[fib][key] = Entry6(fib, prefix, length, DROP_LB)
            self._lengths[fib][length] = self._lengths[fib].get(length, 0) + 1
        if entry.lb == DROP_LB and source not in (SPECIAL, DEFAULT):
            entry.lb = self._lbs.add(())
        if source == API and fib in self.stale:
            self.stale[fib].discard(key)
        self._forget_interfaces(entry)
        entry.sources[source] = paths
        if entry.tracked:
            self._track(entry)
        try:
            self.refresh(entry)
        except MemoryError:
            self.drop_source(entry, source)
            raise
        return entry

    def drop_source(self, entry: Entry6, source: int) -> None:
        """The source wants nothing of the prefix any more."""
        self._forget_interfaces(entry)
        del entry.sources[source]
        if source == ADJ:
            self._tracked[entry.fib].remove(entry.prefix)
        self.refresh(entry)

    def refresh(self, entry: Entry6) -> None:
        """Choose the source again, and tell nodes and who depends on it."""
        fib, prefix, length = entry.fib, entry.prefix, entry.length
        installed = bool(entry.sources) and self._wanted(entry)
        if installed:
            kind, sw_if_index = entry.way(self._is_up)
            self._seen.set(fib, prefix, length, kind, sw_if_index, ours=entry.is_ours)
        elif entry.installed:
            self._seen.remove(fib, prefix, length)
        entry.installed = installed
        if entry.sources:
            self._note_interfaces(entry)
        elif self.entries[fib].pop((prefix, length), None) is not None:
            if entry.lb != DROP_LB:
                self._lbs.remove(entry.lb)
            self._lengths[fib][length] -= 1
            if not self._lengths[fib][length]:
                del self._lengths[fib][length]
        if length < 128:
            self.cover_changed(fib, prefix, length)

    def interface_changed(self, sw_if_index: int) -> None:
        """The interface went up or down."""
        for entry in sorted(self._of_interface.get(sw_if_index, ()), key=lambda e: (e.length, e.fib, e.prefix)):
            if entry.sources:
                self.refresh(entry)

    def over(self, sw_if_index: int) -> list[tuple[Entry6, int, tuple[Path, ...]]]:
        """Entries with paths over an interface: the entry, the source and all its paths."""
        entries = sorted(self._of_interface.get(sw_if_index, ()), key=lambda e: (e.fib, e.prefix, e.length))
        every = [(e, source, paths) for e in entries for source, paths in e.sources.items()]
        return [(e, s, paths) for e, s, paths in every if any(p.sw_if_index == sw_if_index for p in paths)]

    def cover_changed(self, fib: int, prefix: int, length: int) -> None:
        """A route came, changed or went: neighbours below it look again."""
        tracked = self._tracked.get(fib)
        if not tracked:
            return
        first, last = bisect_left(tracked, prefix), bisect_left(tracked, prefix + (1 << (128 - length)))
        for address in tracked[first:last]:
            self.refresh(self.entries[fib][address, 128])

    # --- inner works

    def _wanted(self, entry: Entry6) -> bool:
        if min(entry.sources) != ADJ:
            return True
        cover = self.longest(entry.fib, entry.prefix, 127)
        if cover is None or not cover.is_attached:
            return False
        above = cover.interface
        return any(p.sw_if_index == above or self._borrows(p.sw_if_index, above) for p in entry.sources[ADJ])

    def _track(self, entry: Entry6) -> None:
        tracked = self._tracked.setdefault(entry.fib, [])
        at = bisect_left(tracked, entry.prefix)
        if at == len(tracked) or tracked[at] != entry.prefix:
            insort(tracked, entry.prefix)

    def _note_interfaces(self, entry: Entry6) -> None:
        for paths in entry.sources.values():
            for path in paths:
                if path.sw_if_index >= 0:
                    self._of_interface.setdefault(path.sw_if_index, set()).add(entry)

    def _forget_interfaces(self, entry: Entry6) -> None:
        for paths in entry.sources.values():
            for path in paths:
                self._of_interface.get(path.sw_if_index, set()).discard(entry)
