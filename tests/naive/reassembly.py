"""IPv4 full reassembly as VPP does it, in plain Python: datagrams as lists of byte ranges."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.naive.ip4_packet import Ip4


@dataclass
class Context:
    """One datagram's fragments."""

    first_fragment_header: dict[int, Ip4] = field(default_factory=dict)
    ranges: list[tuple[int, bytes]] = field(default_factory=list)
    """(place, bytes), in order, without overlap."""
    end: int | None = None
    fragments: int = 0
    heard: int = 0

    def insert(self, first: int, data: bytes) -> bool:
        """Add a fragment; False when it lies within one that is there."""
        last = first + len(data)
        if any(at <= first and last <= at + len(d) for at, d in self.ranges):
            return False
        kept, start = [], first
        for at, d in self.ranges:
            end = at + len(d)
            if end <= first or last <= at:
                kept.append((at, d))
            elif first <= at and end <= last:
                continue
            elif first < at:
                kept.append((last, d[last - at :]))
            else:
                kept.append((at, d))
                start = end
        self.ranges = sorted([*kept, (start, data[start - first :])])
        return True


@dataclass
class Reassembler:
    """Feeds on packets in order; says what becomes of each."""

    timeout: int = 200_000_000
    max_contexts: int = 1024
    max_fragments: int = 3
    contexts: dict[tuple[int, ...], Context] = field(default_factory=dict)
    expired: int = 0
    received: int = 0
    whole: int = 0
    joined: int = 0

    def expire(self, now: int) -> None:
        """Forget what waited too long, the longest first."""
        for key, c in list(self.contexts.items()):
            if now <= c.heard + self.timeout:
                break
            del self.contexts[key]
            self.expired += 1

    def give(self, data: bytes, now: int) -> tuple[str, str | bytes | None]:
        """``("pass", packet)``, ``("hold", None)`` or ``("drop", error)``."""
        if len(data) < 20:
            return "drop", "malformed packets"
        if not (data[6] & 0x3F or data[7]):
            return "pass", data
        self.received += 1
        header, total = (data[0] & 15) * 4, int.from_bytes(data[2:4], "big")
        if header < 20 or header > len(data[:2048]) or total <= header or total > len(data):
            return "drop", "malformed packets"
        p = Ip4.parse(bytes([0x40 | data[0] & 15]) + data[1:])
        if p.offset + len(p.payload) > 65515 or (p.more and len(p.payload) < 8):
            return "drop", "malformed packets"
        self.expire(now)
        key = (p.protocol, p.id, p.source, p.destination)
        context = self.contexts.pop(key, None)
        if context is None:
            if len(self.contexts) >= self.max_contexts:
                return "drop", "drops due to concurrent reassemblies limit"
            context = Context()
        self.contexts[key] = context
        context.heard = now
        if not p.more:
            context.end = p.offset + len(p.payload)
        added = context.insert(p.offset, p.payload)
        if added:
            context.fragments += 1
            context.first_fragment_header[p.offset] = replace(p, payload=b"")
        if context.end == sum(len(d) for _, d in context.ranges):
            del self.contexts[key]
            at = context.ranges[0][0]
            head = context.first_fragment_header[at]
            self.whole += 1
            self.joined += context.fragments
            payload = b"".join(d for _, d in context.ranges)
            return "pass", bytes(replace(head, payload=payload, more=False, offset=0, dont_fragment=False))
        if not added:
            return "drop", "duplicate/overlapping fragments"
        if context.fragments > max(self.max_fragments, 1):
            del self.contexts[key]
            return "drop", "fragment chain too long (drop)"
        return "hold", None
