"""Sessions of an engine's NAT44: what there are, ending them, and looking after them so that they go in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.backends.engine.nat44.errors import NoSuchEntry
from vectorplane.dataplane.abi import NEVER
from vectorplane.graph_nodes.event_kinds import NAT44_SESSIONS
from vectorplane.graph_nodes.nat44 import session_control
from vectorplane.graph_nodes.nat44.session import FWD_BYPASS, I2O, LOAD_BALANCING, O2I, STATIC, TWICE_NAT
from vectorplane.graph_nodes.nat44.session_control import NatSessions
from vectorplane.graph_nodes.nat44.tables import SECOND, NatTables, swap16, swap32
from vectorplane.graph_nodes.nat44.texts import Flow
from vectorplane.graph_nodes.nat44.trace import flow_of
from vectorplane.jit.words import signed

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.timers import Timer

IntArray = npt.NDArray[np.int64]
_LEAST_WAIT = SECOND
"""Sessions are looked after at most so often, so that a burst of short-lived ones costs little."""
_LOOK_AGAIN = 10 * SECOND
"""While nothing is due, at most so often."""


@dataclass(frozen=True, slots=True)
class NatSession:
    """One session. Addresses and ports in host order; of a protocol without ports both ports are its number."""

    index: int
    worker: int
    proto: int
    """0: one without ports."""
    flags: int
    """Bits of `vectorplane.graph_nodes.nat44.session`, VPP's numbers."""
    in_address: int
    in_port: int
    in_fib: int
    out_address: int
    out_port: int
    out_fib: int
    ext_host_address: int
    ext_host_port: int
    ext_host_nat_address: int
    ext_host_nat_port: int
    tcp_state: int
    last_heard: int
    """ns"""
    bytes: int
    packets: int
    timeout: int
    """Seconds."""
    i2o: Flow
    o2i: Flow

    @property
    def is_static(self) -> bool:
        """Was it made by a static mapping?"""
        return bool(self.flags & STATIC)

    @property
    def is_twice_nat(self) -> bool:
        """Is the external host's address translated, too?"""
        return bool(self.flags & TWICE_NAT)

    @property
    def is_lb(self) -> bool:
        """Is it one of a load-balanced service?"""
        return bool(self.flags & LOAD_BALANCING)

    @property
    def is_bypass(self) -> bool:
        """Is it there so that nothing is translated (forwarding mode)?"""
        return bool(self.flags & FWD_BYPASS)

    @property
    def is_unknown_proto(self) -> bool:
        """Has its protocol no ports?"""
        return self.proto == 0

    def timed_out(self, now: int) -> bool:
        """Is its time up by ``now`` (ns)?"""
        return now - self.last_heard >= self.timeout * SECOND


class Columns:
    """All sessions as int64 arrays, in host order, with their numbers."""

    def __init__(self, sessions: NatSessions) -> None:
        top = sessions.top
        colds, halves = sessions.colds(top), sessions.halves(top)
        self.number: IntArray = np.flatnonzero(colds["live"]).astype(np.int64)
        halves, colds = halves[self.number], colds[self.number]
        i2o, o2i = halves[:, I2O], halves[:, O2I]
        key = i2o["key"].astype(np.uint64)
        self.proto: IntArray = (i2o["key"] & 0xFF).astype(np.int64)
        self.flags: IntArray = colds["flags"].astype(np.int64)
        self.in_fib: IntArray = colds["in_fib"].astype(np.int64)
        self.out_fib: IntArray = colds["out_fib"].astype(np.int64)
        self.in_address = _hosts(i2o["addresses"])
        self.in_port = _ports(key >> np.uint64(32))
        out = o2i["addresses"].astype(np.uint64) >> np.uint64(32)
        out_port = o2i["key"].astype(np.uint64) >> np.uint64(48)
        bypass = (self.flags & FWD_BYPASS) != 0
        self.out_address = np.where(bypass, self.in_address, _hosts(out.astype(np.int64)))
        self.out_port = np.where(bypass, self.in_port, _ports(out_port))


def _hosts(words: Any) -> IntArray:
    low = (words.astype(np.uint64) & np.uint64(0xFFFFFFFF)).astype("<u4")
    return low.byteswap().astype(np.int64)


def _ports(words: Any) -> IntArray:
    return (words & np.uint64(0xFFFF)).astype("<u2").byteswap().astype(np.int64)


_CHUNK = 4096
_HALF_FIELDS = [
    "addresses", "key", "new_addresses", "new_ports", "new_id", "tx_fib", "ops", "active", "bytes", "packets", "kind"
]  # fmt: skip
_COLD_FIELDS = ["worker", "proto", "flags", "in_fib", "out_fib", "tcp_state"]


def _flow(half: tuple[int, ...]) -> Flow:
    addresses, key, new_addresses, ports, identifier, fib, ops = half[:7]
    return flow_of((addresses, key, new_addresses, ports & 0xFFFFFFFF | (identifier & 0xFFFFFFFF) << 32, fib), ops)


