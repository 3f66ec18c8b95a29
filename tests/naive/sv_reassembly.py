"""Shallow virtual reassembly in plain Python: which fragments leave when, and with which L4 header."""

from __future__ import annotations

from dataclasses import dataclass, field

ERRORS = {3, 4, 5, 11, 12}
PLAIN, FORWARD, HELD, MALFORMED, TOO_LONG, UNSUPPORTED = (
    "plain",
    "forward",
    "held",
    "malformed packets",
    "fragment chain too long (drop)",
    "unsupported ip protocol",
)


@dataclass(frozen=True)
class L4:
    """What is known of a packet."""

    protocol: int
    ports: tuple[int, int] = (0, 0)
    flags: int = 0
    seq: int = 0
    ack: int = 0
    truncated: bool = False


def read_l4(packet: bytes) -> L4:
    """Of an unfragmented packet, or of a first fragment."""
    protocol, size = packet[9], (packet[0] & 15) * 4
    total = min(int.from_bytes(packet[2:4], "big"), len(packet))
    l4 = packet[size:total]
    plain = packet[0] == 0x45
    if protocol == 6:
        if len(l4) < 20 or len(l4) < (l4[12] >> 4) * 4:
            return L4(protocol, truncated=True)
        seq, ack = int.from_bytes(l4[4:8], "big"), int.from_bytes(l4[8:12], "big")
        return L4(protocol, _ports(l4) if plain else (0, 0), l4[13], seq, ack)
    if protocol == 17:
        return L4(protocol, _ports(l4) if plain else (0, 0)) if len(l4) >= 8 else L4(protocol, truncated=True)
    if protocol == 1:
        if len(l4) < 4:
            return L4(protocol, truncated=True)
        return L4(protocol, _icmp_ports(l4) if plain and len(l4) >= 8 else (0, 0), l4[0])
    return L4(protocol)


def _ports(l4: bytes) -> tuple[int, int]:
    return int.from_bytes(l4[:2], "big"), int.from_bytes(l4[2:4], "big")


def _icmp_ports(l4: bytes) -> tuple[int, int]:
    if l4[0] in (0, 8):
        return (int.from_bytes(l4[4:6], "big"),) * 2
    if l4[0] not in ERRORS or len(l4) < 8 + 28:
        return 0, 0
    inner = l4[8:]
    if inner[9] in (6, 17):
        source, destination = _ports(inner[20:])
        return destination, source
    if inner[9] == 1 and inner[20] in (0, 8):
        return (int.from_bytes(inner[24:26], "big"),) * 2
    return 0, 0


@dataclass
class Context:
    """One datagram's fragments."""

    heard: int
    first: L4 | None = None
    last_seen: bool = False
    later: dict[int, bool] = field(default_factory=dict)
    """Of those that wait: is it not the first one?"""
    waiting: list[int] = field(default_factory=list)


class NaiveSv:
    """Contexts by (FIB, addresses, protocol, identification). Times and timeout in ns."""

    def __init__(self, timeout: int = 100_000_000, most: int = 1024, longest: int = 3, extended: bool = False) -> None:
        self.timeout, self.most, self.longest, self.extended = timeout, most, longest, extended
        self.contexts: dict[object, Context] = {}
        self.told: list[tuple[int, L4, bool, bool]] = []
        """What went on, in order: packet, what is known, is it a fragment, not the first?"""

    def receive(self, number: int, packet: bytes, now: int) -> str:
        """What becomes of a packet; what went on is added to `told`."""
        place = int.from_bytes(packet[6:8], "big")
        offset = place & 0x1FFF
        if not place & 0x3FFF:
            self.told.append((number, read_l4(packet), False, False))
            return PLAIN
        size = int.from_bytes(packet[2:4], "big") - (packet[0] & 15) * 4
        if size <= 0 or offset * 8 + size > 65515 or (size < 8 and place & 0x2000):
            return MALFORMED
        key = (packet[12:20], packet[9], packet[4:6])
        context = self.contexts.get(key)
        if context is not None and (self.timeout == 0 or now > context.heard + self.timeout):
            del self.contexts[key]
            context = None
        if context is None:
            while len(self.contexts) >= self.most:
                del self.contexts[next(iter(self.contexts))]
            context = self.contexts[key] = Context(now)
        context.heard = now
        if self._complete(context):
            assert context.first is not None
            self.told.append((number, context.first, True, offset != 0))
            return FORWARD
        if offset == 0:
            first = read_l4(packet)
            if 0 in first.ports:
                del self.contexts[key]
                return UNSUPPORTED
            context.first = first
        if not place & 0x2000:
            context.last_seen = True
        if self._complete(context):
            assert context.first is not None
            self.told += [(waiting, context.first, True, context.later[waiting]) for waiting in context.waiting]
            context.waiting = []
            self.told.append((number, context.first, True, offset != 0))
            return FORWARD
        if len(context.waiting) >= self.longest:
            del self.contexts[key]
            return TOO_LONG
        context.waiting.append(number)
        context.later[number] = offset != 0
        return HELD

    def _complete(self, context: Context) -> bool:
        return context.first is not None and (context.last_seen or not self.extended)
