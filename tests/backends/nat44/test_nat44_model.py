"""Any interleaving of configuration, packets both ways and time: the engine does what the naive NAT does."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.backends.nat44.translated import INSIDE_NET, OUTSIDE_NET, POOL, Translated, answer, error, packet
from tests.budget import examples
from tests.naive.ip4_packet import Ip4
from tests.naive.nat44 import ACK, FIN, ICMP, RST, SYN, TCP, UDP, Backend, Flow, Mapping, flow_of
from vectorplane.jit.kernel import JIT

HOSTS = 3
PORTS = (80, 443, 1024, 1040, 5000)
GRE = 47
FLAGS = (SYN, SYN, SYN | ACK, ACK, ACK | FIN, RST)
OPTIONS = (b"\1", b"\2\4\5\xb4", b"\2\4\2\0", b"\2\5\5\xb4\0", b"\4\2", b"\0", b"\3\3\7", b"\x08\1", b"\2\xff")
"""MSS among others, whole, cut and senseless ones."""
PAUSES = (0, 0, 1, 30, 59, 60, 61, 239, 240, 300, 7440)
PLAIN = (
    Mapping(POOL + 1, 80, TCP, INSIDE_NET + 1, 8080),
    Mapping(POOL + 1, 5000, UDP, INSIDE_NET + 2, 5000),
    Mapping(POOL + 10, 0, 0, INSIDE_NET + 3),
    Mapping(POOL + 1, 443, TCP, INSIDE_NET + 2, 443, out2in_only=True),
    Mapping(INSIDE_NET + 1, 1040, UDP, identity=True),
    Mapping(
        POOL + 1, 1024, TCP, backends=tuple(Backend(INSIDE_NET + k, 9000 + k) for k in (1, 2, 3)), out2in_only=True
    ),
    Mapping(POOL + 2, 1024, UDP, backends=tuple(Backend(INSIDE_NET + k, 53) for k in (1, 2)), keeps=True),
)
TWICE = (
    Mapping(POOL + 1, 1040, TCP, INSIDE_NET + 1, 80, twice="twice-nat"),
    Mapping(POOL + 2, 443, UDP, INSIDE_NET + 2, 443, twice="self-twice-nat"),
)


class NatMachine(RuleBasedStateMachine):
    """See `Translated`. Unswept, with sessions that are over still there, only what they don't show in is done."""

    @initialize(
        output=st.booleans(),
        swept=st.booleans(),
        pool=st.integers(0, 2),
        workers=st.sampled_from([1, 1, 2, 3]) if JIT else st.just(1),
        mss=st.sampled_from([0, 0, 536, 1400]),
    )
    def begin(self, output: bool, swept: bool, pool: int, workers: int, mss: int) -> None:
        self.it = Translated(output, swept, workers=workers)
        self.it.mss(mss)
        self.output, self.swept = output, swept
        self.last: list[tuple[bool, Ip4]] = []
        self.it.address(POOL + 1, True)
        for k in range(pool):
            self.it.address(POOL + 2 + k, True)

    # --- configuration

    @rule(k=st.integers(1, 3))
    def toggle_address(self, k: int) -> None:
        address = POOL + k
        there = address in self.it.naive.pool
        if there and any(m.backends and m.external == address for m in self.it.naive.mappings):
            return
        self.it.address(address, not there)

    @precondition(lambda self: self.swept)
    @rule(k=st.integers(1, 2))
    def toggle_twice_address(self, k: int) -> None:
        address = POOL + 100 + k
        self.it.address(address, address not in self.it.naive.twice_pool, True)

    @rule(data=st.data())
    def toggle_mapping(self, data: st.DataObject) -> None:
        m = data.draw(st.sampled_from((*PLAIN, *TWICE) if self.swept else PLAIN))
        there = next(
            (o for o in self.it.naive.mappings if (o.external, o.port, o.proto) == (m.external, m.port, m.proto)), None
        )
        if there is None and m.backends and not m.out2in_only and m.external not in self.it.naive.pool:
            return
        if self.output and m.identity:
            return
        self.it.mapping(there or m, there is None)

    @rule(data=st.data())
    def other_backends(self, data: st.DataObject) -> None:
        services = [m for m in self.it.naive.mappings if m.backends]
        if services:
            m = data.draw(st.sampled_from(services))
            port = m.backends[0].port
            known = [Backend(INSIDE_NET + k, 9000 + k if port > 9000 else port) for k in (1, 2, 3, 4)]
            some = data.draw(st.lists(st.sampled_from(known), min_size=2, max_size=4, unique=True))
            keep = [b for b in m.backends if b in some]
            new = [b for b in some if b not in keep]
            if keep and len(keep) + len(new) >= 2:
                self.it.backends(m, (*keep, *new))

    @precondition(lambda self: self.swept and not self.output)  # the router's own answers would be translated, too
    @rule(on=st.booleans())
    def forwarding(self, on: bool) -> None:
        self.it.forwarding(on)

    @rule(
        udp=st.sampled_from([1, 30, 300]),
        established=st.sampled_from([60, 7440]),
        transitory=st.sampled_from([1, 240]),
        icmp=st.sampled_from([1, 60]),
    )
    def timeouts(self, udp: int, established: int, transitory: int, icmp: int) -> None:
        self.it.timeouts(udp, established, transitory, icmp)

    # --- packets

    def _send(self, inward: bool, packets: list[Ip4], together: bool) -> None:
        for given, made in zip(packets, self.it.send(inward, packets, together), strict=True):
            if made is not None and given.protocol in (ICMP, TCP, UDP):
                self.last.append((inward, made))
        del self.last[:-8]

    @rule(data=st.data(), together=st.booleans())
    def outward(self, data: st.DataObject, together: bool) -> None:
        sent = data.draw(st.lists(from_inside(self.output), min_size=1, max_size=6))
        if together:  # of one vector none can be the answer to another one; without ports such are soon made
            sent = [p for p in sent if p.protocol != GRE or p.destination & ~255 == OUTSIDE_NET]
        self._send(False, sent, together)

    @rule(data=st.data(), together=st.booleans())
    def inward(self, data: st.DataObject, together: bool) -> None:
        self._send(True, data.draw(st.lists(from_outside(), min_size=1, max_size=6)), together)

    def talk(self, data: st.DataObject, flags: int, pause: int) -> None:
        """Something is said to what came out."""
        if self.last:
            _, made = data.draw(st.sampled_from(self.last))
            self.it.wait(pause)
            came_by_outside = made.destination & ~255 == OUTSIDE_NET
            if made.destination & ~255 in (OUTSIDE_NET, INSIDE_NET):
                self._send(came_by_outside, [answer(made, flags)], False)

    talk_here = talk_on = rule(data=st.data(), flags=st.sampled_from(FLAGS), pause=st.sampled_from(PAUSES))(talk)

    @rule(data=st.data(), kind=st.sampled_from([3, 11]), on_the_way=st.booleans())
    def complain(self, data: st.DataObject, kind: int, on_the_way: bool) -> None:
        """An ICMP error about what came out, from its destination or from a router on the way."""
        if self.last:
            _, made = data.draw(st.sampled_from(self.last))
            net = made.destination & ~255
            if net in (OUTSIDE_NET, INSIDE_NET) and flow_of(made) is not None:
                source = net + 8 if on_the_way else made.destination
                self.it.send(net == OUTSIDE_NET, [error(made, source, kind)])

    @rule(seconds=st.sampled_from(PAUSES))
    def wait(self, seconds: int) -> None:
        self.it.wait(seconds)

    @invariant()
    def same_sessions(self) -> None:
        if hasattr(self, "it"):
            self.it.check()

    def teardown(self) -> None:
        if hasattr(self, "it"):
            self.it.end_all()
            self.it.close()


