"""What a comparison of two captures comes to."""

from __future__ import annotations

from dataclasses import dataclass, field

_SHOWN = 16


@dataclass(frozen=True)
class Difference:
    """Packet ``number`` (counted from 1, in its own capture) differs from ``offset`` on.

    ``kind`` is ``bytes``, ``length``, ``time``, ``only in a`` or ``only in b``. ``a`` and ``b`` are the whole frames
    (b"" for the side that has none, or when a capture in unordered mode can't be read twice).
    """

    number: int
    kind: str
    offset: int
    a: bytes
    b: bytes

    def __str__(self) -> str:
        if self.kind.startswith("only"):
            frame = self.a or self.b
            return f"packet {self.number}: {self.kind}: {frame[:_SHOWN].hex(' ') or '(bytes not at hand)'}"
        if self.kind == "time":
            return f"packet {self.number}: its time differs"
        here = slice(self.offset, self.offset + _SHOWN)
        what = f"lengths differ ({len(self.a)} and {len(self.b)}) and so do" if self.kind == "length" else "differs in"
        a, b = (side[here].hex(" ") or "(end)" for side in (self.a, self.b))
        return f"packet {self.number}: {what} bytes from {self.offset} on: {a} | {b}"


@dataclass
class Comparison:
    """How two captures compare. ``different`` pairs, ``only_a`` and ``only_b`` packets without a counterpart.

    ``differences`` are the first of them, ``warnings`` what the readers had to say (damage, skipped packets).
    """

    packets_a: int = 0
    packets_b: int = 0
    different: int = 0
    only_a: int = 0
    only_b: int = 0
    differences: list[Difference] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """No packet differs or is missing."""
        return not (self.different or self.only_a or self.only_b)
