"""A capture sent by a host: one packet at a time is taken from the records, so that its length does not matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from vectorplane.backends.engine.sim_host.checksums import adjusted, checksum, transport_checksum
from vectorplane.backends.engine.sim_host.ip4 import TCP, UDP

if TYPE_CHECKING:
    from vectorplane.backends.engine.sim_host.host_stack import HostStack
    from vectorplane.backends.engine.timers import Timer


class Replay:
    """A replay under way; made by `SimHost.replay`."""

    def __init__(
        self,
        host: HostStack,
        records: Iterable[tuple[int, bytes]],
        *,
        shift: int | None,
        packets: bool,
        rewrite: bool,
    ) -> None:
        self._host = host
        self._records: Iterator[tuple[int, bytes]] = iter(records)
        self._shift, self._packets, self._rewrite = shift, packets, rewrite
        self._timer: Timer | None = None
        self.sent = 0
        """Frames or packets sent."""
        self.skipped = 0
        """Records that cannot be sent: no IPv4 packet although it should be one, or nothing."""
        self.late = 0
        """Records older than the host's time when their turn came; they were sent at once."""
        self.done = False
        host.replays[self] = None
        self._next()

    def stop(self) -> None:
        """Send no more."""
        self._over()
        if self._timer is not None:
            self._timer.cancel()

    def _next(self) -> None:
        record = next(self._records, None)
        if record is None:
            self._over()
            return
        time, data = record
        if self._shift is None:
            self._shift = self._host.now - time
        when = time + self._shift
        self.late += when < self._host.now
        self._timer = self._host.at(when, lambda now: self._send(data))

    def _over(self) -> None:
        self.done = True
        self._host.replays.pop(self, None)

    def _send(self, data: bytes) -> None:
        host = self._host
        if self._packets or (self._rewrite and data[12:14] == b"\x08\x00"):
            packet = whole_packet(data if self._packets else data[14:])
            if packet is None:
                self.skipped += 1
            else:
                host.ip4.route(from_source(packet, host.source_for(packet[16:20])) if self._rewrite else packet)
                self.sent += 1
        elif self._rewrite or len(data) < 14:  # ARP and the like would speak of addresses that are not the host's
            self.skipped += 1
        else:
            host.transmit(data)
            self.sent += 1
        if not self.done:
            self._next()


def whole_packet(data: bytes) -> bytes | None:
    """The IPv4 packet that ``data`` begins with; None when it does not, or is cut off."""
    if len(data) < 20 or data[0] >> 4 != 4:
        return None
    ihl, total = (data[0] & 15) * 4, int.from_bytes(data[2:4], "big")
    return data[:total] if 20 <= ihl <= total <= len(data) else None


def from_source(packet: bytes, source: bytes) -> bytes:
    """The packet with another source address; the checksums of IPv4, TCP and UDP are made right.

    Those of pieces of a datagram can only be adjusted: they are right if they were.
    """
    ihl = (packet[0] & 15) * 4
    old = packet[12:16]
    head = packet[:10] + bytes(2) + source + packet[16:ihl]
    head = head[:10] + checksum(head).to_bytes(2, "big") + head[12:]
    body, protocol = packet[ihl:], packet[9]
    piece = int.from_bytes(packet[6:8], "big") & 0x3FFF
    at = 16 if protocol == TCP else 6
    smallest = 20 if protocol == TCP else 8
    if protocol not in (TCP, UDP) or piece & 0x1FFF or len(body) < smallest:
        return head + body
    field = int.from_bytes(body[at : at + 2], "big")
    if protocol == UDP and field == 0:
        return head + body
    if piece:
        field = adjusted(field, old, source)
    else:
        field = transport_checksum(source, packet[16:20], protocol, body[:at] + bytes(2) + body[at + 2 :])
    return head + body[:at] + field.to_bytes(2, "big") + body[at + 2 :]