@st.composite
def from_inside(draw: st.DrawFn, output: bool) -> Ip4:
    """Packets of inside hosts: to outside ones, now and then to an address of NAT's or a neighbour."""
    outside = [OUTSIDE_NET + k for k in range(1, HOSTS + 1)]
    others = [] if output else [POOL + 1, POOL + 2, POOL + 10, INSIDE_NET + 2]
    proto = draw(st.sampled_from([ICMP, TCP, TCP, UDP, UDP, GRE]))
    destination = draw(st.sampled_from(outside + outside + others))
    return _packet(draw, INSIDE_NET + draw(st.integers(1, HOSTS)), destination, proto)


@st.composite
def from_outside(draw: st.DrawFn) -> Ip4:
    """Packets of outside hosts: to addresses of NAT's, now and then to an inside host."""
    destinations = [POOL + 1, POOL + 1, POOL + 2, POOL + 10, INSIDE_NET + 1]
    proto = draw(st.sampled_from([ICMP, TCP, TCP, UDP, UDP, GRE]))
    return _packet(draw, OUTSIDE_NET + draw(st.integers(1, HOSTS)), draw(st.sampled_from(destinations)), proto)


def _packet(draw: st.DrawFn, source: int, destination: int, proto: int) -> Ip4:
    ports = draw(st.sampled_from(PORTS)), draw(st.sampled_from(PORTS))
    flow = Flow(source, ports[0], destination, ports[0] if proto == ICMP else ports[1], proto)
    data = draw(st.sampled_from([b"", b"d", b"data", bytes(100)]))
    options = draw(st.lists(st.sampled_from(OPTIONS), max_size=4).map(b"".join)) if proto == TCP else b""
    options = options[:40] + bytes(-len(options[:40]) % 4)
    p = packet(flow, draw(st.sampled_from(FLAGS)), draw(st.sampled_from([8, 8, 8, 0, 13])), data, options)
    if proto == UDP and draw(st.integers(0, 5)) == 0:
        p.payload = p.payload[:6] + b"\0\0" + p.payload[8:]
    return p


TestNat44 = NatMachine.TestCase
TestNat44.settings = settings(examples(60 if JIT else 30), stateful_step_count=25)
