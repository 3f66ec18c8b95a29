"""What a host's request came to: `SimHost.ping` and its like make a `Probe`, which virtual time fills."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Address


class ProbeState(Enum):
    """Where a probe stands; all but the first are final."""

    WAITING = "waiting"
    ANSWERED = "answered"
    REFUSED = "refused"
    """The destination is there, nobody listens: TCP reset, ICMP port unreachable, SCTP ABORT."""
    UNREACHABLE = "unreachable"
    """An ICMP error came from the network, or the host found no route, or no neighbour that answers ARP."""
    TIMED_OUT = "timed out"


@dataclass(frozen=True)
class IcmpError:
    """An ICMP error that a probe's packet met (RFC 792), or that the host's own stack would report as this one."""

    type: int
    code: int
    source: IPv4Address
    """Who sent it; the host's own address when it found out itself."""
    mtu: int = 0
    """Of "fragmentation needed": the size that would pass; 0: not told."""

    @property
    def text(self) -> str:
        """The error in words."""
        return _TEXTS.get((self.type, self.code), _TEXTS.get((self.type, -1), f"ICMP {self.type}/{self.code}"))

    @property
    def refusal(self) -> bool:
        """Did the destination itself say that nobody listens?"""
        return self.type == 3 and self.code in (2, 3)


_TEXTS = {
    (3, 0): "network unreachable",
    (3, 1): "host unreachable",
    (3, 2): "protocol unreachable",
    (3, 3): "port unreachable",
    (3, 4): "fragmentation needed",
    (3, 9): "network administratively prohibited",
    (3, 10): "host administratively prohibited",
    (3, 13): "communication administratively prohibited",
    (3, -1): "destination unreachable",
    (11, 0): "time to live exceeded",
    (11, 1): "reassembly time exceeded",
    (12, -1): "parameter problem",
}


@dataclass(eq=False)
class Probe:
    """A request of a host and what became of it. Times are virtual, in ns."""

    kind: str
    """``ping``, ``udp``, ``tcp`` or ``sctp``."""
    destination: IPv4Address
    port: int
    """Destination port; 0 of a ping."""
    local_port: int
    """Source port; of a ping the identifier."""
    started: int
    state: ProbeState = ProbeState.WAITING
    answer: bytes = b""
    """What came back: the data of an echo reply or a datagram, all that a TCP peer sent, an SCTP chunk."""
    source: IPv4Address | None = None
    """Who answered: the source address that the host saw."""
    source_port: int = 0
    round_trip: int | None = None
    """From the request that was answered to its answer; of TCP from the first SYN to the SYN-ACK."""
    error: IcmpError | None = None
    """The last ICMP error about it. May be set of an answered probe, too."""
    sent: int = 0
    """Requests sent, repetitions included; of TCP segments."""
    received: int = 0
    """Answers received; of TCP segments."""
    finished: int | None = None
    """When it came to its final state."""
    on_done: Callable[[Probe], None] | None = field(default=None, repr=False)
    """Called when it has come to its final state."""

    @property
    def done(self) -> bool:
        """Has it come to its final state?"""
        return self.state is not ProbeState.WAITING

    @property
    def answered(self) -> bool:
        """Was it answered?"""
        return self.state is ProbeState.ANSWERED

    def finish(self, state: ProbeState, now: int) -> None:
        """Come to a final state; the first one counts."""
        if not self.done:
            self.state, self.finished = state, now
            if self.on_done is not None:
                self.on_done(self)

    def __str__(self) -> str:
        to = f"{self.kind} {self.destination}" + (f":{self.port}" if self.port else "")
        error = f" ({self.error.text} from {self.error.source})" if self.error and not self.answered else ""
        by = f" by {self.source} after {self.round_trip} ns" if self.answered else ""
        return f"{to}: {self.state.value}{by}{error}"
