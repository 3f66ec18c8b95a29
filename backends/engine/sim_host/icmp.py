"""A host's ICMP (RFC 792): answers echo requests, tells probes of errors, sends errors, and pings."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from vectorplane.backends.engine.sim_host.checksums import correct
from vectorplane.backends.engine.sim_host.dropped import Dropped
from vectorplane.backends.engine.sim_host.icmp_message import message
from vectorplane.backends.engine.sim_host.ip4 import ICMP, SCTP, TCP, UDP, Packet
from vectorplane.backends.engine.sim_host.pings import Pings
from vectorplane.backends.engine.sim_host.probe import IcmpError

if TYPE_CHECKING:
    from vectorplane.backends.engine.sim_host.host_stack import HostStack

_ERRORS = (3, 11, 12)
_QUOTED = 576 - 28
"""An error quotes as much of the packet as fits 576 bytes (RFC 1812, 4.3.2.3)."""


class Icmp:
    """The ICMP layer of one host."""

    def __init__(self, host: HostStack) -> None:
        self._host = host
        self.pings = Pings(host)

    def receive(self, packet: Packet) -> str:
        """A message; gives what it was.

        Raises:
            Dropped: see the reason.
        """
        data = packet.payload
        if len(data) < 8:
            raise Dropped("truncated ICMP")
        if not correct(data):
            raise Dropped("bad ICMP checksum")
        kind, code = data[0], data[1]
        if kind == 8 and code == 0:
            if packet.broadcast:
                raise Dropped("echo request by broadcast")
            reply = message(0, 0, data[4:8], data[8:])
            self._host.ip4.send(packet.source, ICMP, reply, source=packet.destination)
            return "echo request"
        if kind == 0 and code == 0:
            ident, sequence = int.from_bytes(data[4:6], "big"), int.from_bytes(data[6:8], "big")
            self._host.icmp.pings.replied(packet.source, ident, sequence, data[8:])
            return "echo reply"
        if kind in _ERRORS:
            mtu = int.from_bytes(data[6:8], "big") if (kind, code) == (3, 4) else 0
            self._error(data[8:], IcmpError(kind, code, IPv4Address(packet.source), mtu))
            return "ICMP error"
        raise Dropped("unknown ICMP type")

    def send_error(self, about: Packet, kind: int, code: int) -> None:
        """Send an error about a packet; not about one that came by broadcast (RFC 1122, 3.2.2)."""
        if not about.broadcast:
            quoted = (about.header + about.payload)[:_QUOTED]
            error = message(kind, code, bytes(4), quoted)
            self._host.ip4.send(about.source, ICMP, error, source=about.destination)

    def own_error(self, packet: bytes, kind: int, code: int, mtu: int = 0) -> None:
        """The host itself could not send a packet: tell whom it concerns, as soon as the present event is over."""
        error = IcmpError(kind, code, IPv4Address(packet[12:16]), mtu)

        def tell(now: int) -> None:
            with suppress(Dropped):  # it was about an answer, or a packet of a replay: nobody waits for it
                self._error(packet, error)

        self._host.at(self._host.now, tell)

    def _error(self, quoted: bytes, error: IcmpError) -> None:
        host = self._host
        ihl = (quoted[0] & 15) * 4 if quoted else 0
        if len(quoted) < 20 or quoted[0] >> 4 != 4 or ihl < 20 or len(quoted) < ihl + 8:
            raise Dropped("malformed ICMP error")
        source, destination, protocol, start = quoted[12:16], quoted[16:20], quoted[9], quoted[ihl : ihl + 8]
        if not host.owns(source) and not host.answers_all:
            raise Dropped("ICMP error about others' packet")
        if int.from_bytes(quoted[6:8], "big") & 0x1FFF:
            return  # about a later piece of a datagram: whose is not told
        if error.mtu and (error.type, error.code) == (3, 4) and error.source != IPv4Address(source):
            host.ip4.learn_mtu(destination, error.mtu)
        local, remote = int.from_bytes(start[0:2], "big"), int.from_bytes(start[2:4], "big")
        known = False
        if protocol == ICMP and start[0] == 8:
            known = self.pings.failed(int.from_bytes(start[4:6], "big"), destination, error)
        elif protocol == UDP:
            known = host.udp.failed(local, destination, remote, error)
        elif protocol == TCP:
            known = host.tcp.failed(source, local, destination, remote, start[4:8], error)
        elif protocol == SCTP:
            known = host.sctp.failed(local, destination, remote, error)
        if not known:
            raise Dropped("ICMP error about nothing known")
