"""Path MTUs: the longest packet to a host, when that is less than its interface allows (VPP's ip path-mtu).

To a host in an attached prefix it is the MTU of the neighbour's adjacency. To any other host a node
(`vectorplane.graph_nodes.ip4_pmtu_dpo`) comes between the host's entry and where its paths lead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vectorplane.backends.engine.adjacencies import Adjacency
from vectorplane.backends.engine.fib_control import Hops
from vectorplane.backends.engine.fib_entries import ATTACHED, Entry
from vectorplane.backends.engine.load_balances import dpo_word
from vectorplane.backends.engine.route_paths import number
from vectorplane.graph_nodes.forwarding import DPO_PATH_MTU, HASH_DEFAULT
from vectorplane.graph_nodes.ip4_pmtu_dpo import NAME, PathMtuTable

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

NONE = (0, 0xFFFF)
"""MTUs that mean "no path MTU"."""


@dataclass
class PathMtu:
    """One host's."""

    table: int
    address: int
    mtu: int
    entry: Entry
    sw_if_index: int = -1
    """Of its adjacency, when it is attached."""
    record: int = -1
    load_balance: int = -1
    stale: bool = False


class PathMtus:
    """The path MTUs of all tables. ``table`` is a table id."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._control = engine.routes.control
        self._table = engine.plane.shared(PathMtuTable)
        self._all: dict[tuple[int, int], PathMtu] = {}
        self._by_entry: dict[int, PathMtu] = {}
        self._control.observers.append(self._entry_changed)

    def update(self, ip: str | int, mtu: int, table: int = 0) -> None:
        """Set, change or (`NONE`) remove the path MTU of a host.

        Raises:
            KeyError: no such table.
            ValueError: a malformed address.
        """
        address = number(ip)
        self._control.fib_index(table)
        known = self._all.get((table, address))
        if mtu in NONE:
            if known is not None:
                self._remove(known)
            return
        if known is None:
            known = PathMtu(table, address, mtu, self._control.hold_via(table, address))
            self._all[table, address] = self._by_entry[known.entry.number] = known
        known.mtu, known.stale = mtu, False
        self._stack(known)

    def dump(self) -> list[PathMtu]:
        """All, oldest first."""
        return list(self._all.values())

    def mark(self) -> None:
        """Begin a replacement of all path MTUs."""
        for path_mtu in self._all.values():
            path_mtu.stale = True

    def sweep(self) -> None:
        """End it: remove those that were not set again."""
        for path_mtu in self.dump():
            if path_mtu.stale:
                self._remove(path_mtu)

    def user_of(self, table: int) -> str:
        """Who among them holds a table: "" or a text."""
        return "it has path MTUs" if any(t == table for t, _ in self._all) else ""

    def interface_changed(self) -> None:
        """An interface's MTU may be another one."""
        for path_mtu in self._all.values():
            if path_mtu.record >= 0:
                self._stack(path_mtu)

    # --- inner works

    def _entry_changed(self, entry: Entry) -> None:
        if self._by_entry:
            path_mtu = self._by_entry.get(entry.number)
            if path_mtu is not None:
                attached = self._attached(path_mtu)
                if attached != path_mtu.sw_if_index or (attached < 0) != (path_mtu.record >= 0):
                    self._stack(path_mtu)

    def _attached(self, path_mtu: PathMtu) -> int:
        """The interface that the host is a neighbour on; -1: it is none."""
        entry, control = path_mtu.entry, self._control
        flags = entry.flags
        cover = control.prefixes.covering(entry.fib, entry.prefix, entry.length)
        above = None if cover is None else control.entries.get(cover.value)
        if above is not None:
            flags |= above.flags
        if not flags & ATTACHED:
            return -1
        for it in (entry, above):
            if it is not None and it.path_set is not None and it.path_set.interface() >= 0:
                return it.path_set.interface()
        return -1

    def _stack(self, path_mtu: PathMtu) -> None:
        adjacencies = self._engine.routes.adjacencies
        attached = self._attached(path_mtu)
        if path_mtu.sw_if_index >= 0 and path_mtu.sw_if_index != attached:
            adjacencies.set_path_mtu(path_mtu.sw_if_index, path_mtu.address, None)
        path_mtu.sw_if_index = attached
        if attached >= 0:
            self._unstack(path_mtu)
            adjacencies.set_path_mtu(attached, path_mtu.address, path_mtu.mtu)
            return
        if path_mtu.record < 0:
            graph = self._engine.plane.graph
            graph.add_next(graph.add("ip4-lookup"), NAME)
            path_mtu.record = self._table.pool.take()
            path_mtu.load_balance = self._control.load_balances.add([])
            self._control.interposed[path_mtu.entry.number] = self._interpose
        self._rewrite(path_mtu.entry)

    def _interpose(self, entry: Entry, words: Hops) -> Hops:
        """Called when the entry's load-balance is written: its hops go below, the record on top of them."""
        path_mtu = self._by_entry[entry.number]
        graph = self._engine.plane.graph
        config = self._control.hash_config.get(entry.fib, HASH_DEFAULT)
        self._control.load_balances.set(path_mtu.load_balance, words, config)
        if not words:
            return words
        record = self._table.records[path_mtu.record]
        record["load_balance"] = path_mtu.load_balance
        record["mtu"] = min(path_mtu.mtu, self._below(entry))
        slot = graph.add_next(graph.add("ip4-lookup"), NAME)
        return [(dpo_word(slot, DPO_PATH_MTU, path_mtu.record), 1)]

    def _below(self, entry: Entry) -> int:
        """The MTU of the way that the entry's packets take."""
        adjacencies = self._engine.routes.adjacencies
        hops = [] if entry.path_set is None else [hop for hop, _ in entry.path_set.hops]
        return min((adjacencies.mtu(h) for h in hops if isinstance(h, Adjacency)), default=0xFFFF)

    def _unstack(self, path_mtu: PathMtu) -> None:
        if path_mtu.record < 0:
            return
        self._control.interposed.pop(path_mtu.entry.number, None)
        self._rewrite(path_mtu.entry)
        self._control.load_balances.remove(path_mtu.load_balance)
        self._table.pool.give(path_mtu.record)
        path_mtu.record = path_mtu.load_balance = -1

    def _rewrite(self, entry: Entry) -> None:
        if entry.path_set is not None:
            self._control.rewrite(entry.path_set)

    def _remove(self, path_mtu: PathMtu) -> None:
        self._unstack(path_mtu)
        if path_mtu.sw_if_index >= 0:
            self._engine.routes.adjacencies.set_path_mtu(path_mtu.sw_if_index, path_mtu.address, None)
        del self._all[path_mtu.table, path_mtu.address], self._by_entry[path_mtu.entry.number]
        self._control.release_via(path_mtu.entry)