def _session(
    number: int, first: tuple[int, ...], second: tuple[int, ...], cold: tuple[int, ...], timeouts: list[int]
) -> NatSession:
    worker, proto, flags, in_fib, out_fib, tcp_state = cold
    i2o, o2i = _flow(first), _flow(second)
    twice, bypass = bool(flags & TWICE_NAT), bool(flags & FWD_BYPASS)
    ports = (i2o.source_port, i2o.source_port if bypass else o2i.destination_port)
    return NatSession(
        index=number,
        worker=worker,
        proto=proto & 0xFF,
        flags=flags & 0xFFFF,
        in_address=i2o.source,
        in_port=i2o.proto if proto == 0 else ports[0],
        in_fib=in_fib,
        out_address=i2o.source if bypass else o2i.destination,
        out_port=i2o.proto if proto == 0 else ports[1],
        out_fib=out_fib,
        ext_host_address=o2i.source if twice else i2o.destination,
        ext_host_port=o2i.source_port if twice else i2o.destination_port,
        ext_host_nat_address=i2o.destination if twice else 0,
        ext_host_nat_port=i2o.destination_port if twice else 0,
        tcp_state=tcp_state,
        last_heard=max(first[7], second[7]),
        bytes=first[8] + second[8],
        packets=first[9] + second[9],
        timeout=timeouts[first[10]],
        i2o=i2o,
        o2i=o2i,
    )


class Sessions:
    """See the module's docstring."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._timer: Timer | None = None
        engine.on_event(NAT44_SESSIONS, self._look)

    @property
    def _memory(self) -> NatSessions:
        return self._engine.plane.shared(NatSessions)

    @property
    def _used(self) -> bool:
        return "nat-default" in self._engine.plane.graph

    def __len__(self) -> int:
        return int(self._engine.plane.shared(NatTables).settings["live"]) if self._used else 0

    @property
    def flows(self) -> int:
        """Entries of the flow table: two a session, one if its packets are not translated."""
        return self._memory.flows if self._used else 0

    def __iter__(self) -> Iterator[NatSession]:
        """All, by number; those that come meanwhile may be missing."""
        if self._used:
            memory = self._memory
            top = memory.top
            for first in range(0, top, _CHUNK):
                numbers = first + np.flatnonzero(memory.colds(top)["live"][first : first + _CHUNK])
                yield from self._sessions(numbers.tolist())

    def get(self, index: int) -> NatSession | None:
        """One by its number; None when it is not there."""
        if not self._used or not 0 <= index < self._memory.top:
            return None
        return next(self._sessions([index])) if self._memory.colds(index + 1)[index]["live"] else None

    def _sessions(self, numbers: list[int]) -> Iterator[NatSession]:
        memory = self._memory
        timeouts = [int(t) // SECOND for t in memory.tables.settings["timeouts"]]
        halves = memory.halves(memory.top)[numbers][_HALF_FIELDS].tolist()
        colds = memory.colds(memory.top)[numbers][_COLD_FIELDS].tolist()
        for number, (i2o, o2i), cold in zip(numbers, halves, colds, strict=True):
            yield _session(number, i2o, o2i, cold, timeouts)

    def users(self) -> list[tuple[int, int, int, int]]:
        """Inside hosts: address, FIB, dynamic sessions, static sessions; in the order of their first session."""
        counts: dict[tuple[int, int], list[int]] = {}
        if self._used:
            columns = Columns(self._memory)
            static = (columns.flags & STATIC) != 0
            for address, fib, is_static in zip(
                columns.in_address.tolist(), columns.in_fib.tolist(), static.tolist(), strict=True
            ):
                counts.setdefault((address, fib), [0, 0])[int(is_static)] += 1
        return [(address, fib, *both) for (address, fib), both in counts.items()]  # type: ignore[misc]

    # --- ending them

    def delete(
        self, address: int, port: int, ext_address: int, ext_port: int, proto: int, vrf: int, is_in: bool
    ) -> None:
        """End the session that packets from ``address`` to ``ext_address`` have; as VPP, by one direction's match
        whatever ``is_in`` says.

        Raises:
            NoSuchEntry: there is none.
        """
        fib = self._engine.routes.control.fibs.index_by_id.get(vrf)
        number = -1
        if self._used and fib is not None:
            addresses = signed(swap32(address) | swap32(ext_address) << 32)
            key = signed(proto | fib << 8 | swap16(port) << 32 | swap16(ext_port) << 48)
            number = session_control.find_flow(self._memory.address, addresses, key)
        if number < 0:
            raise NoSuchEntry("there is no such NAT session")
        self._memory.end(np.array([number >> 1]), self._engine.now)

    def end(self, select: Callable[[Columns], npt.NDArray[np.bool_]]) -> None:
        """End those that ``select`` chooses (a mask over all)."""
        if len(self):
            columns = Columns(self._memory)
            self._memory.end(columns.number[select(columns)], self._engine.now)

    def clear(self) -> None:
        """End all."""
        if self._used:
            self._memory.clear()

    def expire(self, now: int) -> None:
        """End those whose time is up by ``now`` (ns), and forget what clients have no claim on any more."""
        session_control.sweep(self._memory.address, now)
        session_control.sweep_affinities(self._memory.address, now)

    def timeouts_changed(self) -> None:
        """Sessions may end at other times now."""
        if self._used:
            self.expire(self._engine.now)
            self._arm(self._engine.now)

    def _look(self, event: Any) -> None:
        settings = self._memory.tables.settings
        if int(settings["live"]) >= int(settings["grow_at"]):
            self._memory.grow()
        settings["told"] = 1
        self._arm(int(event["time"]))

    def _arm(self, now: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = session_control.next_sweep(self._memory.address)
        if due == NEVER:
            self._memory.tables.settings["told"] = 0  # a worker tells of the next one
            return
        # those that begin meanwhile, or change their state, may have less time
        due = min(due, now + max(min(self._engine.nat44.timeouts) * SECOND, _LOOK_AGAIN))
        self._timer = self._engine.timers.at(max(due, now + _LEAST_WAIT), self._run)

    def _run(self, now: int) -> None:
        self._timer = None
        self.expire(now)
        self._arm(now)
