"""What came of a replay, whichever backend moved the packets: every packet accounted for, time, and clocks by node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Report:
    """The balance is exact: packets_in + generated == packets_out + sum(drops) + sum(consumed)."""

    packets_in: int = 0
    bytes_in: int = 0
    packets_out: int = 0
    bytes_out: int = 0
    generated: int = 0
    drops: dict[str, int] = field(default_factory=dict)
    consumed: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    nodes: list[dict[str, Any]] = field(default_factory=list)
    interfaces: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def pps(self) -> float:
        """Packets received a second of wall-clock time."""
        return self.packets_in / self.seconds if self.seconds else 0.0

    @property
    def missing(self) -> int:
        """Packets that the balance cannot explain: 0, or there is a bug."""
        return (
            self.packets_in + self.generated - self.packets_out - sum(self.drops.values()) - sum(self.consumed.values())
        )

    def json(self) -> dict[str, Any]:
        """The object that ``replay --json`` prints."""
        return {
            "packets_in": self.packets_in,
            "bytes_in": self.bytes_in,
            "packets_out": self.packets_out,
            "bytes_out": self.bytes_out,
            "generated": self.generated,
            "drops": self.drops,
            "consumed": self.consumed,
            "seconds": round(self.seconds, 6),
            "pps": round(self.pps, 1),
            "nodes": self.nodes,
            "interfaces": self.interfaces,
            "warnings": self.warnings,
        }
