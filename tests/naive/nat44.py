"""NAT44 kept in dictionaries: sessions by both their flows, mappings in a list; one table, one packet at a time.

Ports and backends are the router's choice: the oracle is shown what came out, refuses what may not be chosen, and
works out the rest of the packet itself, every checksum anew.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace

from tests.naive.ip4_packet import Ip4, checksum, l4_checksum

ICMP, TCP, UDP = 1, 6, 17
FIN, SYN, RST, ACK = 1, 2, 4, 16
SECOND = 1_000_000_000
CLOSED, ESTABLISHED, CLOSING = range(3)
ERRORS = (3, 4, 5, 11, 12)
FIRST_PORT, CLASSES = 1024, 16
NO_TRANSLATION, OUT_OF_PORTS, NON_SYN = "no translation", "out of ports", "non-SYN packet try to create session"
BAD_ICMP, UNSUPPORTED, FAILED = "unsupported ICMP type", "unsupported protocol", "couldn't translate packet"
TOO_MANY = "maximum sessions exceeded"


@dataclass(frozen=True)
class Flow:
    """Five values; of an ICMP query both ports are its identifier, without ports they are 0."""

    source: int
    source_port: int
    destination: int
    destination_port: int
    proto: int

    @property
    def turned(self) -> Flow:
        """The other way round."""
        return Flow(self.destination, self.destination_port, self.source, self.source_port, self.proto)


@dataclass(eq=False)
class Session:
    """``flows``: what packets from inside and from outside are found by; ``becomes``: what they become."""

    flows: tuple[Flow, Flow]
    becomes: tuple[Flow, Flow]
    last: int
    static: bool = False
    twice: bool = False
    balanced: bool = False
    hairpin: bool = False
    bypass: bool = False
    state: int = CLOSED
    seen: list[int] = field(default_factory=lambda: [0, 0])

    @property
    def proto(self) -> int:
        """The protocol."""
        return self.flows[0].proto

    @property
    def inside(self) -> tuple[int, int]:
        """The inside host's address and port."""
        return self.flows[0].source, self.flows[0].source_port

    @property
    def outside(self) -> tuple[int, int]:
        """And what it has outside."""
        return self.inside if self.bypass else (self.flows[1].destination, self.flows[1].destination_port)


@dataclass(frozen=True)
class Backend:
    """One of a service."""

    address: int
    port: int


@dataclass(frozen=True)
class Mapping:
    """Of a port, of a whole address (no ports, ``proto`` 0), of a service (``backends``), or identity."""

    external: int
    port: int
    proto: int
    local: int = 0
    local_port: int = 0
    identity: bool = False
    out2in_only: bool = False
    twice: str = ""
    backends: tuple[Backend, ...] = ()
    keeps: bool = False
    """A client keeps its backend for ever."""

    @property
    def whole(self) -> bool:
        """Has it no ports?"""
        return self.proto == 0


@dataclass(frozen=True)
class Verdict:
    """What becomes of a packet: dropped for a reason, or ``data`` goes on, whether it was translated or not."""

    reason: str = ""
    data: bytes = b""


