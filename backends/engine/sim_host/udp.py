"""A host's UDP (RFC 768): services that answer datagrams, and requests."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from vectorplane.backends.engine.sim_host.checksums import transport_checksum, transport_correct
from vectorplane.backends.engine.sim_host.dropped import Dropped
from vectorplane.backends.engine.sim_host.ip4 import UDP, Packet
from vectorplane.backends.engine.sim_host.probe import IcmpError, Probe, ProbeState
from vectorplane.backends.engine.sim_host.services import Services

if TYPE_CHECKING:
    from vectorplane.backends.engine.sim_host.host_stack import HostStack
    from vectorplane.backends.engine.timers import Timer

MOST_DATA = 65507
"""Bytes of a datagram."""


@dataclass(eq=False)
class _Request:
    probe: Probe
    data: bytes
    source: bytes
    left: int
    timeout: int
    ttl: int
    df: bool
    sent: int = 0
    timer: Timer | None = None


class Udp:
    """The UDP layer of one host."""

    def __init__(self, host: HostStack) -> None:
        self._host = host
        self.services = Services()
        self._requests: dict[int, list[_Request]] = {}

    def uses(self, port: int) -> bool:
        """Is a request under way from this port?"""
        return port in self._requests

    def receive(self, packet: Packet) -> str:
        """A datagram; gives what it was.

        Raises:
            Dropped: see the reason.
        """
        data = packet.payload
        if len(data) < 8:
            raise Dropped("truncated UDP")
        sport, dport, length, field = struct.unpack_from("!HHHH", data)
        if not 8 <= length <= len(data):
            raise Dropped("bad UDP length")
        data = data[:length]
        if field and not transport_correct(packet.source, packet.destination, UDP, data):
            raise Dropped("bad UDP checksum")
        requests = self._requests.get(dport)
        if requests:
            asked = (IPv4Address(packet.source), sport)
            # whoever answers is believed and named: who it is, is what a probe is to find out
            first = next((r for r in requests if (r.probe.destination, r.probe.port) == asked), requests[0])
            self._answered(first, packet.source, sport, data[8:])
            return "UDP answer"
        service = self.services.at(dport)
        if service is None:
            self._host.icmp.send_error(packet, 3, 3)
            raise Dropped("UDP port nobody listens at")
        answer = service(data[8:], (IPv4Address(packet.source), sport))
        if answer is not None and len(answer) > MOST_DATA:
            self._host.not_sent["UDP answer too long"] += 1
        elif answer is not None:
            source = self._host.source_for(packet.source) if packet.broadcast else packet.destination
            self.send(source, dport, packet.source, sport, answer)
        return "UDP request"

    def send(
        self, source: bytes, sport: int, destination: bytes, dport: int, data: bytes, ttl: int = 64, df: bool = False
    ) -> None:
        """Send a datagram."""
        segment = struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data
        field = transport_checksum(source, destination, UDP, segment)
        segment = segment[:6] + field.to_bytes(2, "big") + data
        self._host.ip4.send(destination, UDP, segment, source=source, ttl=ttl, df=df)

    def request(
        self, destination: bytes, dport: int, data: bytes, sport: int, *, timeout: int, retries: int, ttl: int, df: bool
    ) -> Probe:
        """Begin a request; the arguments are those of `SimHost.send_udp`."""
        host = self._host
        probe = Probe("udp", IPv4Address(destination), dport, sport, host.now)
        request = _Request(probe, data, host.source_for(destination), retries, timeout, ttl, df)
        self._requests.setdefault(sport, []).append(request)
        self._send(request)
        return probe

    def failed(self, local: int, destination: bytes, port: int, error: IcmpError) -> bool:
        """An ICMP error came about a datagram; False when it belongs to no request."""
        for r in self._requests.get(local, ()):
            if (r.probe.destination, r.probe.port) == (IPv4Address(destination), port):
                r.probe.error = error
                self._end(r, ProbeState.REFUSED if error.refusal else ProbeState.UNREACHABLE)
                return True
        return False

    def abort(self) -> None:
        """The cable is pulled: all requests end."""
        for r in [r for requests in self._requests.values() for r in requests]:
            self._end(r, ProbeState.TIMED_OUT)

    def _send(self, r: _Request) -> None:
        host, probe = self._host, r.probe
        probe.sent += 1
        r.sent = host.now
        r.timer = host.at(host.now + r.timeout, lambda now: self._turn(r))
        self.send(r.source, probe.local_port, probe.destination.packed, probe.port, r.data, r.ttl, r.df)

    def _turn(self, r: _Request) -> None:
        if r.left > 0:
            r.left -= 1
            self._send(r)
        else:
            self._end(r, ProbeState.TIMED_OUT)

    def _answered(self, r: _Request, source: bytes, port: int, data: bytes) -> None:
        probe = r.probe
        probe.received += 1
        probe.answer, probe.source, probe.source_port = data, IPv4Address(source), port
        probe.round_trip = self._host.now - r.sent
        self._end(r, ProbeState.ANSWERED)

    def _end(self, r: _Request, state: ProbeState) -> None:
        if r.timer is not None:
            r.timer.cancel()
        requests = self._requests[r.probe.local_port]
        requests.remove(r)
        if not requests:
            del self._requests[r.probe.local_port]
        r.probe.finish(state, self._host.now)
