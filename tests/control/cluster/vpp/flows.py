"""Conversations of a node's pods, its host, other nodes and the outside, and what is to become of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.control.cluster.vpp.manifests import EXTERNAL, LOCAL_NODE_PORT, NODE_PORT, ONE_NODE_PORT
from tests.control.cluster.vpp.packets import Seen

HERE, THERE = "192.168.16.1", "192.168.16.2"
OUTSIDE, HOST = "outside", "host"
BLOCKED, ERROR = "blocked", "told"
"""Nothing comes out; an ICMP error goes back to the sender."""
HIDDEN = "10.1.1.254"
"""The NAT loopback: the source of clients that twice-NAT hides."""
OPEN = ("web/open-1", "web/open-2")
SERVERS = ("web/server-1", "web/server-2", "web/server-3")


@dataclass(frozen=True)
class Flow:
    """``to``: NAMESPACE/POD, ``svc/NAME`` or an address. ``arrives``: where, one of these; `BLOCKED` or `ERROR`.

    ``at``: the port where it arrives, if another one. ``seen_as``: the source that the receiver sees, if another one;
    its port is one that NAT chose. ``address``: of a sender outside.
    """

    source: str
    to: str
    port: int
    arrives: str | tuple[str, ...]
    kind: str = "tcp"
    at: int = 0
    seen_as: str = ""
    ttl: int = 64
    address: str = ""

    @property
    def places(self) -> tuple[str, ...]:
        """Where it may arrive."""
        return (self.arrives,) if isinstance(self.arrives, str) else self.arrives

    def __str__(self) -> str:
        return f"{self.source} -> {self.to}:{self.port} {self.kind}"


@dataclass
class Outcome:
    """What became of a flow: where it came out, and then its answer. ``place``: as `Flow.arrives` says it."""

    flow: Flow
    place: str = BLOCKED
    there: Seen | None = None
    back: Seen | None = None
    more: list[Seen] = field(default_factory=list)

    def unlike(self, other: Outcome) -> str:
        """How the same flow went otherwise on the other dataplane; empty: it did not.

        Where several places are right each dataplane chooses one; what is compared then is what went the same way.
        """
        if self.more or other.more:
            return f"more than one packet came out: {self.more} {other.more}"
        if self.place != other.place and len(self.flow.places) > 1:
            return ""
        if self._read() != other._read():
            return f"\n  {self._text(self.there)}\n  {self._text(other.there)}"
        answers = [None if o.back is None else o.back.reads() for o in (self, other)]
        if answers[0] != answers[1]:
            return f"answered by\n  {self._text(self.back)}\n  {self._text(other.back)}"
        return ""

    def _read(self) -> bytes | None:
        return None if self.there is None else self.there.reads(dynamic=bool(self.flow.seen_as))

    @staticmethod
    def _text(seen: Seen | None) -> str:
        return "nothing" if seen is None else f"{seen.link}: {seen.frame!r}"


def hidden(flow: Flow) -> Flow:
    """The same, from the NAT loopback."""
    return replace(flow, seen_as=HIDDEN)


OF_NO_NODE = Flow("web/client", "10.1.9.2", 80, BLOCKED)
"""To a pod's address, but no node is there. Without an overlay that is for the gateway to know."""
TO_NOBODY = Flow(OUTSIDE, HERE, 9999, BLOCKED, "udp")
"""To the node's own address. NAT drops that on a card that is outside alone."""
PODS = [
    Flow("web/client", "other/visitor", 7000, "other/visitor"),
    Flow("web/client", "other/visitor", 7000, "other/visitor", "udp"),
    Flow("web/client", "other/visitor", 0, "other/visitor", "ping"),
    Flow("web/client", "other/far", 7000, "other/far"),
    Flow("web/client", "other/far", 0, "other/far", "ping"),
    Flow("other/far", "web/client", 7000, "web/client", "udp"),
    Flow("web/client", "10.1.1.200", 80, BLOCKED),
    OF_NO_NODE,
    Flow("web/client", "other/far", 7000, ERROR, ttl=1),
    Flow("web/client", HOST, 22, HOST),
    Flow(HOST, "web/client", 7000, "web/client"),
    Flow(HOST, "other/far", 7000, "other/far"),
]
POLICIES = [
    Flow("web/client", "web/server-1", 80, "web/server-1"),
    Flow("web/client", "web/server-1", 81, BLOCKED),
    Flow("web/client", "web/server-1", 80, BLOCKED, "udp"),
    Flow("web/client", "web/server-1", 5005, "web/server-1", "udp"),
    Flow("web/client", "web/server-1", 5011, BLOCKED, "udp"),
    Flow("web/client", "web/server-1", 0, BLOCKED, "ping"),
    Flow("web/client", "web/server-2", 80, "web/server-2"),
    Flow("web/far-client", "web/server-1", 80, "web/server-1"),
    Flow("other/visitor", "web/server-1", 80, BLOCKED),
    Flow("other/far", "web/server-1", 80, BLOCKED),
    Flow(HOST, "web/server-1", 81, "web/server-1"),
    Flow(OUTSIDE, "web/server-1", 80, "web/server-1", address="198.51.100.20"),
    Flow(OUTSIDE, "web/server-1", 80, BLOCKED, address="198.51.100.200"),
    Flow("web/jailed", "web/server-1", 80, "web/server-1"),
    Flow("web/jailed", "web/server-1", 5005, BLOCKED, "udp"),
    Flow("web/jailed", "other/visitor", 7000, BLOCKED),
    Flow("web/jailed", "other/far", 7000, BLOCKED),
    Flow("web/jailed", "198.51.100.1", 443, OUTSIDE, seen_as=HERE),
    Flow("web/jailed", "198.51.100.200", 443, BLOCKED),
    Flow("web/closed", "other/visitor", 7000, BLOCKED),
    Flow("other/visitor", "web/closed", 7000, BLOCKED),
    Flow(HOST, "web/closed", 7000, "web/closed"),
]
SERVICES = [
    Flow("web/client", "svc/one", 80, "web/one", at=8080),
    Flow("web/client", "svc/one", 53, "web/one", "udp"),
    Flow("web/client", "svc/nobody", 80, ERROR),
    Flow("web/jailed", "svc/one", 80, BLOCKED),
    hidden(Flow("web/one", "svc/one", 80, "web/one", at=8080)),
    Flow("other/visitor", "svc/server", 80, (BLOCKED, *SERVERS[1:])),
    Flow(OUTSIDE, HERE, LOCAL_NODE_PORT, "web/open-1", at=8080),
    hidden(Flow(OUTSIDE, HERE, ONE_NODE_PORT, "web/one", at=8080)),
    hidden(Flow("web/client", HERE, ONE_NODE_PORT, "web/one", at=8080)),
    Flow("web/client", THERE, ONE_NODE_PORT, OUTSIDE, seen_as=HERE),
]
BALANCED = [
    Flow("web/client", "svc/server", 80, SERVERS),
    Flow("web/jailed", "svc/server", 80, SERVERS),
    Flow("other/visitor", "svc/open", 80, OPEN, at=8080),
    hidden(Flow(OUTSIDE, HERE, NODE_PORT, OPEN, at=8080)),
    hidden(Flow(OUTSIDE, EXTERNAL, 80, OPEN, at=8080)),
]
STICKY = Flow("other/visitor", "svc/sticky", 82, OPEN, at=8080)
OUT = [
    Flow("web/client", OUTSIDE, 443, OUTSIDE, seen_as=HERE),
    Flow("web/client", OUTSIDE, 53, OUTSIDE, "udp", seen_as=HERE),
    Flow("web/client", OUTSIDE, 0, OUTSIDE, "ping", seen_as=HERE),
    TO_NOBODY,
    Flow(OUTSIDE, "web/client", 7000, "web/client"),
]