class NaiveNat:
    """See the module. ``now`` in ns, addresses and ports in host order."""

    def __init__(self, is_outside: range, output: bool = False) -> None:
        self.is_outside = is_outside
        self.output = output
        """NAT is a feature of what the outside interface sends."""
        self.pool: list[int] = []
        self.twice_pool: list[int] = []
        self.mappings: list[Mapping] = []
        self.forwarding = False
        self.mss = 0
        self.timeouts = {UDP: 300, TCP: 240, ICMP: 60, 0: 300}
        self.established = 7440
        self.flows: dict[Flow, tuple[Session, int]] = {}
        self.sessions: list[Session] = []
        self.usual: dict[int, int] = {}
        """The pool address that a source gets."""
        self.kept: dict[tuple[int, Mapping], Backend] = {}

    # --- time

    def timeout(self, s: Session) -> int:
        """Seconds that a session may be silent."""
        if s.proto == TCP and s.state == ESTABLISHED:
            return self.established
        return self.timeouts[s.proto if s.proto in (ICMP, TCP, UDP) else 0]

    def is_over(self, s: Session, now: int) -> bool:
        """Is its time up?"""
        return now - s.last >= self.timeout(s) * SECOND

    def expire(self, now: int) -> None:
        """End those whose time is up."""
        for s in [s for s in self.sessions if self.is_over(s, now)]:
            self.end(s)

    def live(self, now: int) -> list[Session]:
        """Those whose time is not up."""
        return [s for s in self.sessions if not self.is_over(s, now)]

    def end(self, s: Session) -> None:
        """End one."""
        self.sessions.remove(s)
        for way, flow in enumerate(s.flows):
            if self.flows.get(flow) == (s, way):
                del self.flows[flow]

    def _begin(self, s: Session, ways: tuple[int, ...] = (1, 0)) -> None:
        self.sessions.append(s)
        for way in ways:
            self.flows[s.flows[way]] = (s, way)

    # --- configuration

    def drop_address(self, address: int) -> None:
        """A pool address goes, and the dynamic sessions that have it."""
        self.pool.remove(address)
        self.usual.clear()
        for s in [s for s in self.sessions if not s.static and s.outside[0] == address]:
            self.end(s)

    def add_address(self, address: int) -> None:
        """A pool address comes."""
        self.pool.append(address)
        self.usual.clear()

    def drop_mapping(self, m: Mapping) -> None:
        """A mapping goes, and its sessions."""
        self.mappings.remove(m)
        for s in list(self.sessions):
            if m.backends:
                mine = self._of(m, {(b.address, b.port) for b in m.backends}, s)
            elif m.whole:
                mine = s.static and not s.balanced and s.inside[0] == m.local
            else:
                ends = (*s.inside, *s.outside, s.proto)
                mine = s.static and not s.balanced and ends == (m.local, m.local_port, m.external, m.port, m.proto)
            if mine:
                self.end(s)

    def set_forwarding(self, on: bool) -> None:
        """When it is switched off, sessions of what was not translated end."""
        if self.forwarding and not on:
            for s in [s for s in self.sessions if s.bypass]:
                self.end(s)
        self.forwarding = on

    def set_backends(self, m: Mapping, backends: tuple[Backend, ...]) -> Mapping:
        """Other backends: the sessions of those that go end."""
        gone = {(b.address, b.port) for b in set(m.backends) - set(backends)}
        for s in [s for s in self.sessions if self._of(m, gone, s)]:
            self.end(s)
        other = replace(m, backends=backends)
        self.mappings[self.mappings.index(m)] = other
        self.kept = {(c, other if k == m else k): b for (c, k), b in self.kept.items() if k != m or b in backends}
        return other

    @staticmethod
    def _of(m: Mapping, backends: set[tuple[int, int]], s: Session) -> bool:
        """Is it a session by a service with one of these backends?"""
        return s.balanced and s.inside in backends and (*s.outside, s.proto) == (m.external, m.port, m.proto)

    # --- mappings

    def by_external(self, address: int, port: int, proto: int) -> Mapping | None:
        """Of a port, else of the address."""
        for m in self.mappings:
            if not m.whole and (m.external, m.port, m.proto) == (address, port, proto):
                return m
        return next((m for m in self.mappings if m.whole and m.external == address), None)

    def by_local(self, address: int, port: int, proto: int) -> Mapping | None:
        """Of a port, else of the address."""
        found = [m for m in self.mappings if not m.out2in_only]
        for m in found:
            ends = [(b.address, b.port) for b in m.backends] or [(m.local, m.local_port)]
            if not m.whole and m.proto == proto and (address, port) in ends:
                return m
        return next((m for m in found if m.whole and m.local == address), None)

    # --- packets

    def packet(self, raw: bytes, inward: bool, now: int, came_out: bytes | None) -> Verdict:
        """A packet from inside, or from outside. ``came_out``: what the router made of it; None: nothing."""
        p = Ip4.parse(raw)
        if p.protocol == ICMP and p.payload[0] not in (0, 8, *ERRORS):
            return Verdict(BAD_ICMP)
        flow = flow_of(p)
        if flow is None:
            return Verdict(UNSUPPORTED)
        if self.output and not inward and self.forwarding and self._bypassed(flow, p, now):
            return Verdict(data=raw)
        found = self.flows.get(flow)
        if found is not None and self.is_over(found[0], now):
            self.end(found[0])
            found = None
        if found is None:
            slow = self._from_outside if inward else self._from_inside
            result = slow(p, flow, now, Ip4.parse(came_out) if came_out is not None else None)
            if isinstance(result, str):
                return Verdict(result)
            if result is None:
                return Verdict(data=raw)
            found = (result, 1 if inward else 0)
        s, way = found
        if way != inward and not (s.twice if inward else s.hairpin):
            if inward and self.forwarding:
                pass
            elif inward:
                return Verdict(NO_TRANSLATION)
            else:
                self.end(s)
                return Verdict(FAILED)
        if p.protocol == TCP:
            self._see(s, int(inward), p.payload[13])
        s.last = max(s.last, now)
        if p.protocol == TCP and self.mss:
            p = clamped(p, self.mss)
        return Verdict(data=rewrite(p, s, way, inward))

    def _bypassed(self, flow: Flow, p: Ip4, now: int) -> bool:
        found = self.flows.get(flow)
        if found is None or not found[0].bypass:
            return False
        if p.protocol == TCP:
            self._see(found[0], 0, p.payload[13])
        found[0].last = now
        return True

    @staticmethod
    def _see(s: Session, way: int, flags: int) -> None:
        flags &= FIN | SYN | RST | ACK
        if not flags & ~s.seen[way]:
            return
        s.seen[way] |= flags
        if s.state == ESTABLISHED:
            if s.seen[way] & (FIN | RST):
                s.seen[:] = [0, 0]
                s.state = CLOSING
        elif s.seen[0] & s.seen[1] == SYN | ACK:
            s.state = ESTABLISHED

    def _stays_inside(self, p: Ip4, flow: Flow) -> bool:
        outer = replace(flow, source=p.source, destination=p.destination, proto=p.protocol)
        if outer.turned in self.flows:
            return False
        if self.by_external(p.destination, outer.destination_port, p.protocol) is not None:
            return False
        return self.forwarding or p.destination not in self.is_outside

    def _from_inside(self, p: Ip4, flow: Flow, now: int, out: Ip4 | None) -> Session | str | None:
        """A session for a packet that has none; None: it goes on as it is; or why it is dropped."""
        if p.protocol not in (ICMP, TCP, UDP):
            forwarded = self.forwarding and not self.output and self._stays_inside(p, flow)
            return None if forwarded else self._portless(p, flow, now, out)
        if not self.output and self._stays_inside(p, flow):
            return None
        if p.protocol == ICMP and p.payload[0] in ERRORS:
            return BAD_ICMP
        mine = self.by_local(flow.source, flow.source_port, flow.proto)
        if mine is not None and mine.identity:
            return None
        if p.protocol == TCP and not begins(p):
            return NON_SYN
        query = p.protocol == ICMP
        to, to_port, back_port = flow.destination, flow.destination_port, flow.destination_port
        theirs = self.by_external(to, to_port, flow.proto)
        if theirs is not None and theirs.backends:
            assert out is not None
            to, to_port = chosen(theirs, out.destination, flow_of(out)).address, flow_of(out).destination_port  # type: ignore[union-attr]
        elif theirs is not None:
            to, to_port = theirs.local, to_port if theirs.whole else theirs.local_port
            back_port = to_port
        if mine is not None:
            outside, port = mine.external, flow.source_port if mine.whole else mine.port
        else:
            if not self.pool:
                return OUT_OF_PORTS
            assert out is not None, "there are addresses and ports"
            outside = self._pool_address(flow.source, out.source)
            port = self._port(outside, to, to_port, flow, now, flow_of(out).source_port)  # type: ignore[union-attr]
        answer = Flow(to, port if query else to_port, outside, port, flow.proto)
        if self._taken(answer, now) or (answer in self.flows and out is None):
            return FAILED
        s = Session(
            (flow, answer),
            (
                Flow(outside, port, to, port if query else to_port, flow.proto),
                Flow(
                    flow.destination,
                    flow.source_port if query else back_port,
                    flow.source,
                    flow.source_port,
                    flow.proto,
                ),
            ),
            now,
            static=mine is not None,
            hairpin=theirs is not None,
            balanced=theirs is not None and bool(theirs.backends),
        )
        self._begin(s)
        return s

    def _pool_address(self, source: int, given: int) -> int:
        assert given in self.pool
        assert self.usual.setdefault(source, given) == given, "a source always gets the same address"
        return given

    def _taken(self, flow: Flow, now: int) -> bool:
        """Has a session this flow? One that is over may still have it, or not any more."""
        found = self.flows.get(flow)
        return found is not None and not self.is_over(found[0], now)

    def _port(self, outside: int, to: int, to_port: int, flow: Flow, now: int, given: int) -> int:
        """The port that was given; it must be free, and the packet's own if that is."""
        own = flow.source_port

        def answer(port: int) -> Flow:
            return Flow(to, port if flow.proto == ICMP else to_port, outside, port, flow.proto)

        def reserved(port: int) -> bool:
            m = self.by_external(outside, port, flow.proto)
            return m is not None and not m.whole

        assert given >= FIRST_PORT and given % CLASSES == own % CLASSES
        assert not reserved(given) and not self._taken(answer(given), now), "a port is given twice"
        assert given == own or own < FIRST_PORT or reserved(own) or answer(own) in self.flows
        return given

    def _portless(self, p: Ip4, flow: Flow, now: int, out: Ip4 | None) -> Session | str:
        free = [a for a in self.pool if not self._taken(Flow(flow.destination, 0, a, 0, flow.proto), now)]
        if not free:
            return OUT_OF_PORTS
        assert out is not None and out.source in free
        to = flow.destination
        theirs = next((m for m in self.mappings if m.whole and m.external == to), None)
        to = theirs.local if theirs is not None else to
        s = Session(
            (flow, Flow(to, 0, out.source, 0, flow.proto)),
            (Flow(out.source, 0, to, 0, flow.proto), flow.turned),
            now,
            hairpin=theirs is not None,
        )
        self._begin(s, (0, 1))
        return s

    def _from_outside(self, p: Ip4, flow: Flow, now: int, out: Ip4 | None) -> Session | str | None:
        if p.protocol not in (ICMP, TCP, UDP):
            return None if self.forwarding else NO_TRANSLATION
        m = self.by_external(
            p.destination, flow.source_port if p.protocol == ICMP else flow.destination_port, p.protocol
        )
        if m is None:
            if not self.forwarding:
                return NO_TRANSLATION
            self._bypass(p, flow, now)
            return None
        query = p.protocol == ICMP
        if query and p.payload[0] != 0 and not (p.payload[0] == 8 and m.whole):
            return BAD_ICMP
        if m.identity:
            return None
        if p.protocol == TCP and not begins(p):
            return NON_SYN
        local, local_port = m.local, flow.destination_port if m.whole else m.local_port
        shown, shown_port = flow.source, flow.source_port
        if m.backends:
            assert out is not None
            backend = chosen(m, out.destination, flow_of(out))
            if m.keeps:
                assert self.kept.setdefault((flow.source, m), backend) == backend, "a client keeps its backend"
            local, local_port = backend.address, backend.port
        twice = m.twice == "twice-nat" or (m.twice == "self-twice-nat" and flow.source == local)
        if twice:
            if not self.twice_pool:
                return OUT_OF_PORTS
            assert out is not None and out.source in self.twice_pool
            seen = flow_of(out)
            assert seen is not None and seen.source_port >= FIRST_PORT
            shown, shown_port = seen.source, seen.source_port
            assert Flow(local, local_port, shown, shown_port, flow.proto) not in self.flows, "a port is given twice"
        near = local_port if query else shown_port
        s = Session(
            (Flow(local, local_port, shown, near, flow.proto), flow),
            (
                Flow(flow.destination, flow.destination_port, flow.source, flow.source_port, flow.proto),
                Flow(shown, near, local, local_port, flow.proto),
            ),
            now,
            static=True,
            twice=twice,
            balanced=bool(m.backends),
        )
        self._begin(s)
        return s

    def _bypass(self, p: Ip4, flow: Flow, now: int) -> None:
        found = self.flows.get(flow.turned)
        if found is None:
            if p.protocol == ICMP and p.payload[0] in ERRORS:
                return
            s = Session((flow.turned, flow), (flow.turned, flow), now, bypass=True)
            self._begin(s, (0,))
        else:
            s = found[0]
        s.last = now
        if p.protocol == TCP:
            self._see(s, 1, p.payload[13])


