"""A simulated host: a small IPv4 stack with services and clients, at the end of a cable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vectorplane.backends.engine.sim_host.host_stack import Address, HostStack
from vectorplane.backends.engine.sim_host.replay import Replay, whole_packet
from vectorplane.backends.engine.sim_host.services import Answer, named_echo, named_page
from vectorplane.pcap.frames import frames

if TYPE_CHECKING:
    from vectorplane.backends.engine.sim_host.probe import Probe

SECOND = 1_000_000_000


class SimHost(HostStack):
    """A host with one network card. Join it to a port by a `HostLink`, and give that to a `Network`.

    ``addresses``: its own, with the prefix that is reached directly (``10.1.1.2/24``; a /32 reaches nobody directly).
    ``mac``: None makes one of the first address. ``gateway``: next hop of the default route, always taken to be on
    the link. ``routes``: prefixes to next hops, None for what is on the link. ``arp``: neighbours that
    need not be asked for. ``answers_all``: take packets to any address as one's own, for a host that
    plays the internet; ``arp_for``: prefixes for which it answers ARP besides its own addresses. ``log``: how
    many received frames `received` remembers.

    All that looks like chance (ports, sequence numbers, identifiers) is counted from the name and the first address.

    Raises:
        ValueError: a bad address or number; the message names the host.
    """

    # what the outside may ask of it

    def serve_udp(self, port: int | None = None, answer: Answer | None = None) -> None:
        """Answer datagrams to ``port``, to all ports without a service (None): by default with the host's name
        (``b"NAME: "``) before the data.

        Raises:
            ValueError: the port is not within 1 to 65535.
        """
        self.udp.services.open(port, answer or named_echo(self.name))

    def serve_tcp(self, port: int | None = None, answer: Answer | None = None) -> None:
        """Accept connections; by default an HTTP request gets the name as its body, anything else is echoed behind it.

        Raises:
            ValueError: the port is not within 1 to 65535.
        """
        self.tcp.services.open(port, answer or named_page(self.name))

    def serve_sctp(self, port: int | None = None) -> None:
        """Answer INITs.

        Raises:
            ValueError: the port is not within 1 to 65535.
        """
        self.sctp.listen(port)

    # what it asks

    def ping(
        self,
        destination: Address,
        count: int = 1,
        size: int = 56,
        *,
        interval: int = SECOND,
        timeout: int = SECOND,
        retries: int = 2,
        ttl: int = 64,
        df: bool = False,
    ) -> Probe:
        """Send ``count`` echo requests of ``size`` bytes, ``interval`` ns apart; answered when one of them is.

        When none is, ``timeout`` ns after the last, up to ``retries`` more are sent: a router drops the first
        packet to a neighbour that it does not know.
        """
        to = self._destination(destination)
        if count < 1 or not 0 <= size <= 65507 or interval < 1:
            raise ValueError(f"host {self.name}: ping: count {count}, size {size} or interval {interval} out of range")
        self._check("ping", timeout, retries, ttl)
        return self.icmp.pings.start(
            to, count=count, size=size, interval=interval, timeout=timeout, retries=retries, ttl=ttl, df=df
        )

    def send_udp(
        self,
        destination: Address,
        port: int,
        data: bytes,
        sport: int | None = None,
        *,
        timeout: int = SECOND,
        retries: int = 2,
        ttl: int = 64,
        df: bool = False,
    ) -> Probe:
        """Send a datagram and wait for an answer, from whomever; sent again up to ``retries`` times."""
        to, sport = self._destination(destination), self._ports("send_udp", port, sport)
        if len(data) > 65507:
            raise ValueError(f"host {self.name}: send_udp: {len(data)} bytes are more than 65507")
        self._check("send_udp", timeout, retries, ttl)
        return self.udp.request(to, port, data, sport, timeout=timeout, retries=retries, ttl=ttl, df=df)

    def connect(
        self,
        destination: Address,
        port: int,
        request: bytes = b"GET / HTTP/1.0\r\n\r\n",
        sport: int | None = None,
        *,
        timeout: int = 10 * SECOND,
    ) -> Probe:
        """Open a TCP connection, send the request and take all that comes until the peer closes.

        An empty request closes at once. The probe is done when the connection is closed on both sides.

        Raises:
            ValueError: a number out of range, or there is a connection between these ports.
        """
        to, sport = self._destination(destination), self._ports("connect", port, sport)
        self._check("connect", timeout, 0, 64)
        return self.tcp.connect(to, port, request, sport, timeout)

    def send_more(self, probe: Probe, data: bytes) -> None:
        """Send more of the request of `connect`: the connection stays open while the server waits for the rest.

        Raises:
            ValueError: the connection is over, or its end has been sent.
        """
        self.tcp.send_more(probe, data)

    def sctp_init(self, destination: Address, port: int, sport: int | None = None, *, retries: int = 2) -> Probe:
        """Begin an SCTP association; answered when an INIT ACK comes."""
        to, sport = self._destination(destination), self._ports("sctp_init", port, sport)
        self._check("sctp_init", SECOND, retries, 64)
        return self.sctp.start(to, port, sport, retries)

    def send_raw(self, frame: bytes) -> None:
        """Send an Ethernet frame as it is."""
        self.transmit(frame)

    def send_packet(self, packet: bytes) -> None:
        """Route a complete IPv4 packet as it is: a next hop, ARP, fragments when it is larger than the MTU.

        Raises:
            ValueError: it is no IPv4 packet.
        """
        whole = whole_packet(packet)
        if whole is None:
            raise ValueError(f"host {self.name}: send_packet: not a whole IPv4 packet")
        self.ip4.route(whole)

    def replay(
        self,
        records: Iterable[tuple[int, bytes]],
        shift: int | None = None,
        *,
        packets: bool = False,
        rewrite: bool = False,
    ) -> Replay:
        """Send a capture: (time in ns, Ethernet frame) in order of time, each ``shift`` ns later than it says.

        Without ``shift`` the first is sent now. ``packets``: the records hold IPv4 packets, which are routed as by
        `send_packet`. ``rewrite``: IPv4 packets leave as the host's own (source address, MAC addresses, checksums)
        and everything else is skipped. Records are taken one at a time.
        """
        return Replay(self, records, shift=shift, packets=packets, rewrite=rewrite)

    def replay_file(self, path: str, *, rewrite: bool = False) -> Replay:
        """The same with the frames of a capture file, from now on.

        Raises:
            CaptureError: it cannot be read; met later it ends the network's run.
        """
        return self.replay(((f.time, f.data) for f in frames(path)), rewrite=rewrite)

    def announce(self) -> None:
        """Send a gratuitous ARP for each address."""
        for address in self._own:
            self.arp.announce(address)

    def _destination(self, address: Address) -> bytes:
        self._agenda  # noqa: B018 - says that it is in no network, before anything is begun
        return self._packed(address)

    def _ports(self, what: str, port: int, sport: int | None) -> int:
        for number in (port, 1 if sport is None else sport):
            if not 1 <= number <= 65535:
                raise ValueError(f"host {self.name}: {what}: port {number} is not within 1 to 65535")
        return self.free_port() if sport is None else sport

    def _check(self, what: str, timeout: int, retries: int, ttl: int) -> None:
        if timeout < 1 or retries < 0 or not 1 <= ttl <= 255:
            raise ValueError(
                f"host {self.name}: {what}: timeout {timeout}, retries {retries} or ttl {ttl} out of range"
            )
