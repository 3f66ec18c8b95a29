"""What NAT44 looks a packet up by, and the session that it finds, before the node sees the packet."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from vectorplane.control.packet_explain.headers import protocol_name
from vectorplane.graph_nodes.forwarding import Forwarding
from vectorplane.graph_nodes.ip4_sv_buffer import INFO_WORD
from vectorplane.graph_nodes.nat44 import session_control
from vectorplane.graph_nodes.nat44.session import (
    I2O,
    OP_DADDR,
    OP_DPORT,
    OP_ICMP_ID,
    OP_SADDR,
    OP_SPORT,
    OP_TXFIB,
    P_ICMP,
    P_TCP,
    P_UDP,
)
from vectorplane.graph_nodes.nat44.session_control import NatSessions
from vectorplane.graph_nodes.nat44.tables import SECOND, swap16, swap32
from vectorplane.graph_nodes.nat44.texts import Flow
from vectorplane.jit.words import signed

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.nat44.sessions import NatSession
    from vectorplane.control.packet_explain.moment import Moment

ECHO = (0, 8)
_ERRORS = (3, 4, 5, 11, 12)
PORTLESS = (P_TCP, P_UDP, P_ICMP)


@dataclass(frozen=True)
class Looked:
    """The five values of a packet, and its table. Of an ICMP error: of what it quotes, turned round."""

    source: int
    destination: int
    proto: int
    source_port: int
    destination_port: int
    fib: int
    flags: int
    """Of TCP, or the ICMP type."""
    quoted: bool = False

    @property
    def turned(self) -> Looked:
        """The same the other way round."""
        return Looked(
            self.destination, self.source, self.proto, self.destination_port, self.source_port, self.fib, self.flags
        )

    def text(self) -> str:
        """``tcp 10.0.0.1:1234 -> 10.0.0.2:80``."""
        return f"{protocol_name(self.proto)} {self.source_text} -> {self.destination_text}"

    @property
    def source_text(self) -> str:
        """Address, and port or identifier."""
        return end_text(self.source, self.source_port, self.proto)

    @property
    def destination_text(self) -> str:
        """Address, and port."""
        return end_text(self.destination, self.destination_port if self.proto != P_ICMP else 0, self.proto)


def end_text(address: int, port: int, proto: int) -> str:
    """One end of a flow."""
    if proto == P_ICMP:
        return f"{IPv4Address(address)}" + (f" id {port}" if port else "")
    return f"{IPv4Address(address)}:{port}" if proto in (P_TCP, P_UDP) else f"{IPv4Address(address)}"


def ip_of(at: Moment, is_output: bool) -> bytes:
    """The packet from its IP header on: as an output feature NAT sees it behind its new L2 header."""
    if not is_output:
        return at.before.first
    adjacency = at.engine.plane.shared(Forwarding).adjacencies[int(at.before.meta["adj"])]
    return at.before.first[int(adjacency["rewrite_length"]) :]


def looked_for(at: Moment, ip: bytes) -> Looked | None:
    """What the node looks for; None: an ICMP error quotes nothing that could be looked for."""
    fib = int(at.engine.interfaces.record(at.before.rx)["ip4_table"])
    told = int.from_bytes(at.before.meta.tobytes()[INFO_WORD : INFO_WORD + 8], "little")
    flags, proto = told >> 40 & 0xFF, ip[9]
    if proto == P_ICMP and flags not in ECHO:
        return _quoted(ip, fib, flags) if flags in _ERRORS else None
    source_port, destination_port = swap16(told & 0xFFFF), swap16(told >> 16 & 0xFFFF)
    if proto not in PORTLESS:
        source_port = destination_port = 0
    return Looked(_word(ip, 12, 4), _word(ip, 16, 4), proto, source_port, destination_port, fib, flags)


def _word(data: bytes, at: int, size: int = 2) -> int:
    return int.from_bytes(data[at : at + size], "big")


def _quoted(ip: bytes, fib: int, flags: int) -> Looked | None:
    inner = ip[(ip[0] & 15) * 4 + 8 :]
    l4 = inner[(inner[0] & 15) * 4 :] if inner else b""
    if len(inner) < 20 or len(l4) < 8 or inner[9] not in PORTLESS:
        return None
    ports = (_word(l4, 4), _word(l4, 4)) if inner[9] == P_ICMP else (_word(l4, 2), _word(l4, 0))
    return Looked(_word(inner, 16, 4), _word(inner, 12, 4), inner[9], *ports, fib, flags, True)


@dataclass(frozen=True)
class Found:
    """A session, and which of its directions a packet was found by."""

    session: NatSession
    direction: int
    now: int

    @property
    def expired(self) -> bool:
        """Is its time up?"""
        return self.session.timed_out(self.now)

    @property
    def way(self) -> str:
        """From where packets of this direction come."""
        return "from inside" if self.direction == I2O else "from outside"

    @property
    def _kinds(self) -> str:
        s = self.session
        kinds = ["static" if s.is_static else "dynamic"]
        kinds += ["twice-NAT"] * s.is_twice_nat + ["load-balanced"] * s.is_lb + ["bypass"] * s.is_bypass
        return ", ".join(kinds)

    def text(self) -> str:
        """A line about it."""
        s = self.session
        age = (self.now - s.last_heard) / SECOND
        return (
            f"session {s.index} ({self._kinds}), {self.way}; last packet {age:.3f} s ago, "
            f"ends after {s.timeout} s without one"
        )

    def made_text(self) -> str:
        """Of one that was made just now."""
        s = self.session
        return f"makes session {s.index} ({self._kinds}); it ends after {s.timeout} s without a packet"

    def rewrite(self, engine: Engine) -> str:
        """What it changes in packets of this direction."""
        flow = self.session.i2o if self.direction == I2O else self.session.o2i
        return rewrite_text(engine, flow, self.session.is_bypass)

    def json(self, engine: Engine) -> dict[str, Any]:
        """As data."""
        s = self.session
        return {
            "index": s.index,
            "direction": "in2out" if self.direction == I2O else "out2in",
            "worker": s.worker,
            "static": s.is_static,
            "twice_nat": s.is_twice_nat,
            "load_balanced": s.is_lb,
            "bypass": s.is_bypass,
            "inside": end_text(s.in_address, s.in_port, s.proto),
            "outside": end_text(s.out_address, s.out_port, s.proto),
            "external_host": end_text(s.ext_host_address, s.ext_host_port, s.proto),
            "age": round((self.now - s.last_heard) / SECOND, 9),
            "timeout": s.timeout,
            "expired": self.expired,
            "rewrite": self.rewrite(engine),
        }


def rewrite_text(engine: Engine, flow: Flow, bypass: bool = False) -> str:
    """What becomes of a packet of a flow."""
    proto, ops = flow.proto, flow.ops
    if bypass:
        return "goes on as it is"
    new_port = flow.new_icmp_id if ops & OP_ICMP_ID else flow.new_source_port
    source_port = new_port if ops & (OP_SPORT | OP_ICMP_ID) else flow.source_port
    source = end_text(flow.new_source if ops & OP_SADDR else flow.source, source_port, proto)
    port = flow.new_destination_port if ops & OP_DPORT else flow.destination_port
    destination = end_text(
        flow.new_destination if ops & OP_DADDR else flow.destination, port if proto != P_ICMP else 0, proto
    )
    old_source = end_text(flow.source, flow.source_port, proto)
    old_destination = end_text(flow.destination, flow.destination_port if proto != P_ICMP else 0, proto)
    parts = [f"source {old_source} becomes {source}"] if old_source != source else []
    parts += [f"destination {old_destination} becomes {destination}"] if old_destination != destination else []
    if ops & OP_TXFIB and flow.new_fib != flow.fib:
        parts.append(f"it goes on in table {engine.nat44.vrf_of(flow.new_fib)}")
    return "; ".join(parts) or "nothing changes"


def find(at: Moment, looked: Looked | None) -> Found | None:
    """The session that a packet belongs to now. No worker may be dispatching."""
    if looked is None:
        return None
    addresses = signed(swap32(looked.source) | swap32(looked.destination) << 32)
    ports = swap16(looked.source_port) << 32 | swap16(looked.destination_port) << 48
    key = signed(looked.proto | looked.fib << 8 | ports)
    number = session_control.find_flow(at.engine.plane.shared(NatSessions).address, addresses, key)
    session = at.engine.nat44.sessions.get(number >> 1) if number >= 0 else None
    return None if session is None else Found(session, number & 1, at.time)
