"""The FIBs from the control side: entries, which source decides each, and how changes spread.

A change of an entry reaches the path sets that are resolved through it, and the entries that it covers and that
depend on their cover: a neighbour's host route is installed only below a prefix attached to the neighbour's
interface, and the host route of a recursive next hop takes the paths of its cover.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from vectorplane.backends.engine.adjacencies import Adjacencies
from vectorplane.backends.engine.fib_entries import (
    ADJ,
    API,
    ATTACHED,
    CONNECTED,
    DEFAULT,
    DROP_PATHS,
    INTERFACE,
    RR,
    SPECIAL,
    Entry,
    Source,
    arp_flags,
    flags_of,
)
from vectorplane.backends.engine.load_balances import LoadBalances
from vectorplane.backends.engine.path_sets import PathSet, PathSets
from vectorplane.backends.engine.route_paths import Path
from vectorplane.dataplane.tables.prefixes import Prefixes
from vectorplane.graph_nodes.arp_owners import ArpOwners
from vectorplane.graph_nodes.fib import MAX_FIBS, Fibs
from vectorplane.graph_nodes.forwarding import DROP_LB, HASH_DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable

    from vectorplane.dataplane.plane import Dataplane

Hops = list[tuple[int, int]]
"""(data-path object as a word, weight)."""

BULK = 1 << 40
"""In a prefix's value: it is a bulk route, the rest is the number of its path set. Else: an entry's number."""


class FibControl:
    """Entries of all FIBs.

    ``make_adjacencies(load_balances)`` and ``borrows(sw_if_index, lender)`` ("is this interface unnumbered to that?")
    come from the engine.
    """

    def __init__(
        self,
        plane: Dataplane,
        make_adjacencies: Callable[[LoadBalances], Adjacencies],
        borrows: Callable[[int, int], bool],
    ) -> None:
        self.fibs = plane.shared(Fibs)
        self.prefixes = Prefixes(MAX_FIBS)
        self.load_balances = LoadBalances(plane)
        self.adjacencies = make_adjacencies(self.load_balances)
        self.path_sets = PathSets(plane, self.adjacencies, self)
        self._owners = plane.shared(ArpOwners)
        self._borrows = borrows
        self.entries: dict[int, Entry] = {}
        self._numbers = 0
        self._via_users: dict[Entry, int] = {}
        self._tracked: dict[int, list[int]] = {}
        self.hash_config: dict[int, int] = {}
        self.observers: list[Callable[[Entry], None]] = []
        """Called with each entry that came, went or forwards otherwise."""
        self.interposed: dict[int, Callable[[Entry, Hops], Hops]] = {}
        """By an entry's number: what puts something between it and where its paths lead."""
        self.stale: dict[int, set[tuple[int, int]]] = {}
        """By FIB: the API's routes that were there when a replacement began, and have not been entered again."""
        self.pending_bulk: list[tuple[PathSet, int]] = []
        """Bulk routes that the load in progress replaces."""

    # --- entries and their sources

    def fib_index(self, table: int) -> int:
        """FIB index of a table id. Raises `KeyError`."""
        try:
            return self.fibs.index_by_id[table]
        except KeyError:
            raise KeyError(f"no table {table}") from None

    def find(self, fib: int, prefix: int, length: int) -> Entry | None:
        """The entry of exactly this prefix; a bulk route becomes one."""
        value = self.prefixes.get(fib, prefix, length)
        if value is None:
            return None
        return self._from_bulk(fib, prefix, length, value) if value & BULK else self.entries[value]

    def set_source(self, fib: int, prefix: int, length: int, source: int, paths: tuple[Path, ...]) -> Entry:
        """A source's paths for a prefix, instead of those that it gave before."""
        entry = self.find(fib, prefix, length) or self._new(fib, prefix, length)
        if fib in self.stale and source == API:
            self.stale[fib].discard((prefix, length))
        entry.sources[source] = Source(paths, flags_of(source, paths))
        if source in (ADJ, RR):
            self._track(entry)
        self.refresh(entry)
        return entry

    def drop_source(self, entry: Entry, source: int) -> None:
        """The source wants nothing of the prefix any more."""
        del entry.sources[source]
        if source in (ADJ, RR) and not entry.tracked:
            self._untrack(entry)
        self.refresh(entry)

    def hold_via(self, table: int, address: int) -> Entry:
        """The entry of an address that a recursive path is resolved through."""
        fib = self.fib_index(table)
        entry = self.find(fib, address, 32)
        if entry is None or RR not in entry.sources:
            entry = self.set_source(fib, address, 32, RR, ())
        self._via_users[entry] = self._via_users.get(entry, 0) + 1
        return entry

    def release_via(self, entry: Entry) -> None:
        """One recursive path less."""
        users = self._via_users[entry] = self._via_users[entry] - 1
        if users == 0:
            del self._via_users[entry]
            self.drop_source(entry, RR)

    def _new(self, fib: int, prefix: int, length: int) -> Entry:
        entry = Entry(fib, prefix, length, self._numbers)
        self._numbers += 1
        self.entries[entry.number] = entry
        self.prefixes.set(fib, prefix, length, entry.number)
        return entry

    def _from_bulk(self, fib: int, prefix: int, length: int, value: int) -> Entry:
        path_set = self.path_sets.by_number[value & ~BULK]
        entry = self._new(fib, prefix, length)
        entry.sources[API] = Source(path_set.paths, flags_of(API, path_set.paths))
        self.refresh(entry)
        self.bulk_gone(path_set, fib, 1)
        return entry

    def bulk_gone(self, path_set: PathSet, fib: int, n: int) -> None:
        """``n`` bulk routes of a FIB do not use the set any more."""
        path_set.bulk[fib] -= n
        if path_set.bulk[fib] == 0:
            del path_set.bulk[fib]
            self.load_balances.remove(path_set.shared.pop(fib))
            self.path_sets.drop_unused(path_set)

    # --- what an entry forwards by

    def refresh(self, entry: Entry) -> None:
        """Choose the source again, install, change or remove the entry, and tell who depends on it."""
        self._refresh(entry)
        for observer in self.observers:
            observer(entry)

    def _refresh(self, entry: Entry) -> None:
        if not entry.sources:
            self._uninstall(entry)
            self._own(entry, gone=True)
            del self.entries[entry.number]
            self.prefixes.delete(entry.fib, entry.prefix, entry.length)
            if entry.length < 32:
                self.cover_changed(entry.fib, entry.prefix, entry.length)
            return
        source = min(entry.sources)
        entry.flags = entry.sources[source].flags
        paths = self._paths(entry, source)
        if paths is None:
            self._uninstall(entry)
            self._own(entry)
            self._changed(entry)
            return
        path_set = self.path_sets.get(paths)
        old, was = entry.path_set, entry.forwards
        entry.path_set = path_set
        path_set.entries.add(entry)
        if old is not None and old is not path_set:
            old.entries.discard(entry)
        new = not entry.installed
        entry.installed = True
        self._write(entry, new, source in (SPECIAL, DEFAULT))
        self._own(entry)
        if new or old is not path_set or was != entry.forwards:
            self._changed(entry)
        elif entry.dependants:  # they may ask who wants the entry, not only where it leads
            self._update_dependants(entry)
        if old is not None and old is not path_set:
            self.path_sets.drop_unused(old)

    def _write(self, entry: Entry, new: bool, special: bool) -> None:
        assert entry.path_set is not None
        words = entry.path_set.words()
        config = self.hash_config.get(entry.fib, HASH_DEFAULT)
        if self.interposed and entry.number in self.interposed:
            words = self.interposed[entry.number](entry, words)
        if entry.lb != DROP_LB:
            self.load_balances.set(entry.lb, words, config)
        elif words or not special:
            entry.lb = self.load_balances.add(words, config)
            new = True
        if new:
            self.fibs.mtrie.add(entry.fib, entry.prefix, entry.length, entry.lb)

    def _uninstall(self, entry: Entry) -> None:
        path_set, entry.path_set = entry.path_set, None
        if entry.installed:
            entry.installed = False
            lb, length = self.covering(entry.fib, entry.prefix, entry.length)
            self.fibs.mtrie.remove(entry.fib, entry.prefix, entry.length, lb, length)
            if entry.lb != DROP_LB:
                self.load_balances.remove(entry.lb)
                entry.lb = DROP_LB
        if path_set is not None:
            path_set.entries.discard(entry)
            self.path_sets.drop_unused(path_set)

    def covering(self, fib: int, prefix: int, length: int) -> tuple[int, int]:
        """Load-balance and length of the route that covers a prefix; (0, 0): none."""
        cover = self.prefixes.covering(fib, prefix, length)
        if cover is None:
            return DROP_LB, 0
        if cover.value & BULK:
            return self.path_sets.by_number[cover.value & ~BULK].shared[fib], cover.length
        return self.entries[cover.value].lb, cover.length

    def _paths(self, entry: Entry, source: int) -> tuple[Path, ...] | None:
        """The paths that the source gives; None: the entry is not to be installed."""
        if source not in (ADJ, RR):
            return entry.sources[source].paths
        cover = self.prefixes.covering(entry.fib, entry.prefix, entry.length)
        entry.cover_length = -1 if cover is None else cover.length
        if cover is None:
            return DROP_PATHS if source == RR else None
        if cover.value & BULK:
            path_set = self.path_sets.by_number[cover.value & ~BULK]
            flags = attached = flags_of(API, path_set.paths)
        else:
            above = self.entries[cover.value]
            if above.path_set is None:
                return DROP_PATHS if source == RR else None
            path_set, flags = above.path_set, above.flags
            attached = flags | (above.sources[INTERFACE].flags if INTERFACE in above.sources else 0)
        interface = path_set.interface()
        if source == ADJ:
            mine = entry.sources[ADJ].paths
            refining = tuple(p for p in mine if p.sw_if_index == interface or self._borrows(p.sw_if_index, interface))
            return refining if attached & ATTACHED and refining else None
        if flags & CONNECTED and interface >= 0:
            entry.flags = flags & (CONNECTED | ATTACHED)
            return (Path(entry.prefix, interface),)
        if entry in self._reached(path_set):
            return DROP_PATHS
        return path_set.paths

    def _reached(self, path_set: PathSet) -> set[Entry]:
        seen: set[Entry] = set()
        stack = list(path_set.vias())
        while stack:
            entry = stack.pop()
            if entry not in seen:
                seen.add(entry)
                if entry.path_set is not None:
                    stack += entry.path_set.vias()
        return seen

    def _own(self, entry: Entry, gone: bool = False) -> None:
        flags = 0 if gone else arp_flags(entry)
        if not flags and not entry.owned:
            return
        entry.owned = bool(flags)
        best = -1 if entry.path_set is None else entry.path_set.interface()
        each = (p.sw_if_index for n in sorted(entry.sources) for p in entry.sources[n].paths)
        anyone = next((i for i in each if i >= 0), best)
        self._owners.set(entry.fib, entry.prefix, entry.length, flags, anyone, best)

    # --- how changes spread

    def _update_dependants(self, entry: Entry) -> None:
        for path_set in sorted(entry.dependants, key=lambda s: s.number):
            self.update(path_set)

    def _changed(self, entry: Entry) -> None:
        self._update_dependants(entry)
        if entry.length < 32:
            self.cover_changed(entry.fib, entry.prefix, entry.length)

    def update(self, path_set: PathSet) -> None:
        """Resolve a path set again; who uses it follows when that makes a difference."""
        hops = self.path_sets.resolve(path_set)
        if hops == path_set.hops:
            return
        flipped = bool(hops) != bool(path_set.hops)
        path_set.hops = hops
        self.rewrite(path_set)
        if flipped:
            for entry in sorted(path_set.entries, key=lambda e: e.number):
                if entry.path_set is path_set:
                    self._changed(entry)
                    for observer in self.observers:
                        observer(entry)

    def rewrite(self, path_set: PathSet) -> None:
        """Write all load-balances of a path set again."""
        words = path_set.words()
        for entry in list(path_set.entries):
            self._write(entry, False, min(entry.sources, default=API) in (SPECIAL, DEFAULT))
        for fib, lb in path_set.shared.items():
            self.load_balances.set(lb, words, self.hash_config.get(fib, HASH_DEFAULT))

    def cover_changed(self, fib: int, prefix: int, length: int) -> None:
        """A route came, changed or went: entries below it that depend on their cover look again."""
        tracked = self._tracked.get(fib)
        if not tracked:
            return
        first = bisect_left(tracked, prefix)
        last = bisect_left(tracked, prefix + (1 << (32 - length)))
        for address in tracked[first:last]:
            value = self.prefixes.get(fib, address, 32)
            entry = self.entries.get(-1 if value is None else value)
            if entry is not None and entry.tracked and entry.cover_length <= length:
                self.refresh(entry)

    def all_covers_changed(self, fib: int) -> None:
        """Many routes came: all entries that depend on their cover look again."""
        for address in list(self._tracked.get(fib, ())):
            value = self.prefixes.get(fib, address, 32)
            if value is not None:
                self.refresh(self.entries[value])

    def lender_changed(self, fib: int, sw_if_index: int) -> None:
        """An interface borrows other addresses, or none: its neighbours' entries look again."""
        for address in list(self._tracked.get(fib, ())):
            value = self.prefixes.get(fib, address, 32)
            entry = self.entries.get(-1 if value is None else value)
            adjacent = () if entry is None or ADJ not in entry.sources else entry.sources[ADJ].paths
            if entry is not None and any(path.sw_if_index == sw_if_index for path in adjacent):
                self.refresh(entry)

    def _track(self, entry: Entry) -> None:
        tracked = self._tracked.setdefault(entry.fib, [])
        at = bisect_left(tracked, entry.prefix)
        if at == len(tracked) or tracked[at] != entry.prefix:
            insort(tracked, entry.prefix)

    def _untrack(self, entry: Entry) -> None:
        tracked = self._tracked.get(entry.fib, [])
        at = bisect_left(tracked, entry.prefix)
        if at < len(tracked) and tracked[at] == entry.prefix:
            del tracked[at]

    def close(self) -> None:
        """Give the memory back."""
        self.prefixes.close()
