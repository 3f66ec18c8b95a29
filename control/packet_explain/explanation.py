"""What became of a packet, and of those that were made of it or because of it, step by step."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

SENT, DROPPED, CONSUMED, HELD, BECAME = "sent", "dropped", "consumed", "held", "became"
"""How a packet's way ended. `BECAME`: other packets took its place (fragments, replicas)."""
GIVEN, COPY, MADE = "given", "copy", "made"
"""Where a packet comes from: it was given; it is a part or a replica of one; the router made it because of one."""


@dataclass
class Step:
    """One node on a packet's way."""

    packet: int
    node: str
    lines: list[str]
    facts: dict[str, Any]
    next: str | None
    counted: dict[str, int]
    trace: str
    """The node's own text, as the packet trace shows it."""
    explained: bool
    """Did anybody but the trace explain it?"""


@dataclass
class Outcome:
    """How a packet's way ended."""

    kind: str
    node: str
    reason: str = ""
    """The text of the counter that says so."""
    severity: str = ""
    interface: str = ""
    hex: str = ""
    summary: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    into: list[int] = field(default_factory=list)
    """`BECAME`: the packets that took its place."""


@dataclass
class Packet:
    """One packet of the story. ``origin``, ``parent`` and ``by``: where it comes from."""

    number: int
    origin: str = GIVEN
    parent: int | None = None
    by: str = ""
    outcome: Outcome | None = None


@dataclass
class Explanation:
    """The whole story. Packet 1 is the one that was given."""

    interface: str
    time: int
    hex: str
    summary: list[str]
    packets: list[Packet] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What the reader should know beside."""
    disagreements: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """What became of the given packet: the best that happened to it or to a part of it."""
        outcomes = [p.outcome for p in self.packets if p.origin != MADE and p.outcome is not None]
        kinds = {o.kind for o in outcomes}
        return next((k for k in (SENT, CONSUMED, HELD, DROPPED) if k in kinds), HELD)

    @property
    def why(self) -> str:
        """The verdict's reason, in a line."""
        mine = [p.outcome for p in self.packets if p.origin != MADE and p.outcome and p.outcome.kind == self.verdict]
        if not mine:
            return ""
        if self.verdict == SENT:
            return "by " + ", ".join(dict.fromkeys(o.interface for o in mine))
        return "; ".join(dict.fromkeys(f"{o.node}: {o.reason}" if o.reason else o.node for o in mine))

    def json(self) -> dict[str, Any]:
        """As data; docs/decisions/explain-packet.md says what the fields are."""
        return {
            "received": {"interface": self.interface, "time": self.time, "hex": self.hex, "summary": self.summary},
            "verdict": self.verdict,
            "why": self.why,
            "steps": [
                {
                    "packet": s.packet,
                    "node": s.node,
                    "next": s.next,
                    "text": s.lines,
                    "explained": s.explained,
                    "facts": s.facts,
                    "counted": s.counted,
                    "trace": s.trace,
                }
                for s in self.steps
            ],
            "packets": [asdict(p) for p in self.packets],
            "notes": self.notes,
            "disagreements": self.disagreements,
        }
