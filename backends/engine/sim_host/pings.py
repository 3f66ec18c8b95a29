"""A host's pings: echo requests with an identifier each, repeated, and what came back."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from vectorplane.backends.engine.sim_host.dropped import Dropped
from vectorplane.backends.engine.sim_host.icmp_message import message
from vectorplane.backends.engine.sim_host.ip4 import ICMP
from vectorplane.backends.engine.sim_host.probe import IcmpError, Probe, ProbeState

if TYPE_CHECKING:
    from vectorplane.backends.engine.sim_host.host_stack import HostStack

_PATTERN = bytes(range(256)) * 256
"""What echo requests carry."""


@dataclass
class _Ping:
    probe: Probe
    count: int
    extra: int
    size: int
    interval: int
    timeout: int
    ttl: int
    df: bool
    sent_at: dict[int, int] = field(default_factory=dict)


class Pings:
    """The pings of one host that are under way."""

    def __init__(self, host: HostStack) -> None:
        self._host = host
        self._pings: dict[int, _Ping] = {}
        self._ident = 0

    def start(
        self,
        destination: bytes,
        *,
        count: int,
        size: int,
        interval: int,
        timeout: int,
        retries: int,
        ttl: int,
        df: bool,
    ) -> Probe:
        """Begin; the arguments are those of `SimHost.ping`."""
        if len(self._pings) >= 65535:
            raise OverflowError(f"host {self._host.name} has 65535 pings under way")
        self._ident = self._ident % 65535 + 1
        while self._ident in self._pings:
            self._ident = self._ident % 65535 + 1
        probe = Probe("ping", IPv4Address(destination), 0, self._ident, self._host.now)
        ping = _Ping(probe, count, retries, size, interval, timeout, ttl, df)
        self._pings[self._ident] = ping
        self._send(ping)
        return probe

    def replied(self, source: bytes, ident: int, sequence: int, data: bytes) -> None:
        """An echo reply came.

        Raises:
            Dropped: to no request of this host.
        """
        ping = self._pings.get(ident)
        sent = ping.sent_at.pop(sequence, None) if ping is not None else None
        if ping is None or sent is None:
            raise Dropped("echo reply to nothing known")
        probe = ping.probe
        probe.received += 1
        probe.answer, probe.source, probe.round_trip = data, IPv4Address(source), self._host.now - sent
        if probe.received >= ping.count:
            self._end(ping)

    def failed(self, ident: int, destination: bytes, error: IcmpError) -> bool:
        """An ICMP error came about a request; False when there is none such."""
        ping = self._pings.get(ident)
        if ping is None or ping.probe.destination != IPv4Address(destination):
            return False
        ping.probe.error = error
        if ping.probe.sent >= ping.count:
            self._end(ping)
        return True

    def abort(self) -> None:
        """The cable is pulled: all pings end."""
        for ping in list(self._pings.values()):
            self._end(ping)

    def _send(self, ping: _Ping) -> None:
        probe, host = ping.probe, self._host
        probe.sent += 1
        ping.sent_at[probe.sent & 0xFFFF] = host.now
        data = _PATTERN[: ping.size]
        rest = probe.local_port.to_bytes(2, "big") + (probe.sent & 0xFFFF).to_bytes(2, "big")
        request = message(8, 0, rest, data)
        more = probe.sent < ping.count
        host.at(host.now + (ping.interval if more else ping.timeout), lambda now: self._turn(ping))
        host.ip4.send(probe.destination.packed, ICMP, request, ttl=ping.ttl, df=ping.df)

    def _turn(self, ping: _Ping) -> None:
        if ping.probe.done:
            return
        if ping.probe.sent < ping.count:
            self._send(ping)
        elif ping.extra > 0 and not ping.probe.received:
            ping.extra -= 1
            self._send(ping)
        else:
            self._end(ping)

    def _end(self, ping: _Ping) -> None:
        probe = ping.probe
        del self._pings[probe.local_port]
        if probe.received:
            state = ProbeState.ANSWERED
        elif probe.error is None:
            state = ProbeState.TIMED_OUT
        else:
            state = ProbeState.REFUSED if probe.error.refusal else ProbeState.UNREACHABLE
        probe.finish(state, self._host.now)
