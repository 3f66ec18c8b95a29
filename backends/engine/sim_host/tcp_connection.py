"""One end of a TCP connection (RFC 9293): in order, sends again a bounded number of times, no congestion control.

A connection is one exchange: the client sends its request, the server answers and closes, the client closes, too.
From what is lost on all is sent again when the timer ends, which doubles from a second (RFC 6298); after `RETRIES`
times in a row without an acknowledgement the connection is given up.
"""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from vectorplane.backends.engine.sim_host.dropped import Dropped
from vectorplane.backends.engine.sim_host.probe import IcmpError, Probe, ProbeState
from vectorplane.backends.engine.sim_host.tcp_segment import ACK, DEFAULT_MSS, FIN, PSH, RST, SYN, WORDS, Segment

if TYPE_CHECKING:
    from vectorplane.backends.engine.sim_host.services import Answer
    from vectorplane.backends.engine.sim_host.tcp import Key, Tcp
    from vectorplane.backends.engine.timers import Timer

RETRIES = 5
FIRST_TIMEOUT = 1_000_000_000
TIME_WAIT = 2_000_000_000
"""ns for which the end that closed first still answers; short, as nothing lives long in these networks."""
SERVER_LIFETIME = 60_000_000_000
"""ns after which a server gives up a connection that has not come to its end."""
WINDOW = 65535
MOST_DATA = 1 << 24
"""Bytes that one end takes; a connection that brings more is reset."""


