"""A host's IPv4 (RFC 791, RFC 1122): checks what comes, puts fragments together, routes and cuts what goes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vectorplane.backends.engine.sim_host.checksums import checksum, correct
from vectorplane.backends.engine.sim_host.dropped import Dropped
from vectorplane.backends.engine.sim_host.reassembly import Reassembly

if TYPE_CHECKING:
    from vectorplane.backends.engine.sim_host.host_stack import HostStack

ICMP, TCP, UDP, SCTP = 1, 6, 17, 132
EVERYBODY = b"\xff" * 4
_HEADER = struct.Struct("!BBHHHBBH4s4s")
_DF, _MF = 0x4000, 0x2000


@dataclass(slots=True)
class Packet:
    """A received datagram, whole; the header of one that came in pieces says so no more."""

    header: bytes
    source: bytes
    destination: bytes
    protocol: int
    payload: bytes
    broadcast: bool
    """It came by broadcast or multicast: errors about it are never sent."""


def build(
    source: bytes, destination: bytes, protocol: int, payload: bytes, *, ident: int, ttl: int = 64, df: bool = False
) -> bytes:
    """An IPv4 packet without options.

    Raises:
        ValueError: it would be longer than 65535 bytes.
    """
    if len(payload) > 65535 - 20:
        raise ValueError(f"{len(payload)} bytes do not fit into an IPv4 packet")
    flags = _DF if df else 0
    head = _HEADER.pack(0x45, 0, 20 + len(payload), ident, flags, ttl, protocol, 0, source, destination)
    return head[:10] + checksum(head).to_bytes(2, "big") + head[12:] + payload


def fragments(packet: bytes, mtu: int) -> list[bytes]:
    """Cut a packet into pieces of at most ``mtu`` bytes. Options stand in the first one only."""
    ihl = (packet[0] & 15) * 4
    flags = int.from_bytes(packet[6:8], "big")
    first, end = (flags & 0x1FFF) * 8, int.from_bytes(packet[2:4], "big")
    made, at = [], ihl
    while at < end:
        head = packet[:ihl] if at == ihl else b"\x45" + packet[1:20]
        room = (mtu - len(head)) // 8 * 8
        if room <= 0:
            raise ValueError(f"a packet with a header of {len(head)} bytes does not fit an MTU of {mtu}")
        data = packet[at : min(at + room, end)]
        more = flags & _MF or at + len(data) < end
        field = (first + at - ihl) // 8 | (_MF if more else 0)
        head = head[:2] + struct.pack("!HHH", len(head) + len(data), int.from_bytes(head[4:6], "big"), field) + head[8:]
        head = head[:10] + bytes(2) + head[12:]
        made.append(head[:10] + checksum(head).to_bytes(2, "big") + head[12:] + data)
        at += len(data)
    return made


class Ip4:
    """The IPv4 layer of one host."""

    def __init__(self, host: HostStack) -> None:
        self._host = host
        self._ident = host.seed & 0xFFFF
        self.reassembly = Reassembly()
        self._path_mtus: dict[bytes, int] = {}

    def receive(self, data: bytes, link_broadcast: bool = False, looped: bool = False) -> str:
        """A packet, with whatever the link padded it with; gives what it was. ``looped``: it is the host's own.

        Raises:
            Dropped: see the reason.
        """
        packet = self._checked(data, link_broadcast, looped)
        field = int.from_bytes(packet.header[6:8], "big")
        if field & (_MF | 0x1FFF):
            key = (packet.source, packet.destination, packet.protocol, int.from_bytes(packet.header[4:6], "big"))
            offset = (field & 0x1FFF) * 8
            whole = self.reassembly.add(self._host.now, key, offset, bool(field & _MF), packet.payload)
            if whole is None:
                return "fragment"
            head = packet.header
            head = (
                head[:2]
                + (len(head) + len(whole)).to_bytes(2, "big")
                + head[4:6]
                + bytes(2)
                + head[8:10]
                + bytes(2)
                + head[12:]
            )
            packet.header = head[:10] + checksum(head).to_bytes(2, "big") + head[12:]
            packet.payload = whole
        host = self._host
        if packet.protocol == ICMP:
            return host.icmp.receive(packet)
        if packet.protocol == UDP:
            return host.udp.receive(packet)
        if packet.protocol == TCP:
            return host.tcp.receive(packet)
        if packet.protocol == SCTP:
            return host.sctp.receive(packet)
        host.icmp.send_error(packet, 3, 2)
        raise Dropped("unknown IP protocol")

    def _checked(self, data: bytes, link_broadcast: bool, looped: bool) -> Packet:
        if len(data) < 20:
            raise Dropped("truncated IP header")
        if data[0] >> 4 != 4:
            raise Dropped("not IP version 4")
        ihl, total = (data[0] & 15) * 4, int.from_bytes(data[2:4], "big")
        if ihl < 20 or total < ihl or total > len(data):
            raise Dropped("bad IP length")
        header = data[:ihl]
        if not correct(header):
            raise Dropped("bad IP checksum")
        if data[8] == 0:
            raise Dropped("time to live is 0")
        source, destination = data[12:16], data[16:20]
        host = self._host
        if source[0] >= 224 or source[0] in (0, 127) or (host.owns(source) and not looped):
            raise Dropped("bad IP source")
        if not host.owns(destination):
            if host.is_broadcast(destination):
                link_broadcast = True
            elif not host.answers_all or link_broadcast or destination[0] >= 224:
                raise Dropped("for another IP address")
        return Packet(header, source, destination, data[9], data[ihl:total], link_broadcast)

    def send(
        self,
        destination: bytes,
        protocol: int,
        payload: bytes,
        *,
        source: bytes | None = None,
        ttl: int = 64,
        df: bool = False,
    ) -> None:
        """Send a payload; errors that the host finds itself are told as if they came by ICMP."""
        if source is None:
            source = self._host.source_for(destination)
        self._ident = (self._ident + 1) & 0xFFFF
        self.route(build(source, destination, protocol, payload, ident=self._ident, ttl=ttl, df=df))

    def route(self, packet: bytes) -> None:
        """Send a complete packet on to its next hop, in pieces when it is larger than the MTU."""
        host, destination = self._host, packet[16:20]
        if host.owns(destination):
            host.loop_back(packet)
            return
        mtu = self.mtu_to(destination)
        pieces = [packet]
        if int.from_bytes(packet[2:4], "big") > mtu:
            if packet[6] & 0x40:
                host.not_sent["larger than the MTU"] += 1
                host.icmp.own_error(packet, 3, 4, mtu)
                return
            pieces = fragments(packet, mtu)
        if destination == EVERYBODY or host.is_broadcast(destination):
            mac: bytes | None = b"\xff" * 6
        elif destination[0] >= 224:
            mac = b"\x01\x00\x5e" + bytes((destination[1] & 0x7F,)) + destination[2:]
        else:
            mac = None
        if mac is not None:
            for piece in pieces:
                host.transmit(mac + host.mac + b"\x08\x00" + piece)
            return
        next_hop = host.routes.next_hop(destination)
        if next_hop is None:
            host.not_sent["no route"] += 1
            host.icmp.own_error(packet, 3, 0)
            return
        for piece in pieces:
            host.arp.send(next_hop, piece)

    def mtu_to(self, destination: bytes) -> int:
        """The largest packet for this destination: the host's MTU, or what a router told (RFC 1191)."""
        return min(self._host.mtu, self._path_mtus.get(destination, 65535))

    def learn_mtu(self, destination: bytes, mtu: int) -> None:
        """A router told that only packets of ``mtu`` bytes pass."""
        if len(self._path_mtus) >= 1024:
            self._path_mtus.clear()
        self._path_mtus[destination] = max(mtu, 576 if mtu < 68 else mtu)