def begins(p: Ip4) -> bool:
    """A SYN, without ACK?"""
    return p.payload[13] & (SYN | ACK) == SYN


def chosen(m: Mapping, address: int, flow: Flow | None) -> Backend:
    """The backend that a packet went to."""
    assert flow is not None
    backend = Backend(address, flow.destination_port)
    assert backend in m.backends
    return backend


def flow_of(p: Ip4) -> Flow | None:
    """What a packet belongs to; of an ICMP error: what it quotes, the other way round. None: what has no ports."""
    if p.protocol == ICMP and p.payload[0] in ERRORS:
        inner = quoted(p)
        if inner.protocol not in (ICMP, TCP, UDP):
            return None
        return flow_of(inner).turned  # type: ignore[union-attr]
    if p.protocol == ICMP:
        identifier = int.from_bytes(p.payload[4:6], "big")
        return Flow(p.source, identifier, p.destination, identifier, ICMP)
    if p.protocol in (TCP, UDP):
        source_port, destination_port = struct.unpack(">HH", p.payload[:4])
        return Flow(p.source, source_port, p.destination, destination_port, p.protocol)
    return Flow(p.source, 0, p.destination, 0, p.protocol)


def quoted(p: Ip4) -> Ip4:
    """The packet in an ICMP error, of which an end may be missing."""
    data = p.payload[8:]
    total = int.from_bytes(data[2:4], "big")
    return Ip4.parse(data + bytes(max(0, total - len(data))))


