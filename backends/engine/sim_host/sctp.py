"""A host's SCTP (RFC 9260), of which there is the beginning: an INIT is answered by an INIT ACK, or by an ABORT.

The server keeps nothing, as the RFC has it: all it would need is in the cookie that the client returns. The client
is content with having been answered.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from vectorplane.backends.engine.sim_host.checksums import crc32c
from vectorplane.backends.engine.sim_host.dropped import Dropped
from vectorplane.backends.engine.sim_host.ip4 import SCTP, Packet
from vectorplane.backends.engine.sim_host.probe import IcmpError, Probe, ProbeState

if TYPE_CHECKING:
    from vectorplane.backends.engine.sim_host.host_stack import HostStack
    from vectorplane.backends.engine.timers import Timer

INIT, INIT_ACK, ABORT = 1, 2, 6
FIRST_TIMEOUT = 1_000_000_000
_HEADER = struct.Struct("!HHII")


@dataclass(eq=False)
class _Association:
    probe: Probe
    source: bytes
    tag: int
    left: int
    timeout: int = FIRST_TIMEOUT
    sent: int = 0
    timer: Timer | None = None


def packed(sport: int, dport: int, tag: int, chunk: bytes) -> bytes:
    """A packet with one chunk and its checksum."""
    raw = _HEADER.pack(sport, dport, tag, 0) + chunk + bytes(-len(chunk) % 4)
    return raw[:8] + crc32c(raw).to_bytes(4, "little") + raw[12:]


def _init(kind: int, tag: int, parameters: bytes = b"") -> bytes:
    return struct.pack("!BBHIIHHI", kind, 0, 20 + len(parameters), tag, 65536, 1, 1, tag) + parameters


class Sctp:
    """The SCTP layer of one host."""

    def __init__(self, host: HostStack) -> None:
        self._host = host
        self._ports: set[int | None] = set()
        self._begun: dict[int, _Association] = {}
        self._tag = host.seed & 0xFFFFFF

    def uses(self, port: int) -> bool:
        """Is an association from this port under way?"""
        return port in self._begun

    def listen(self, port: int | None) -> None:
        """Answer INITs to ``port``, to all ports (None).

        Raises:
            ValueError: the port is not within 1 to 65535.
        """
        if port is not None and not 1 <= port <= 65535:
            raise ValueError(f"a service's port {port} is not within 1 to 65535")
        self._ports.add(port)

    def close(self, port: int | None) -> None:
        """Listen no more.

        Raises:
            KeyError: nobody listens there.
        """
        self._ports.remove(port)

    def receive(self, packet: Packet) -> str:
        """A packet; gives what it was.

        Raises:
            Dropped: see the reason.
        """
        raw = packet.payload
        if len(raw) < 16:
            raise Dropped("truncated SCTP")
        sport, dport, tag, _ = _HEADER.unpack_from(raw)
        if int.from_bytes(raw[8:12], "little") != crc32c(raw[:8] + bytes(4) + raw[12:]):
            raise Dropped("bad SCTP checksum")
        kind, size = raw[12], int.from_bytes(raw[14:16], "big")
        if not 4 <= size <= len(raw) - 12:
            raise Dropped("bad SCTP chunk length")
        chunk = raw[12 : 12 + size]
        if packet.broadcast:
            raise Dropped("SCTP by broadcast")
        if kind == INIT:
            return self._asked(packet, sport, dport, tag, chunk)
        association = self._begun.get(dport)
        if association is None or association.probe.port != sport or tag != association.tag:
            raise Dropped("SCTP of no association")
        if kind not in (INIT_ACK, ABORT):
            raise Dropped("unknown SCTP chunk")
        probe = association.probe
        probe.received += 1
        probe.answer, probe.source, probe.source_port = chunk, IPv4Address(packet.source), sport
        probe.round_trip = self._host.now - association.sent
        self._end(association, ProbeState.ANSWERED if kind == INIT_ACK else ProbeState.REFUSED)
        return "SCTP answer"

    def start(self, destination: bytes, port: int, sport: int, retries: int) -> Probe:
        """Send an INIT; the arguments are those of `SimHost.sctp_init`.

        Raises:
            ValueError: an association from this port is under way.
        """
        host = self._host
        if sport in self._begun:
            raise ValueError(f"host {host.name} has an SCTP association from port {sport} under way")
        probe = Probe("sctp", IPv4Address(destination), port, sport, host.now)
        association = _Association(probe, host.source_for(destination), self._next_tag(), retries)
        self._begun[sport] = association
        self._send(association)
        return probe

    def failed(self, local: int, destination: bytes, port: int, error: IcmpError) -> bool:
        """An ICMP error came about a packet; False when it belongs to no association."""
        a = self._begun.get(local)
        if a is None or (a.probe.destination, a.probe.port) != (IPv4Address(destination), port):
            return False
        a.probe.error = error
        self._end(a, ProbeState.REFUSED if error.refusal else ProbeState.UNREACHABLE)
        return True

    def abort(self) -> None:
        """The cable is pulled: all associations end."""
        for association in list(self._begun.values()):
            self._end(association, ProbeState.TIMED_OUT)

    def _asked(self, packet: Packet, sport: int, dport: int, tag: int, chunk: bytes) -> str:
        if len(chunk) < 20 or tag != 0:
            raise Dropped("malformed SCTP INIT")
        theirs = int.from_bytes(chunk[4:8], "big")
        if dport not in self._ports and None not in self._ports:
            self._reply(packet, packed(dport, sport, theirs, struct.pack("!BBH", ABORT, 0, 4)))
            raise Dropped("SCTP port nobody listens at")
        cookie = struct.pack("!HH", 7, 4 + 8) + theirs.to_bytes(4, "big") + self._host.seed.to_bytes(4, "big")
        self._reply(packet, packed(dport, sport, theirs, _init(INIT_ACK, self._next_tag(), cookie)))
        return "SCTP INIT"

    def _reply(self, packet: Packet, raw: bytes) -> None:
        self._host.ip4.send(packet.source, SCTP, raw, source=packet.destination)

    def _send(self, a: _Association) -> None:
        host, probe = self._host, a.probe
        probe.sent += 1
        a.sent = host.now
        a.timer = host.at(host.now + a.timeout, lambda now: self._turn(a))
        raw = packed(probe.local_port, probe.port, 0, _init(INIT, a.tag))
        host.ip4.send(probe.destination.packed, SCTP, raw, source=a.source)

    def _turn(self, a: _Association) -> None:
        if a.left > 0:
            a.left -= 1
            a.timeout *= 2
            self._send(a)
        else:
            self._end(a, ProbeState.TIMED_OUT)

    def _end(self, a: _Association, state: ProbeState) -> None:
        if a.timer is not None:
            a.timer.cancel()
        del self._begun[a.probe.local_port]
        a.probe.finish(state, self._host.now)

    def _next_tag(self) -> int:
        self._tag = (self._tag + 0x1003F) & 0xFFFFFFFF or 1
        return self._tag
