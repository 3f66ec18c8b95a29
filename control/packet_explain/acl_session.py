"""The session of a packet at an ACL node, as it is before the node sees the packet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.acl.sessions import KINDS
from vectorplane.control.packet_explain.headers import flags_text, protocol_name
from vectorplane.graph_nodes.acl.session_control import SECOND
from vectorplane.graph_nodes.acl.session_peek import session_of
from vectorplane.graph_nodes.acl.session_table import MAX_INTERFACES

if TYPE_CHECKING:
    from vectorplane.backends.engine.acl.sessions import Session
    from vectorplane.backends.engine.engine import Engine

NONE, LIVE, EXPIRED, ONE_WAY, STALE = "none", "live", "expired", "one way", "stale"
_WITH_PORTS, _TCP = (6, 17), 6


@dataclass(frozen=True)
class Found:
    """What there is. ``now``: the packet's time, ns; ``timeout``: the session's, s."""

    state: str
    interface: str = ""
    session: Session | None = None
    now: int = 0
    timeout: int = 0

    @property
    def lets_through(self) -> bool:
        """Does the packet need no rule?"""
        return self.state == LIVE

    @property
    def index(self) -> int:
        """Its number; -1: none."""
        return -1 if self.session is None else self.session.index

    @property
    def _age(self) -> float:
        assert self.session is not None
        return (self.now - self.session.active) / SECOND

    def _flow(self) -> str:
        s = self.session
        assert s is not None
        name = protocol_name(s.proto)
        if s.proto in _WITH_PORTS:
            source, destination = f"{s.source}", f"{s.destination}"
            if s.source.version == 6:
                source, destination = f"[{source}]", f"[{destination}]"
            return f"{name} {source}:{s.source_port} -> {destination}:{s.destination_port}"
        types = f" type {s.source_port} code {s.destination_port}" if s.proto in (1, 58) else ""
        return f"{name} {s.source} -> {s.destination}{types}"

    def _maker(self) -> str:
        assert self.session is not None
        return f"made by a packet that {self.interface} {'received' if self.session.is_input else 'sent'}"

    def _flags(self) -> str:
        assert self.session is not None
        if self.session.proto != _TCP:
            return ""
        seen = self.session.flags_seen
        return f"; TCP flags seen: {flags_text(seen >> 8 & 255)} received, {flags_text(seen & 255)} sent"

    def text(self) -> str:
        """A line about it."""
        s = self.session
        if s is None:
            return "no session"
        kind = f"{KINDS[s.kind]}, {self.timeout} s"
        what = {
            LIVE: "",
            EXPIRED: "its time is up: ",
            ONE_WAY: "it lets nothing through this way: ",
            STALE: "it was made under another policy and is ended: ",
        }[self.state]
        return (
            f"session {s.index}: {what}{self._flow()}, {self._maker()}; last packet {self._age:.3f} s ago ({kind})"
            f"{self._flags()}"
        )

    def made_text(self) -> str:
        """Of one that was made just now."""
        s = self.session
        if s is None:
            return "no session"
        both = "answers pass" if s.both_ways else "only packets like it pass"
        return (
            f"session {s.index}: {self._flow()}; {both}; it ends after {self.timeout} s without a packet "
            f"({KINDS[s.kind]})"
        )

    def json(self) -> dict[str, Any] | None:
        """As data."""
        s = self.session
        if s is None:
            return None
        return {
            "index": s.index,
            "state": self.state,
            "flow": self._flow(),
            "kind": KINDS[s.kind],
            "timeout": self.timeout,
            "age": round(self._age, 9),
            "made_by": "received" if s.is_input else "sent",
            "flags_received": s.flags_seen >> 8 & 255,
            "flags_sent": s.flags_seen & 255,
            "both_ways": s.both_ways,
            "worker": s.worker,
        }


def find(engine: Engine, packet: bytes, sw_if_index: int, is_input: bool, ip6: bool, now: int) -> Found:
    """The session of an IP packet on an interface. No worker may be dispatching."""
    found = session_of(engine.plane, packet, sw_if_index, is_input, ip6)
    sessions = engine.acls.sessions
    session = None if found is None else sessions.get(found[0])
    if found is None or session is None:
        return Found(NONE)
    timeout = sessions.timeout(session.kind)
    state = LIVE
    if not found[1]:
        state = ONE_WAY
    elif now - session.active >= timeout * SECOND:
        state = EXPIRED
    elif sessions.reclassify:
        record = sessions.table.record(found[0])
        epoch = int(sessions.table.epochs[int(is_input) * MAX_INTERFACES + sw_if_index])
        if bool(record["is_input"]) == is_input and int(record["epoch"]) != epoch:
            state = STALE
    return Found(state, engine.plane.interfaces.names.get(sw_if_index, ""), session, now, timeout)


def skipped_extensions(engine: Engine) -> frozenset[int]:
    """The IPv6 extension headers that the engine's ACLs skip."""
    words = [int(w) for w in engine.acls.sessions.table.state["known_extensions"]]
    return frozenset(header for header in range(256) if words[header >> 6] >> (header & 63) & 1)
