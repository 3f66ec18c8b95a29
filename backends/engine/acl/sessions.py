"""Sessions of an engine's ACLs: limits and timeouts, ending those whose time is up, and what there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any

from vectorplane.dataplane.abi import NEVER
from vectorplane.graph_nodes.acl import session_control
from vectorplane.graph_nodes.acl.session_control import MOST_SESSIONS, SECOND, AclSessions
from vectorplane.graph_nodes.acl.session_key import REPLY, REQUEST, SIDE
from vectorplane.graph_nodes.acl.session_table import IP4, MAX_INTERFACES, TCP_IDLE, TCP_TRANSIENT, UDP_IDLE
from vectorplane.graph_nodes.event_kinds import ACL_SESSIONS

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.timers import Timer

KINDS = {UDP_IDLE: "udp idle", TCP_IDLE: "tcp idle", TCP_TRANSIENT: "tcp transient"}
EPOCH_MASK, EPOCH_IS_INPUT = 0x7FFF, 0x8000
_LEAST_WAIT = SECOND // 10
"""Sessions are looked after at most so often, so that a burst of short-lived ones costs little."""


@dataclass(frozen=True, slots=True)
class Session:
    """One session, as the packet that made it saw it."""

    index: int
    worker: int
    sw_if_index: int
    is_input: bool
    source: IPv4Address | IPv6Address
    destination: IPv4Address | IPv6Address
    proto: int
    source_port: int
    """Or the ICMP type."""
    destination_port: int
    """Or the ICMP code."""
    kind: int
    """1: UDP and others, 2: established TCP, 3: other TCP."""
    flags_seen: int
    """TCP flags of packets that the interface sent, of those received << 8."""
    active: int
    """When its last packet came, ns."""
    enqueued: int
    """When it was last put in its list, ns."""
    both_ways: bool
    """Not only packets like the one that made it pass."""


class Sessions:
    """See the module's docstring."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._timer: Timer | None = None
        self._epochs: set[tuple[int, bool]] = set()
        self.restarted = 0
        """How often a session was looked at and had had traffic."""
        engine.on_event(ACL_SESSIONS, self._look)

    @property
    def table(self) -> AclSessions:
        """The memory."""
        return self._engine.plane.shared(AclSessions)

    # --- limits

    @property
    def most(self) -> int:
        """The most sessions."""
        return int(self.table.state["max_sessions"])

    @most.setter
    def most(self, most: int) -> None:
        if not 0 <= most <= MOST_SESSIONS:
            raise ValueError(f"{most} sessions: at most {MOST_SESSIONS} are possible")
        self.table.state["max_sessions"] = most

    def timeout(self, kind: int) -> int:
        """Seconds."""
        return int(self.table.state["timeouts"][kind]) // SECOND

    def set_timeout(self, kind: int, seconds: int) -> None:
        """Change one. Raises `ValueError`."""
        if kind not in KINDS:
            raise ValueError(f"no kind of session timeout has the number {kind}")
        if not 0 <= seconds < 1 << 32:
            raise ValueError(f"a session timeout of {seconds} s is not within 0 to {(1 << 32) - 1}")
        now = self._engine.now
        self.expire(now)  # what has run out does not come back to life
        self.table.state["timeouts"][kind] = seconds * SECOND
        self.expire(now)
        self._arm(now)

    def skip_ip6_extension(self, header: int, on: bool) -> None:
        """See `Acls`."""
        if not 0 <= header <= 255:
            raise ValueError(f"no IPv6 extension header has the number {header}")
        self.table.skip_extension(header, on)

    # --- policies

    @property
    def reclassify(self) -> bool:
        """See `Acls`."""
        return bool(self.table.state["reclassify"])

    @reclassify.setter
    def reclassify(self, on: bool) -> None:
        self.table.state["reclassify"] = int(on)

    def policy_changed(self, sw_if_index: int, is_input: bool) -> None:
        """An interface has another policy of a direction: while `reclassify` is on, its sessions are checked anew."""
        if not self.reclassify:
            return
        self._epochs.add((sw_if_index, is_input))
        place = int(is_input) * MAX_INTERFACES + sw_if_index
        self.table.epochs[place] = int(self.table.epochs[place]) + 1 & EPOCH_MASK

    def policy_epoch(self, sw_if_index: int, is_input: bool) -> int | None:
        """See `Acls`."""
        if (sw_if_index, is_input) not in self._epochs:
            return None
        epoch = int(self.table.epochs[int(is_input) * MAX_INTERFACES + sw_if_index])
        return epoch | (EPOCH_IS_INPUT if is_input else 0)

    # --- ending them

    def clear(self, sw_if_index: int | None = None) -> None:
        """End the sessions of an interface, or all."""
        if int(self.table.state["live"]):
            session_control.clear(self.table.address, -1 if sw_if_index is None else sw_if_index)

    def expire(self, now: int) -> None:
        """End what has run out by ``now`` (ns)."""
        self.restarted += session_control.sweep(self.table.address, now)

    def _look(self, event: Any) -> None:
        table = self.table
        if int(table.state["live"]) >= int(table.state["grow_at"]):
            table.grow()
        self._arm(int(event["time"]))

    def _arm(self, now: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = session_control.next_sweep(self.table.address)
        if due == NEVER:
            self.table.state["told"] = 0  # a worker tells of the next one
            return
        self._timer = self._engine.timers.at(max(due, now + _LEAST_WAIT), self._run)

    def _run(self, now: int) -> None:
        self._timer = None
        self.expire(now)
        self._arm(now)

    # --- looking at them

    def totals(self) -> tuple[int, int, int]:
        """Sessions made, given back, and ended so far (here an ended session is given back at once)."""
        state = self.table.state
        return int(state["added"]), int(state["deleted"]), int(state["deleted"])

    def __len__(self) -> int:
        return int(self.table.state["live"])

    def __iter__(self) -> Iterator[Session]:
        """All, in no order."""
        for index, record in self.table.records():
            yield self._session(index, record)

    def counts(self, worker: int, sw_if_index: int) -> tuple[int, int, int]:
        """A worker's sessions of an interface: made, ended, and ended because the policy changed."""
        made, ended, stale = self.table.stats(worker)[:, sw_if_index]
        return int(made), int(ended), int(stale)

    def head(self, worker: int, kind: int) -> Session | None:
        """The session that has been longest in a worker's list of a kind."""
        index = self.table.head(worker, kind)
        return None if index < 0 else self._session(index, self.table.record(index))

    def get(self, index: int) -> Session | None:
        """One by its number; None when it is not there."""
        table = self.table
        if not 0 <= index < int(table.state["top"]) or not int(table.record(index)["state"]):
            return None
        return self._session(index, table.record(index))

    def _session(self, index: int, record: Any) -> Session:
        raw = self.table.addresses(index, record)
        half = len(raw) // 2
        outside, inside = raw[:half], raw[half:]
        ip4 = int(record["state"]) == IP4
        address = IPv4Address if ip4 else IPv6Address
        key = int(record["key"])
        is_input = bool(record["is_input"])
        first, second = key & 0xFFFF, key >> 16 & 0xFFFF
        proto = key >> 32 & 0xFF
        ways = int(record["ways"])
        if proto == (1 if ip4 else 58):
            if ways == REPLY:
                first = 0 if ip4 and first == 8 else first + 1
            elif ways == REQUEST | REPLY and bool(key & SIDE) != is_input:
                is_input = bool(key & SIDE)
        elif not is_input:
            first, second = second, first
        return Session(
            index,
            int(record["worker"]),
            int(record["sw_if"]),
            is_input,
            address(outside if is_input else inside),
            address(inside if is_input else outside),
            proto,
            first,
            second,
            int(record["list"]),
            int(record["flags_seen"]),
            int(record["active"]),
            int(record["enqueued"]),
            ways == REQUEST | REPLY,
        )
