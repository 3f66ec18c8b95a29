"""Path sets: the paths of a route, resolved to data-path objects. Routes with the same paths share one.

A set knows the interfaces, neighbours and routes that it depends on; when one of them changes it is resolved again
and everything that forwards by it follows. A path is unusable while its interface is down, while the route that it
is resolved through leads nowhere, and when it would lead back to the set itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from vectorplane.backends.engine.adjacencies import Adjacencies, Adjacency
from vectorplane.backends.engine.load_balances import dpo_word
from vectorplane.backends.engine.route_paths import (
    CONNECTED,
    INTERFACE_RX,
    LOCAL,
    LOOKUP,
    NORMAL,
    PROHIBIT,
    PUNT,
    SOURCE_LOOKUP,
    UNREACHABLE,
    VIA_ATTACHED,
    VIA_HOST,
    Path,
)
from vectorplane.graph_nodes.forwarding import (
    DPO_ICMP_ERROR,
    DPO_INTERFACE_RX,
    DPO_LOAD_BALANCE,
    DPO_LOOKUP,
    DPO_PUNT,
    DPO_RECEIVE,
)
from vectorplane.graph_nodes.interface_rx import NAME as INTERFACE_RX_NODE
from vectorplane.graph_nodes.ip4_lookup import LOAD_BALANCE_NEXT, RECEIVE
from vectorplane.graph_nodes.ip4_lookup import PUNT as PUNT_NEXT
from vectorplane.graph_nodes.ip4_null import SEND_PROHIBITED, SEND_UNREACHABLE
from vectorplane.graph_nodes.lookup_ip4_dst import NAME as LOOKUP_NODE
from vectorplane.graph_nodes.lookup_ip4_dst import SOURCE_NAME as SOURCE_LOOKUP_NODE

if TYPE_CHECKING:
    from vectorplane.backends.engine.fib_entries import Entry
    from vectorplane.dataplane.plane import Dataplane

Hop = tuple[Adjacency | int, int]
"""An adjacency or a data-path object as a word, and a weight."""


class ViaEntries(Protocol):
    """What path sets need of the FIB: the entries that recursive paths are resolved through."""

    def hold_via(self, table: int, address: int) -> Entry:
        """The entry of an address, made when it is missing, with one more user."""

    def release_via(self, entry: Entry) -> None:
        """One user less."""

    def fib_index(self, table: int) -> int:
        """FIB index of a table id."""


class PathSet:
    """Paths and what they are resolved to."""

    __slots__ = ("bulk", "entries", "held", "hops", "number", "paths", "shared")

    def __init__(self, number: int, paths: tuple[Path, ...]) -> None:
        self.number, self.paths = number, paths
        self.held: list[Adjacency | Entry | int | None] = []
        """By path: its adjacency, the entry it is resolved through, or its data-path object."""
        self.hops: list[Hop] = []
        self.entries: set[Entry] = set()
        """Entries that forward by it."""
        self.shared: dict[int, int] = {}
        """By FIB: the load-balance that bulk routes share."""
        self.bulk: dict[int, int] = {}
        """By FIB: how many bulk routes there are."""

    def words(self) -> list[tuple[int, int]]:
        """(data-path object, weight) of the usable paths, as they are now."""
        return [(hop.word if isinstance(hop, Adjacency) else hop, weight) for hop, weight in self.hops]

    def vias(self) -> Iterator[Entry]:
        """The entries that its paths are resolved through."""
        for held in self.held:
            if held is not None and not isinstance(held, int | Adjacency):
                yield held

    def interface(self) -> int:
        """The interface that the first path with one leads to; -1: none."""
        for path, held in zip(self.paths, self.held, strict=True):
            if path.sw_if_index >= 0:
                return path.sw_if_index
            if path.is_recursive and held is not None and not isinstance(held, int | Adjacency):
                below = held.path_set
                if below is not None and below is not self and not reaches(below, self):
                    return below.interface()
        return -1


def reaches(start: PathSet | None, goal: PathSet) -> bool:
    """Does the way from ``start``, through the entries that it is resolved through, lead to ``goal``?"""
    seen: set[int] = set()
    stack = [start]
    while stack:
        at = stack.pop()
        if at is goal:
            return True
        if at is not None and at.number not in seen:
            seen.add(at.number)
            stack += [entry.path_set for entry in at.vias()]
    return False


class PathSets:
    """All path sets of an engine."""

    def __init__(self, plane: Dataplane, adjacencies: Adjacencies, fib: ViaEntries) -> None:
        self._plane, self._adjacencies, self._fib = plane, adjacencies, fib
        self._by_paths: dict[tuple[Path, ...], PathSet] = {}
        self._by_interface: dict[int, set[PathSet]] = {}
        self.by_number: dict[int, PathSet] = {}
        self._numbers = 0

    def get(self, paths: tuple[Path, ...]) -> PathSet:
        """The set of these paths (tables named, none `OWN_TABLE`); give it a user, or `drop_unused` it."""
        found = self._by_paths.get(paths)
        if found is not None:
            return found
        made = PathSet(self._numbers, paths)
        self._numbers += 1
        self._by_paths[paths] = self.by_number[made.number] = made
        for path in paths:
            if path.sw_if_index >= 0:
                self._by_interface.setdefault(path.sw_if_index, set()).add(made)
            made.held.append(self._hold(path))
        for entry in made.vias():
            entry.dependants.add(made)
        made.hops = self.resolve(made)
        return made

    def drop_unused(self, path_set: PathSet) -> None:
        """Forget a set that nobody uses."""
        if path_set.entries or path_set.bulk or path_set.number not in self.by_number:
            return
        if self._by_paths.get(path_set.paths) is path_set:
            del self._by_paths[path_set.paths]
        del self.by_number[path_set.number]
        for path, held in zip(path_set.paths, path_set.held, strict=True):
            if path.sw_if_index >= 0:
                self._by_interface.get(path.sw_if_index, set()).discard(path_set)
            if isinstance(held, Adjacency):
                self._adjacencies.release(held)
            elif held is not None and not isinstance(held, int):
                held.dependants.discard(path_set)
                self._fib.release_via(held)
        path_set.held = [None] * len(path_set.paths)

    def interface_removed(self, sw_if_index: int) -> list[PathSet]:
        """The interface goes: paths over it lead nowhere from now on, also when its number is another's; their sets."""
        gone = self.of_interface(sw_if_index)
        for path_set in gone:
            if self._by_paths.get(path_set.paths) is path_set:
                del self._by_paths[path_set.paths]  # the same paths over the next interface are others
            for i, (path, held) in enumerate(zip(path_set.paths, path_set.held, strict=True)):
                if path.sw_if_index == sw_if_index:
                    path_set.held[i] = None
                    if isinstance(held, Adjacency):
                        self._adjacencies.release(held)
        self._by_interface.pop(sw_if_index, None)
        return gone

    def of_interface(self, sw_if_index: int) -> list[PathSet]:
        """The sets with a path over this interface, oldest first."""
        return sorted(self._by_interface.get(sw_if_index, ()), key=lambda s: s.number)

    def resolve(self, path_set: PathSet) -> list[Hop]:
        """The usable paths of the lowest preference that has any."""
        hops: list[Hop] = []
        best = -1
        pairs = sorted(zip(path_set.paths, path_set.held, strict=True), key=lambda p: p[0].preference)
        for path, held in pairs:
            if hops and path.preference > best:
                break
            hop = self._usable(path_set, path, held)
            if hop is not None:
                best = path.preference
                hops.append((hop, path.weight or 1))
        return hops

    def _usable(self, path_set: PathSet, path: Path, held: Adjacency | Entry | int | None) -> Adjacency | int | None:
        if isinstance(held, Adjacency):
            return held if self._adjacencies.is_up(path.sw_if_index) else None
        if held is None or isinstance(held, int):
            return held
        if not held.forwards or reaches(held.path_set, path_set):
            return None
        if path.flags & VIA_HOST:
            if not held.is_own_route:
                return None
        elif path.flags & VIA_ATTACHED and not held.is_attached:
            return None
        return dpo_word(LOAD_BALANCE_NEXT, DPO_LOAD_BALANCE, held.lb)

    def _hold(self, path: Path) -> Adjacency | Entry | int | None:
        if path.sw_if_index >= 0 and not self._adjacencies.has_interface(path.sw_if_index):
            return None  # an older path of the route, over an interface that has gone since
        if path.kind == NORMAL:
            if path.is_recursive:
                return self._fib.hold_via(path.table, path.next_hop)
            if path.is_attached:
                return self._adjacencies.glean(path.sw_if_index, 0)
            if path.sw_if_index >= 0:
                return self._adjacencies.neighbour(path.sw_if_index, path.next_hop)
            return None
        if path.kind == CONNECTED:
            return self._adjacencies.glean(path.sw_if_index, path.next_hop)
        if path.kind == LOCAL:
            return dpo_word(RECEIVE, DPO_RECEIVE, path.sw_if_index)
        if path.kind == PUNT:
            return dpo_word(PUNT_NEXT, DPO_PUNT, 0)
        if path.kind == UNREACHABLE:
            return dpo_word(self._slot("ip4-null"), DPO_ICMP_ERROR, SEND_UNREACHABLE)
        if path.kind == PROHIBIT:
            return dpo_word(self._slot("ip4-null"), DPO_ICMP_ERROR, SEND_PROHIBITED)
        if path.kind == LOOKUP:
            return dpo_word(self._slot(LOOKUP_NODE), DPO_LOOKUP, self._fib.fib_index(path.table))
        if path.kind == SOURCE_LOOKUP:
            return dpo_word(self._slot(SOURCE_LOOKUP_NODE), DPO_LOOKUP, self._fib.fib_index(path.table))
        if path.kind == INTERFACE_RX:
            return dpo_word(self._slot(INTERFACE_RX_NODE), DPO_INTERFACE_RX, path.sw_if_index)
        return None

    def _slot(self, node: str) -> int:
        graph = self._plane.graph
        return graph.add_next(graph.add("ip4-lookup"), node)