class TcpConnection:
    """One end. Positions are counted from the initial sequence number: 0 is the SYN, data begin at 1."""

    def __init__(self, tcp: Tcp, key: Key, isn: int, *, probe: Probe | None, answer: Answer | None) -> None:
        self._tcp = tcp
        self.key = key
        self._local, self._local_port, self._remote, self._remote_port = key
        self._isn = isn
        self.probe, self._answer = probe, answer
        self._out = b""
        self._closing = False  # a FIN follows behind the data
        self._acked = self._next = self._high = 0
        self._peer_next: int | None = None
        self._peer_isn = 0
        self._peer_closed = False
        self._closed_first = False
        self._window = WINDOW
        self._mss = DEFAULT_MSS
        self.established = False
        self._in = bytearray()
        self._timer: Timer | None = None
        self._deadline: Timer | None = None
        self._failures = 0
        self.waits = False
        """In TIME-WAIT."""

    def open(self, request: bytes, timeout: int) -> None:
        """Send a SYN; the request follows when the peer has answered."""
        self._out, self._closing = request, not request
        self._deadline = self._tcp.host.at(self._tcp.host.now + timeout, lambda now: self.abandon())
        self._send(0, SYN)
        self._sent_up_to(1)

    def accept(self, syn: Segment) -> None:
        """Answer a SYN."""
        self._deadline = self._tcp.host.at(self._tcp.host.now + SERVER_LIFETIME, lambda now: self.abandon())
        self._take_syn(syn)
        self._send(0, SYN | ACK)
        self._sent_up_to(1)

    def receive(self, s: Segment) -> str:
        """A segment of this connection; gives what it was.

        Raises:
            Dropped: see the reason.
        """
        if self.probe is not None:
            self.probe.received += 1
        if self._peer_next is None:
            return self._answered_syn(s)
        offset = (s.seq - self._peer_next + WORDS // 2) % WORDS - WORDS // 2
        if s.flags & RST:
            if not 0 <= offset < WINDOW:
                raise Dropped("TCP reset outside the window")
            self._end(ProbeState.ANSWERED if self._peer_closed else ProbeState.REFUSED)
            return "TCP reset"
        if s.flags & SYN:
            self._send(0, SYN | ACK) if not self.established and s.seq == self._peer_isn else self._acknowledge()
            return "TCP SYN again"
        if not s.flags & ACK:
            raise Dropped("TCP without acknowledgement")
        acked = (s.ack - self._isn) % WORDS
        if acked > self._high:
            self._acknowledge() if self.established else self._tcp.reset(self.key, s)
            raise Dropped("TCP acknowledges what was not sent")
        self._window = s.window
        if acked >= 1:
            self.established = True
        if acked > self._acked:
            self._progress(acked)
        sent = self._next
        news = self._take(s, offset) if s.length else False
        self._push()
        if s.length and self._next == sent:  # else what was sent acknowledges, too
            self._acknowledge()
        self._finish_if_over()
        if s.length and not news:
            raise Dropped("TCP out of order" if offset > 0 else "TCP again")
        return "TCP"

    def send_more(self, data: bytes) -> None:
        """Send data behind what was sent before.

        Raises:
            ValueError: its end has been sent.
        """
        if self._closing:
            raise ValueError(f"host {self._tcp.host.name}: the connection from port {self._local_port} is closed")
        self._out += data
        self._push()

    def failed(self, seq: int, error: IcmpError) -> None:
        """An ICMP error came about a segment that began with ``seq`` (RFC 1122, 4.2.3.9; RFC 5927 for the check)."""
        if (seq - self._isn) % WORDS > self._high:
            return
        if self.probe is not None:
            self.probe.error = error
        if (error.type, error.code) == (3, 4):
            mss = self._tcp.host.ip4.mtu_to(self._remote) - 40
            if 0 < mss < self._mss:
                self._mss = mss
                self._next = self._acked
                self._push()
        elif not self.established and error.type == 3:
            self._end(ProbeState.REFUSED if error.refusal else ProbeState.UNREACHABLE)

    def abandon(self) -> None:
        """Its time is up: tell the peer, forget it."""
        if self._peer_next is not None:
            self._send(self._next, RST | ACK)
        self._end(ProbeState.ANSWERED if self._peer_closed else ProbeState.TIMED_OUT)

    def drop(self) -> None:
        """Forget it, without a word."""
        self._stop_timers()
        self._tcp.remove(self)

    def _answered_syn(self, s: Segment) -> str:
        if s.flags & ACK and (s.ack - self._isn) % WORDS != 1:
            if not s.flags & RST:
                self._tcp.reset(self.key, s)
            raise Dropped("TCP acknowledges what was not sent")
        if s.flags & RST:
            if not s.flags & ACK:
                raise Dropped("TCP reset outside the window")
            self._end(ProbeState.REFUSED)
            return "TCP reset"
        if s.flags & (SYN | ACK) != SYN | ACK:
            raise Dropped("TCP without SYN and acknowledgement")
        self._take_syn(s)
        self.established = True
        probe = self.probe
        if probe is not None:
            probe.source, probe.source_port = IPv4Address(self._remote), self._remote_port
            probe.round_trip = self._tcp.host.now - probe.started
        self._window = s.window
        self._progress(1)
        self._acknowledge()
        self._push()
        return "TCP"

    def _take_syn(self, s: Segment) -> None:
        self._peer_isn, self._peer_next = s.seq, (s.seq + 1) % WORDS
        largest = self._tcp.host.ip4.mtu_to(self._remote) - 40
        self._mss = max(1, min(s.mss or DEFAULT_MSS, largest))
        self._window = s.window

    def _take(self, s: Segment, offset: int) -> bool:
        """Take what is new of a segment's data and FIN; False when there is nothing, or when something is missing."""
        if offset > 0 or s.length <= -offset or self._peer_closed:
            return False
        data = s.data[-offset:] if offset else s.data
        self._in += data
        if len(self._in) > MOST_DATA:
            self._send(self._next, RST | ACK)
            self._end(ProbeState.REFUSED)
            raise Dropped("TCP data without end")
        assert self._peer_next is not None
        fin = bool(s.flags & FIN)
        self._peer_next = (self._peer_next + len(data) + fin) % WORDS
        self._peer_closed = fin
        if self._answer is not None and not self._closing and (fin or s.flags & PSH):
            answer = self._answer(bytes(self._in), (IPv4Address(self._remote), self._remote_port))
            if answer is not None:
                self._out, self._closing = answer, True
        if fin:
            self._closing = True
            if self.probe is not None:
                self.probe.answer = bytes(self._in)
        return True

    def _progress(self, acked: int) -> None:
        self._acked = acked
        self._next = max(self._next, acked)
        self._failures = 0
        self._arm()

    def _push(self) -> None:
        if not self.established or self.waits:
            return
        end = 1 + len(self._out)
        # a window of zero is probed with a byte, which the timer repeats
        limit = self._acked + max(min(self._window, WINDOW), 1)
        while self._next < end and self._next < limit:
            data = self._out[self._next - 1 : min(self._next - 1 + self._mss, limit - 1)]
            last = self._next + len(data) == end
            self._send(self._next, ACK | PSH if last else ACK, data)
            self._sent_up_to(self._next + len(data))
        if self._closing and self._next == end:
            if self._high <= end:
                self._closed_first = not self._peer_closed
            self._send(end, FIN | ACK)
            self._sent_up_to(end + 1)

    def _sent_up_to(self, position: int) -> None:
        self._next = position
        self._high = max(self._high, position)
        if self._timer is None:
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._acked < self._next:
            host = self._tcp.host
            self._timer = host.at(host.now + (FIRST_TIMEOUT << self._failures), lambda now: self._again())

    def _again(self) -> None:
        self._timer = None
        self._failures += 1
        if self._failures > RETRIES:
            self.abandon()
            return
        self._next = self._acked
        if self._acked == 0:
            self._send(0, SYN if self._peer_next is None else SYN | ACK)
            self._sent_up_to(1)
        else:
            self._push()
        self._arm()

    def _finish_if_over(self) -> None:
        if self.waits or not (self._peer_closed and self._closing and self._acked == 2 + len(self._out)):
            return
        self._stop_timers()
        if self.probe is not None:
            self.probe.finish(ProbeState.ANSWERED, self._tcp.host.now)
        if self._closed_first:
            self.waits = True
            self._timer = self._tcp.host.at(self._tcp.host.now + TIME_WAIT, lambda now: self._tcp.remove(self))
        else:
            self._tcp.remove(self)

    def _end(self, state: ProbeState) -> None:
        self.drop()
        if self.probe is not None:
            self.probe.answer = bytes(self._in)
            self.probe.finish(state, self._tcp.host.now)

    def _stop_timers(self) -> None:
        for timer in (self._timer, self._deadline):
            if timer is not None:
                timer.cancel()
        self._timer = self._deadline = None

    def _acknowledge(self) -> None:
        self._send(self._next, ACK)

    def _send(self, position: int, flags: int, data: bytes = b"") -> None:
        mss = self._tcp.host.mtu - 40 if flags & SYN else None
        ack = 0 if self._peer_next is None else self._peer_next
        if self.probe is not None:
            self.probe.sent += 1
        seq = (self._isn + position) % WORDS
        self._tcp.send(self.key, Segment(self._local_port, self._remote_port, seq, ack, flags, WINDOW, data, mss))
