"""A host's ARP (RFC 826): answers, and finds neighbours' MAC addresses with a bounded number of requests."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vectorplane.backends.engine.sim_host.dropped import Dropped

if TYPE_CHECKING:
    from vectorplane.backends.engine.sim_host.host_stack import HostStack
    from vectorplane.backends.engine.timers import Timer

BROADCAST = b"\xff" * 6
REQUESTS = 3
INTERVAL = 250_000_000
"""ns between two requests, and until the last is given up: less than probes wait, so that they learn the reason."""
LIFETIME = 300_000_000_000
"""ns for which what was learnt is believed."""
QUEUED = 64
"""Packets that wait for a neighbour; one more pushes the oldest out."""
LEARNT = 4096
_ETHERNET_IP4 = b"\x00\x01\x08\x00\x06\x04"
_REQUEST, _REPLY = b"\x00\x01", b"\x00\x02"


@dataclass
class _Search:
    timer: Timer | None = None
    requests: int = 0
    packets: deque[bytes] = field(default_factory=deque)


class Arp:
    """The neighbours of one host. Addresses are 4 bytes."""

    def __init__(self, host: HostStack) -> None:
        self._host = host
        self.static: dict[bytes, bytes] = {}
        self._learnt: dict[bytes, tuple[bytes, int]] = {}
        self._searches: dict[bytes, _Search] = {}

    def known(self, address: bytes) -> bytes | None:
        """The neighbour's MAC address."""
        mac = self.static.get(address)
        if mac is None and address in self._learnt:
            mac, until = self._learnt[address]
            if self._host.now > until:
                del self._learnt[address]
                return None
        return mac

    def send(self, address: bytes, packet: bytes) -> None:
        """Send an IP packet to this neighbour, when its MAC address is known; if it never is, an error is told."""
        mac = self.known(address)
        if mac is not None:
            self._host.transmit(mac + self._host.mac + b"\x08\x00" + packet)
            return
        search = self._searches.get(address)
        if search is None:
            search = self._searches[address] = _Search()
            self._ask(address, search)
        search.packets.append(packet)
        if len(search.packets) > QUEUED:
            self._host.not_sent["neighbour not known: queue full"] += 1
            search.packets.popleft()

    def forget(self) -> None:
        """Forget all that was learnt, and ask for nobody any more."""
        self._learnt.clear()
        for search in self._searches.values():
            self._host.not_sent["neighbour not known"] += len(search.packets)
            if search.timer is not None:
                search.timer.cancel()
        self._searches.clear()

    def receive(self, frame: bytes) -> str:
        """An ARP frame; gives what it was.

        Raises:
            Dropped: it is malformed, or for others.
        """
        if len(frame) < 42 or frame[14:20] != _ETHERNET_IP4:
            raise Dropped("malformed ARP")
        operation, mac, sender, target = frame[20:22], frame[22:28], frame[28:32], frame[38:42]
        host = self._host
        if mac[0] & 1 or operation not in (_REQUEST, _REPLY):
            raise Dropped("malformed ARP")
        mine = host.owns(target)
        if sender != bytes(4) and not host.owns(sender) and (mine or sender in self._learnt):
            self._learn(sender, mac)
        if operation == _REPLY:
            return "ARP reply"
        if not mine and not host.answers_arp_for(target):
            raise Dropped("ARP request for others")
        host.transmit(mac + host.mac + b"\x08\x06" + _ETHERNET_IP4 + _REPLY + host.mac + target + mac + sender)
        return "ARP request"

    def announce(self, address: bytes) -> None:
        """Send a gratuitous ARP request for an own address."""
        self._request(address, address)

    def _request(self, sender: bytes, target: bytes) -> None:
        mac = self._host.mac
        self._host.transmit(BROADCAST + mac + b"\x08\x06" + _ETHERNET_IP4 + _REQUEST + mac + sender + bytes(6) + target)

    def _ask(self, address: bytes, search: _Search) -> None:
        search.requests += 1
        self._request(self._host.source_for(address), address)
        search.timer = self._host.at(self._host.now + INTERVAL, lambda now: self._again(address, search))

    def _again(self, address: bytes, search: _Search) -> None:
        if search.requests < REQUESTS:
            self._ask(address, search)
            return
        del self._searches[address]
        for packet in search.packets:
            self._host.not_sent["neighbour not known"] += 1
            self._host.icmp.own_error(packet, 3, 1)

    def _learn(self, address: bytes, mac: bytes) -> None:
        if address in self.static:
            return
        if len(self._learnt) >= LEARNT and address not in self._learnt:
            del self._learnt[next(iter(self._learnt))]
        self._learnt[address] = (mac, self._host.now + LIFETIME)
        search = self._searches.pop(address, None)
        if search is not None:
            if search.timer is not None:
                search.timer.cancel()
            for packet in search.packets:
                self.send(address, packet)
