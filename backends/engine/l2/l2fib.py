"""The MAC table from the control side: provisioned entries, flushes, listing. `scan` ages it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from vectorplane.backends.engine.l2.domain import Domain
from vectorplane.backends.engine.l2.scan import Change, Scanner
from vectorplane.graph_nodes.event_kinds import L2_FIB_GROWS
from vectorplane.graph_nodes.l2.config import L2Config
from vectorplane.graph_nodes.l2.fib import (
    AGE_NOT,
    BVI,
    FILTER,
    FLAGS,
    MAC_MASK,
    MINUTE,
    SEQUENCE,
    STATIC,
    L2FibTable,
    interface_in,
)
from vectorplane.graph_nodes.l2.l2_learn import NS_PER_MINUTE

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


class Entry(NamedTuple):
    """One entry. ``sw_if_index`` -1: a filter; ``minute`` (0 .. 255): when it was last heard of; ``sn``: the sequence
    number of its domain << 8, and that of its port."""

    mac: bytes
    bd_index: int
    bd_id: int
    sw_if_index: int
    flags: int
    minute: int
    sn: int

    @property
    def static(self) -> bool:
        """May it not move?"""
        return bool(self.flags & STATIC)

    @property
    def age_not(self) -> bool:
        """Was it provisioned, so that it does not age?"""
        return bool(self.flags & AGE_NOT)

    @property
    def bvi(self) -> bool:
        """Is it the router's own?"""
        return bool(self.flags & BVI)

    @property
    def filter(self) -> bool:
        """Are frames from and to it dropped?"""
        return bool(self.flags & FILTER)


