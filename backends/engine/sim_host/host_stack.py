"""The stack of a simulated host: addresses, cable, layers, and what becomes of each frame."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from vectorplane.backends.engine.sim_host.arp import Arp
from vectorplane.backends.engine.sim_host.dropped import Dropped
from vectorplane.backends.engine.sim_host.host_routes import HostRoutes
from vectorplane.backends.engine.sim_host.icmp import Icmp
from vectorplane.backends.engine.sim_host.ip4 import EVERYBODY, Ip4
from vectorplane.backends.engine.sim_host.sctp import Sctp
from vectorplane.backends.engine.sim_host.tcp import Tcp
from vectorplane.backends.engine.sim_host.udp import Udp

if TYPE_CHECKING:
    from vectorplane.backends.engine.sim_host.agenda import Agenda
    from vectorplane.backends.engine.sim_host.host_link import HostLink
    from vectorplane.backends.engine.sim_host.replay import Replay
    from vectorplane.backends.engine.timers import Timer

Address = IPv4Address | str
_FIRST_PORT, _LAST_PORT = 32768, 60999
_LOOP = 1000
"""ns that a packet to oneself takes: time goes on, whatever talks to itself."""


class Received(NamedTuple):
    """A frame that a host received, and when (ns)."""

    time: int
    frame: bytes


class FirstHop(NamedTuple):
    """How a host's packets to somewhere begin: its own address and MAC address, and the MAC address they go to."""

    source: IPv4Address
    mac: bytes
    next_mac: bytes