def _missing(p: Ip4) -> int:
    """The bytes that an ICMP error leaves out of what it quotes."""
    return max(0, int.from_bytes(p.payload[10:12], "big") - len(p.payload[8:]))


def _quote(p: Ip4, flow: Flow) -> bytes:
    """What an ICMP error quotes with other addresses and ports."""
    inner = quoted(p)
    new = with_flow(inner, flow)
    cut = _missing(p)
    if not cut:
        return bytes(new)
    # its checksum is of bytes that are not there: it changes by as much as those that are (RFC 1624)
    at = {TCP: 16, UDP: 6, ICMP: 2}[inner.protocol]
    was = int.from_bytes(inner.payload[at : at + 2], "big")
    data = new.payload
    if was or inner.protocol != UDP:
        value = checksum(
            struct.pack(">HH", ~was & 0xFFFF, checksum(_summed(inner)))
            + struct.pack(">H", ~checksum(_summed(new)) & 0xFFFF)
        )
        data = data[:at] + struct.pack(">H", value or (0xFFFF if inner.protocol == UDP else 0)) + data[at + 2 :]
    return bytes(replace(new, payload=data))[:-cut]


def _summed(p: Ip4) -> bytes:
    """What NAT changes of what a checksum of L4 is over."""
    if p.protocol == ICMP:
        return p.payload[4:6]
    return struct.pack(">II", p.source, p.destination) + p.payload[:4]


