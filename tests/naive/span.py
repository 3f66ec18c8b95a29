"""Mirrors of an L2 cross-connect or of bridged ports, packet by packet: what leaves by which interface."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

RX, TX = 1, 2


@dataclass
class NaiveSpan:
    """``mirrors``: state by (source, target, L2?); ``crossed``: where what a port receives leaves."""

    crossed: dict[int, int]
    mirrors: dict[tuple[int, int, bool], int] = field(default_factory=dict)

    def set(self, source: int, target: int, state: int, l2: bool) -> None:
        """As VPP's sw_interface_span_enable_disable."""
        self.mirrors[source, target, l2] = state

    def targets(self, source: int, way: int, l2: bool) -> list[int]:
        """Where what ``source`` receives (or sends) is copied to."""
        return [t for (s, t, its), state in self.mirrors.items() if (s, its) == (source, l2) and state & way]

    def receive(self, port: int, frame: bytes) -> Counter[tuple[int, bytes]]:
        """A frame arrives; copies are never copied again."""
        out = self.crossed[port]
        left: Counter[tuple[int, bytes]] = Counter()
        for l2 in (False, True):
            left.update((t, frame) for t in self.targets(port, RX, l2))
            left.update((t, frame) for t in self.targets(out, TX, l2))
        left[out, frame] += 1
        return left