class L2Fib:
    """The MAC table of one engine, for all its bridge domains."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.scanner = Scanner(engine)
        self._sequences: dict[int, int] = {}
        """By index of domains that are gone: the sequence number that their stale entries do not have."""
        engine.on_event(L2_FIB_GROWS, self._grow)

    @property
    def _table(self) -> L2FibTable:
        return self._engine.plane.shared(L2FibTable)

    # --- provisioned entries

    def add(self, bd_id: int, mac: bytes, sw_if_index: int, *, static: bool = False, bvi: bool = False) -> None:
        """Enter an address, which will not age.

        Raises:
            KeyError: no such domain.
            OverflowError: the table is full.
        """
        self._set(bd_id, mac, sw_if_index, AGE_NOT | (STATIC if static else 0) | (BVI if bvi else 0))

    def add_filter(self, bd_id: int, mac: bytes) -> None:
        """Drop frames from and to an address. Raises as `add`."""
        self._set(bd_id, mac, -1, STATIC | AGE_NOT | FILTER)

    def remove(self, bd_id: int, mac: bytes, sw_if_index: int = 0) -> None:
        """Take an address out.

        Raises:
            KeyError: no such domain; the address is not there, or on another interface than ``sw_if_index`` (0: any).
        """
        if not self.forget(self._engine.bridges[bd_id], mac, sw_if_index):
            raise KeyError(f"bridge domain {bd_id}: no entry for {mac.hex(':')}")

    def forget(self, domain: Domain, mac: bytes, sw_if_index: int = 0) -> bool:
        """Take an address out of a domain, if it is there, and on this interface (0: any)."""
        key = (_key(domain.index, mac),)
        value = self._table.map.get(key)
        if value is None or sw_if_index not in (0, interface_in(value)):
            return False
        self._table.map.delete(key)
        if value >> FLAGS & AGE_NOT:
            self._table.provisioned -= 1
        else:
            self._count(domain.index, -1)
        return True

    def _set(self, bd_id: int, mac: bytes, sw_if_index: int, flags: int) -> None:
        domain = self._engine.bridges[bd_id]
        table = self._table
        key = (_key(domain.index, mac),)
        old = table.map.get(key)
        if old is None:
            table.grow()
        elif not old >> FLAGS & AGE_NOT:
            self._count(domain.index, -1)
        if old is None or not old >> FLAGS & AGE_NOT:
            table.provisioned += 1
        table.map.set(key, (sw_if_index & 0xFFFFFFFF) | flags << FLAGS)

    def _count(self, bd_index: int, change: int) -> None:
        """Learnt entries, as the nodes count them too."""
        state, record = self._table.state, self._engine.plane.shared(L2Config).domains[bd_index]
        state["learn_count"] = max(0, int(state["learn_count"]) + change)
        record["learn_count"] = max(0, int(record["learn_count"]) + change)

    # --- listing

    def dump(self, bd_id: int | None = None) -> Iterator[Entry]:
        """All entries, or those of a domain, in no order; those that were flushed and not swept yet too."""
        by_index = self._engine.bridges.by_index
        wanted = None if bd_id is None else self._engine.bridges[bd_id].index
        for rows in self._table.map.chunks():
            for key, value in rows.tolist():
                index = key >> 48
                if wanted is not None and index != wanted:
                    continue
                yield _entry(key, value, by_index)

    def get(self, bd_index: int, mac: bytes) -> Entry | None:
        """The entry of an address in the domain with this index, though it may have been flushed; None: not there."""
        key = _key(bd_index, mac)
        value = self._table.map.get((key,))
        return None if value is None else _entry(key, value, self._engine.bridges.by_index)

    @property
    def count(self) -> int:
        """Entries."""
        return len(self._table.map)

    @property
    def learn_count(self) -> int:
        """Those that were learnt, as counted since the last scan."""
        return int(self._table.state["learn_count"])

    @property
    def learn_limit(self) -> int:
        """The most that are learnt."""
        return int(self._table.state["learn_limit"])

    @learn_limit.setter
    def learn_limit(self, limit: int) -> None:
        self._table.state["learn_limit"] = limit

    @property
    def now_minutes(self) -> int:
        """The minute that an entry which is heard of now gets."""
        return self._engine.now // NS_PER_MINUTE & 0xFF

    # --- flushes

    def flush_interface(self, sw_if_index: int) -> None:
        """Forget what was learnt on an interface: stale at once, swept by the next scan."""
        self._engine.bridges.raise_port_sequence(sw_if_index)
        self.scanner.soon()

    def flush_domain(self, bd_id: int) -> None:
        """Forget what a domain has learnt. Raises `KeyError`."""
        self._engine.bridges.raise_sequence(self._engine.bridges[bd_id])
        self.scanner.soon()

    def flush_all(self) -> None:
        """Forget all that was learnt."""
        for domain in self._engine.bridges.domains.values():
            self._engine.bridges.raise_sequence(domain)
        self.scanner.soon()

    def clear(self) -> None:
        """Take out all entries, provisioned ones too."""
        table = self._table
        for key, _ in table.rows().tolist():
            table.map.delete((key,))
        table.state["learn_count"] = table.provisioned = 0
        for domain in self._engine.bridges.domains.values():
            self._count(domain.index, -(1 << 62))

    def domain_removed(self, domain: Domain) -> None:
        """A domain goes: nothing of what it has learnt is valid, also when another one gets its index."""
        self._sequences[domain.index] = domain.seq = (domain.seq + 1) & 0xFF
        self.scanner.now()

    def last_sequence(self, bd_index: int) -> int:
        """The sequence number that a new domain of this index begins with."""
        return self._sequences.get(bd_index, 0)

    # --- ageing and events

    def ageing_changed(self) -> None:
        """A domain has another age, or is gone."""
        self.scanner.age(any(d.mac_age for d in self._engine.bridges.domains.values()))

    def set_scan_delay(self, seconds: float) -> None:
        """How long an event may wait; what was learnt is forgotten, so that all of it will be told."""
        self.scanner.delay = seconds
        self.flush_all()

    @property
    def scan_delay(self) -> float:
        """Seconds between two looks for events."""
        return self.scanner.delay

    @property
    def scan_seconds(self) -> float:
        """How long the last ageing scan took."""
        return self.scanner.age_seconds

    @property
    def event_scan_seconds(self) -> float:
        """How long the last look for events took."""
        return self.scanner.event_seconds

    @property
    def watcher_pid(self) -> int:
        """Who is told of what is learnt; 0: nobody."""
        return self.scanner.pid

    @property
    def max_macs(self) -> int:
        """The most entries in one event."""
        return self.scanner.max_macs

    def watch(self, callback: Callable[[list[Change]], None], pid: int, max_macs: int) -> None:
        """Tell of what is learnt, moves and goes; what was learnt before is forgotten."""
        self.scanner.watch(callback, pid, max_macs)
        self._table.state["watched"] = 1
        self.flush_all()

    def unwatch(self) -> None:
        """Tell nobody."""
        self.scanner.unwatch()
        self._table.state["watched"] = 0

    def _grow(self, event: Any) -> None:
        table = self._table
        try:
            table.grow()
        except OverflowError:
            table.state["grow_at"] = 1 << 62  # what does not fit any more is counted as not learnt


def _key(bd_index: int, mac: bytes) -> int:
    return int.from_bytes(mac, "little") | bd_index << 48


def _entry(key: int, value: int, domains: Mapping[int, Domain]) -> Entry:
    index = key >> 48
    return Entry(
        (key & MAC_MASK).to_bytes(6, "little"),
        index,
        domains[index].id if index in domains else -1,
        interface_in(value),
        value >> FLAGS & 0xFF,
        value >> MINUTE & 0xFF,
        value >> SEQUENCE & 0xFFFF,
    )
