"""The MAC table of all bridge domains as dictionaries; learning and forwarding as VPP does them, a frame at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

Sequence = tuple[int, int]
"""Of a domain and of a port."""


@dataclass
class Entry:
    """Where an address is; ``interface`` -1: nowhere, it is filtered."""

    interface: int
    static: bool = False
    age_not: bool = False
    bvi: bool = False
    filter: bool = False
    event: bool = False
    moved: bool = False
    minute: int = 0
    sn: Sequence = (0, 0)

    @property
    def flags(self) -> int:
        """As a number, in VPP's order."""
        names = (self.static, self.age_not, self.bvi, self.filter, self.event, self.moved)
        return sum(1 << bit for bit, on in enumerate(names) if on)


class Seen(NamedTuple):
    """A frame as it comes to learning."""

    bd_index: int
    source: bytes
    interface: int
    sn: Sequence
    ages: bool
    minute: int


class Forwarded(NamedTuple):
    """``next``: ``output``, ``bvi``, ``features`` (flood, or wherever unknown unicast goes) or ``drop``."""

    next: str
    interface: int = -1
    error: str | None = None


@dataclass
class MacTable:
    """``limit`` and ``domain_limits`` (by bd_index): the most addresses that are learnt."""

    limit: int = 4 << 20
    domain_limits: dict[int, int] = field(default_factory=dict)
    watched: bool = False
    limit_updates: bool = True
    """Bring at most three entries a vector up to date only because a minute has passed."""
    entries: dict[tuple[int, bytes], Entry] = field(default_factory=dict)
    learnt: Counter[int] = field(default_factory=Counter)
    """By bd_index."""
    told: Counter[str] = field(default_factory=Counter)
    updates: int = 0
    """In this vector."""

    def _more(self, bd_index: int, by: int) -> bool:
        """Are more than the limits less ``by`` learnt?"""
        most = self.domain_limits.get(bd_index, 4 << 20)
        return sum(self.learnt.values()) > self.limit - by or self.learnt[bd_index] > most - by

    def learn(self, f: Seen) -> str | None:
        """Learn from one frame; gives the reason if it is to be dropped."""
        found = self.entries.get((f.bd_index, f.source))
        if found is None:
            self.told["L2 learn misses"] += 1
            if self._more(f.bd_index, 1):
                self.told["L2 not learned due to limit"] += 1
            elif any(f.source):
                self.learnt[f.bd_index] += 1
                self.entries[f.bd_index, f.source] = Entry(f.interface, event=self.watched, minute=f.minute, sn=f.sn)
            return None
        if found.interface == f.interface:
            late = (f.minute - found.minute) % 256
            current = found.sn == f.sn
            if (current and not (late and f.ages)) or found.age_not or self._more(f.bd_index, 0):
                return None
            if self.limit_updates and self.updates > 2 and late == 1 and current:
                return None
            self.updates += 1
            self.told["L2 learn hit updates"] += 1
        else:
            if found.filter:
                return "L2 filter mac drops"
            if found.static:
                return "L2 mac move violations"
            self.told["L2 mac moves"] += 1
            self.learnt[f.bd_index] += found.age_not
            found.age_not = False
            found.interface = f.interface
            found.event = found.moved = self.watched
        found.minute, found.sn = f.minute, f.sn
        return None

    def forward(
        self, bd_index: int, destination: bytes, interface: int, domain_seq: int, seqs: dict[int, int], floods: bool
    ) -> Forwarded:
        """Where a frame that came in on ``interface`` goes; ``seqs``: of each port; ``floods``: is unknown unicast?"""
        found = self.entries.get((bd_index, destination))
        why = "L2 forward misses"
        if found is not None:
            if found.age_not or found.sn == (domain_seq, seqs[found.interface]):
                if found.interface == interface:
                    return Forwarded("drop", found.interface, "Reflection Drop")
                if found.filter:
                    return Forwarded("drop", found.interface, "Filter Mac Drop")
                return Forwarded("bvi" if found.bvi else "output", found.interface)
            why = "Stale entry Drop"
        return Forwarded("features") if floods else Forwarded("drop", -1, why)
