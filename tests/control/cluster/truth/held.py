"""Connections that are held open while policies change: those forbidden meanwhile carry nothing more."""

from __future__ import annotations

from collections.abc import Iterable

from tests.control.cluster.truth.packets import Packets, Try
from vectorplane.backends.engine.sim_host.probe import Probe

_LONG = 30_000_000_000
"""ns for which a connection is held at most."""
_HALF, _REST = b"GET / HTTP/1.0\r\n", b"\r\n"


class Held:
    """Of TCP a connection with half of a request, of UDP the ports of a datagram that was answered."""

    def __init__(self, packets: Packets) -> None:
        self._packets = packets
        self._tcp: dict[Try, Probe] = {}
        self._udp: dict[Try, int] = {}

    def clear(self) -> None:
        """Hold nothing any more."""
        self._tcp.clear()
        self._udp.clear()

    def hold(self, tries: Iterable[Try]) -> None:
        """Begin those of these that are allowed now."""
        self.clear()
        allowed = [one for one, is_so in self._packets.documented(tries).items() if is_so]
        udp = {}
        for one in allowed:
            host, to = self._packets.hosts[one.source], self._packets.address(one.to)
            if one.protocol == "TCP":
                self._tcp[one] = host.connect(to, one.port, _HALF, timeout=_LONG)
            else:
                udp[one] = self._packets.begin(one)
        self._packets.cluster.wait_for(*udp.values())
        self._packets.cluster.advance(0.01)  # the handshakes
        assert all(probe.answered for probe in udp.values())
        assert all(probe.round_trip is not None for probe in self._tcp.values())
        self._udp = {one: probe.local_port for one, probe in udp.items()}

    def check(self) -> None:
        """Send more on all: what arrives is what the documentation allows by now."""
        probes: dict[Try, Probe] = {}
        for one, held in self._tcp.items():
            self._packets.hosts[one.source].send_more(held, _REST)
            probes[one] = held
        for one, port in self._udp.items():
            probes[one] = self._packets.begin(one, source_port=port)
        self._packets.cluster.advance(0.5)
        said = self._packets.documented(probes)
        wrong = [
            f"{one} (held): {'goes on' if probe.answered else 'is cut'}"
            for one, probe in probes.items()
            if probe.answered != said[one]
        ]
        assert not wrong, wrong
        self.clear()