class HostStack:
    """What `SimHost` stands on; see there for the arguments."""

    def __init__(
        self,
        name: str,
        addresses: str | IPv4Interface | Iterable[str | IPv4Interface],
        *,
        mac: bytes | None = None,
        mtu: int = 1500,
        gateway: Address | None = None,
        routes: Mapping[str | IPv4Network, Address | None] | None = None,
        arp: Mapping[Address, bytes] | None = None,
        answers_all: bool = False,
        arp_for: Iterable[str | IPv4Network] = (),
        log: int = 256,
    ) -> None:
        self.name = name
        given = [addresses] if isinstance(addresses, str | IPv4Interface) else list(addresses)
        if not given:
            raise ValueError(f"host {name} has no address")
        if not 68 <= mtu <= 65535:
            raise ValueError(f"host {name}: an MTU of {mtu} is not within 68 to 65535")
        self.mtu = mtu
        try:
            self.addresses = [IPv4Interface(a) for a in given]
            self._arp_for = [IPv4Network(p) for p in arp_for]
        except ValueError as error:
            raise ValueError(f"host {name}: {error}") from None
        first = self.addresses[0].ip.packed
        self.mac = _mac(name, b"\x02\xaa" + first if mac is None else mac)
        self.seed = crc32(name.encode() + first)
        self.answers_all = answers_all
        self._own = {a.ip.packed: a for a in self.addresses}
        self._broadcasts = {EVERYBODY} | {
            a.network.broadcast_address.packed for a in self.addresses if a.network.prefixlen < 31
        }
        self.link: HostLink | None = None
        self.received: deque[Received] = deque(maxlen=log)
        """The frames received last, the newest at the end."""
        self.frames_in = self.frames_out = 0
        self.handled: Counter[str] = Counter()
        """Frames received by what they were; with `dropped` they add up to `frames_in`."""
        self.dropped: Counter[str] = Counter()
        """Frames received that led to nothing, by the reason. Some of them were answered by an error or a reset."""
        self.not_sent: Counter[str] = Counter()
        """Packets that could not be sent, by the reason."""
        self.replays: dict[Replay, None] = {}
        """Replays under way."""
        self._port = _FIRST_PORT + self.seed % 20011
        self.arp = Arp(self)
        self.routes = HostRoutes()
        self.ip4 = Ip4(self)
        self.icmp, self.udp, self.tcp, self.sctp = Icmp(self), Udp(self), Tcp(self), Sctp(self)
        for a in self.addresses:
            if a.network.prefixlen < 32:
                self.routes.add(a.network, None)
        if gateway is not None:
            self.add_route("0.0.0.0/0", gateway)
        for prefix, hop in (routes or {}).items():
            self.add_route(prefix, hop)
        for address, neighbour in (arp or {}).items():
            self.add_neighbour(address, neighbour)

    def add_route(self, prefix: str | IPv4Network, next_hop: Address | None) -> None:
        """Reach a prefix by a next hop on the link, or directly (None).

        Raises:
            ValueError: a bad prefix or address.
        """
        try:
            self.routes.add(IPv4Network(prefix), None if next_hop is None else IPv4Address(next_hop).packed)
        except ValueError as error:
            raise ValueError(f"host {self.name}: route {prefix}: {error}") from None

    def add_neighbour(self, address: Address, mac: bytes) -> None:
        """Know a neighbour's MAC address without asking."""
        self.arp.static[self._packed(address)] = _mac(self.name, mac)

    @property
    def now(self) -> int:
        """Virtual time, ns."""
        return self._agenda.now

    def at(self, when: int, callback: Callable[[int], None]) -> Timer:
        """Run ``callback(now)`` at ``when`` ns, unless the cable is pulled before."""
        link = self.link

        def run(now: int) -> None:
            if self.link is link:
                callback(now)

        return self._agenda.at(when, run)

    def unplugged(self) -> None:
        """The cable is about to be pulled: end all that is under way, forget neighbours."""
        for replay in list(self.replays):
            replay.stop()
        self.icmp.pings.abort()
        self.udp.abort()
        self.tcp.abort()
        self.sctp.abort()
        self.arp.forget()

    @property
    def _agenda(self) -> Agenda:
        if self.link is None or self.link.agenda is None:
            raise RuntimeError(f"host {self.name} is in no network")
        return self.link.agenda

    def transmit(self, frame: bytes) -> None:
        """Put a frame on the cable."""
        if self.link is None:
            raise RuntimeError(f"host {self.name} has no cable")
        self.link.send(self, frame)
        self.frames_out += 1

    def receive(self, frame: bytes) -> None:
        """A frame has come."""
        self.frames_in += 1
        self.received.append(Received(self.now, frame))
        self._count(self._frame, frame)

    def loop_back(self, packet: bytes) -> None:
        """Receive an own packet to an own address, a little later."""

        def arrive(now: int) -> None:
            self.frames_in += 1
            self._count(lambda data: self.ip4.receive(data, looped=True), packet)

        self.at(self.now + _LOOP, arrive)

    def owns(self, address: bytes) -> bool:
        """Is this one of its addresses?"""
        return address in self._own

    def is_broadcast(self, address: bytes) -> bool:
        """Does this address mean everybody on the link?"""
        return address in self._broadcasts

    def answers_arp_for(self, address: bytes) -> bool:
        """Is an ARP request for an address that is not its own answered nevertheless?"""
        return any(IPv4Address(address) in p for p in self._arp_for)

    def source_for(self, destination: bytes) -> bytes:
        """The own address to send from: the one in the next hop's network, else the first."""
        hop = self.routes.next_hop(destination) if len(self._own) > 1 else None
        if hop is not None:
            address = IPv4Address(hop)
            for packed, a in self._own.items():
                if address in a.network:
                    return packed
        return self.addresses[0].ip.packed

    def first_hop(self, destination: Address) -> FirstHop | None:
        """How a packet would leave now; None: there is no route, or a neighbour has to be asked for first."""
        packed = self._packed(destination)
        hop = self.routes.next_hop(packed)
        mac = None if hop is None else self.arp.known(hop)
        return None if mac is None else FirstHop(IPv4Address(self.source_for(packed)), self.mac, mac)

    def free_port(self) -> int:
        """The next port that no request of this host uses.

        Raises:
            OverflowError: all are in use.
        """
        for _ in range(_LAST_PORT - _FIRST_PORT + 1):
            self._port = self._port + 1 if self._port < _LAST_PORT else _FIRST_PORT
            if not (self.udp.uses(self._port) or self.tcp.uses(self._port) or self.sctp.uses(self._port)):
                return self._port
        raise OverflowError(f"host {self.name}: all ports are in use")

    def _count(self, receive: Callable[[bytes], str], data: bytes) -> None:
        try:
            self.handled[receive(data)] += 1
        except Dropped as verdict:
            self.dropped[verdict.reason] += 1

    def _frame(self, frame: bytes) -> str:
        if len(frame) < 14:
            raise Dropped("truncated Ethernet header")
        broadcast = bool(frame[0] & 1)
        if not broadcast and frame[:6] != self.mac:
            raise Dropped("for another MAC address")
        kind = frame[12:14]
        if kind == b"\x08\x00":
            return self.ip4.receive(frame[14:], broadcast)
        if kind == b"\x08\x06":
            return self.arp.receive(frame)
        raise Dropped("unknown ethertype")

    def _packed(self, address: Address) -> bytes:
        try:
            return IPv4Address(address).packed
        except ValueError as error:
            raise ValueError(f"host {self.name}: {error}") from None


def _mac(name: str, mac: bytes) -> bytes:
    if len(mac) != 6 or mac[0] & 1:
        raise ValueError(f"host {name}: {mac.hex(':')!r} is no MAC address of a host")
    return mac
