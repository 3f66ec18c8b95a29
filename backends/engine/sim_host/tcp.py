"""A host's TCP: which connection a segment belongs to, services, and resets for ports that nobody listens at."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from vectorplane.backends.engine.sim_host.dropped import Dropped
from vectorplane.backends.engine.sim_host.ip4 import TCP, Packet
from vectorplane.backends.engine.sim_host.probe import IcmpError, Probe
from vectorplane.backends.engine.sim_host.services import Services
from vectorplane.backends.engine.sim_host.tcp_connection import TcpConnection
from vectorplane.backends.engine.sim_host.tcp_segment import ACK, RST, SYN, WORDS, Segment, read

if TYPE_CHECKING:
    from vectorplane.backends.engine.sim_host.host_stack import HostStack

Key = tuple[bytes, int, bytes, int]
"""Own address and port, the peer's address and port."""
MOST = 10_000
"""Connections of a host."""
_STEP = 64_013
"""Between two initial sequence numbers: nothing is left to chance here."""


class Tcp:
    """The TCP layer of one host."""

    def __init__(self, host: HostStack) -> None:
        self.host = host
        self.services = Services()
        self.connections: dict[Key, TcpConnection] = {}
        self._isn = host.seed * 7919 % WORDS
        self._ports: dict[int, int] = {}

    def uses(self, port: int) -> bool:
        """Does a connection begin or end at this own port?"""
        return port in self._ports

    def receive(self, packet: Packet) -> str:
        """A segment; gives what it was.

        Raises:
            Dropped: see the reason.
        """
        if packet.broadcast:
            raise Dropped("TCP by broadcast")
        s = read(packet)
        key = (packet.destination, s.destination_port, packet.source, s.source_port)
        connection = self.connections.get(key)
        fresh = s.flags & (SYN | ACK | RST) == SYN
        if connection is not None and connection.waits and fresh:
            connection.drop()  # the port is used anew (RFC 9293, 3.6.1)
            connection = None
        if connection is not None:
            return connection.receive(s)
        if s.flags & RST:
            raise Dropped("TCP reset of nothing known")
        answer = self.services.at(s.destination_port) if fresh else None
        if answer is None:
            self.reset(key, s)
            raise Dropped("TCP port nobody listens at" if fresh else "TCP of no connection")
        if len(self.connections) >= MOST:
            raise Dropped("too many TCP connections")
        connection = TcpConnection(self, key, self._next_isn(), probe=None, answer=answer)
        self._add(connection)
        connection.accept(s)
        return "TCP"

    def connect(self, destination: bytes, port: int, request: bytes, sport: int, timeout: int) -> Probe:
        """Begin a connection; the arguments are those of `SimHost.connect`.

        Raises:
            ValueError: there is a connection between these ports.
        """
        host = self.host
        key = (host.source_for(destination), sport, destination, port)
        probe = Probe("tcp", IPv4Address(destination), port, sport, host.now)
        old = self.connections.get(key)
        if old is not None:
            if not old.waits:
                raise ValueError(f"host {host.name} has a connection from port {sport} to {probe.destination}:{port}")
            old.drop()
        connection = TcpConnection(self, key, self._next_isn(), probe=probe, answer=None)
        self._add(connection)
        connection.open(request, timeout)
        return probe

    def send_more(self, probe: Probe, data: bytes) -> None:
        """Send more on the connection of a probe.

        Raises:
            ValueError: it has none (any more), or its end has been sent.
        """
        to = probe.destination.packed
        found = self.connections.get((self.host.source_for(to), probe.local_port, to, probe.port))
        if found is None or found.probe is not probe or found.waits:
            raise ValueError(f"host {self.host.name}: {probe} has no connection")
        found.send_more(data)

    def failed(self, source: bytes, local: int, destination: bytes, port: int, seq: bytes, error: IcmpError) -> bool:
        """An ICMP error came about a segment; False when it belongs to no connection."""
        connection = self.connections.get((source, local, destination, port))
        if connection is None:
            return False
        connection.failed(int.from_bytes(seq, "big"), error)
        return True

    def reset(self, key: Key, s: Segment) -> None:
        """Answer a segment with a reset (RFC 9293, 3.5.2)."""
        if s.flags & ACK:
            self.send(key, Segment(key[1], key[3], s.ack, 0, RST, 0))
        else:
            self.send(key, Segment(key[1], key[3], 0, s.seq + s.length, RST | ACK, 0))

    def send(self, key: Key, segment: Segment) -> None:
        """Send a segment; it may not be cut on its way (RFC 1191)."""
        self.host.ip4.send(key[2], TCP, segment.packed(key[0], key[2]), source=key[0], df=True)

    def abort(self) -> None:
        """The cable is pulled: all connections end."""
        for connection in list(self.connections.values()):
            connection.abandon()

    def remove(self, connection: TcpConnection) -> None:
        """Forget a connection."""
        if self.connections.get(connection.key) is connection:
            del self.connections[connection.key]
            port = connection.key[1]
            self._ports[port] -= 1
            if not self._ports[port]:
                del self._ports[port]

    def _add(self, connection: TcpConnection) -> None:
        self.connections[connection.key] = connection
        port = connection.key[1]
        self._ports[port] = self._ports.get(port, 0) + 1

    def _next_isn(self) -> int:
        self._isn = (self._isn + _STEP) % WORDS
        return self._isn