def with_flow(p: Ip4, flow: Flow) -> Ip4:
    """The packet with other addresses and ports, and its checksums right again (a UDP packet may have none)."""
    data = bytearray(p.payload)
    if p.protocol == ICMP:
        data[4:6] = flow.source_port.to_bytes(2, "big")
        data[2:4] = b"\0\0"
        data[2:4] = checksum(bytes(data)).to_bytes(2, "big")
    elif p.protocol in (TCP, UDP):
        at = 16 if p.protocol == TCP else 6
        had = data[at : at + 2]
        data[:4] = struct.pack(">HH", flow.source_port, flow.destination_port)
        if p.protocol == TCP or any(had):
            data[at : at + 2] = b"\0\0"
            value = l4_checksum(flow.source, flow.destination, p.protocol, bytes(data))
            data[at : at + 2] = (value or (0xFFFF if p.protocol == UDP else 0)).to_bytes(2, "big")
    return replace(p, source=flow.source, destination=flow.destination, payload=bytes(data))


def clamped(p: Ip4, mss: int) -> Ip4:
    """A SYN that announces no more than that; options behind one that makes no sense are not looked at."""
    data = bytearray(p.payload)
    end = min((data[12] >> 4) * 4, len(data))
    at = 20
    while data[13] & SYN and at + 4 <= end and data[at] != 0:
        if data[at] == 1:
            at += 1
            continue
        length = data[at + 1]
        if length < 2 or at + length > end:
            break
        if data[at] == 2:
            if length == 4 and int.from_bytes(data[at + 2 : at + 4], "big") > mss:
                data[at + 2 : at + 4] = mss.to_bytes(2, "big")
            break
        at += length
    return replace(p, payload=bytes(data))


def rewrite(p: Ip4, s: Session, way: int, inward: bool) -> bytes:
    """A packet of a session, translated; its TTL is not touched."""
    new = s.becomes[way]
    if p.protocol != ICMP or p.payload[0] not in ERRORS:
        return bytes(with_flow(p, new))
    inner = _quote(p, new.turned)
    data = p.payload[:2] + b"\0\0" + p.payload[4:8] + inner
    data = data[:2] + checksum(data).to_bytes(2, "big") + data[4:]
    source = p.source if inward and p.source != new.source else new.source
    return bytes(replace(p, source=source, destination=new.destination, payload=data))
