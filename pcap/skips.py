"""Packets that a file holds but that could not be delivered: counted in the kernels, told here."""

from __future__ import annotations

from dataclasses import dataclass

from vectorplane.pcap.link import LINK_TYPE, REASON_TEXT
from vectorplane.pcap.linktypes import describe
from vectorplane.pcap.window import Buffer

WARNINGS_MAX = 100


@dataclass(frozen=True)
class Interface:
    """One interface as the file describes it.

    ``resolution`` is the raw if_tsresol byte (6: microseconds), ``tsoffset`` seconds to add, ``snaplen`` 0 when
    unlimited. ``section`` counts the sections of a pcapng from 0. A classic pcap has one interface.
    """

    number: int
    linktype: int
    snaplen: int = 0
    name: str = ""
    resolution: int = 6
    tsoffset: int = 0
    section: int = 0

    def __str__(self) -> str:
        return f"interface {self.number}" + (f" ({self.name})" if self.name else "")


@dataclass(frozen=True)
class Skip:
    """``count`` packets of one interface skipped for one reason; the first begins at byte ``offset``."""

    interface: Interface
    reason: int
    count: int
    offset: int

    @property
    def text(self) -> str:
        """How many, of what, and why."""
        why = REASON_TEXT[self.reason]
        if self.reason == LINK_TYPE:
            why = f"link type {describe(self.interface.linktype)} is not supported"
        return f"{self.count} packets of {self.interface} skipped: {why}"


def collect(buffer: Buffer, interfaces: list[Interface]) -> list[Skip]:
    """What was skipped on ``interfaces``, whose counters are in the buffer's table."""
    table = buffer.interfaces[: len(interfaces)]
    found = []
    for number, slot in zip(*table["skipped"].nonzero(), strict=True):
        count, offset = int(table["skipped"][number, slot]), int(table["first"][number, slot])
        found.append(Skip(interfaces[int(number)], int(slot) + 1, count, offset))
    return found


class SkipLog:
    """Skips of the sections that are over: a bounded list for the texts, and a count of what did not fit."""

    def __init__(self) -> None:
        self.skips: list[Skip] = []
        self.more = 0

    def close_section(self, skips: list[Skip]) -> None:
        """Keep what a section skipped, before its counters are cleared."""
        room = WARNINGS_MAX - len(self.skips)
        self.skips += skips[:room]
        self.more += len(skips[room:])

    def texts(self, name: str, current: list[Skip]) -> list[str]:
        """The warnings, at most `WARNINGS_MAX` and one more that counts the rest."""
        shown = self.skips + current[: WARNINGS_MAX - len(self.skips)]
        more = self.more + len(self.skips) + len(current) - len(shown)
        lines = [f"{name}: from byte {skip.offset} on {skip.text}" for skip in shown]
        return [*lines, f"{name}: {more} more such warnings"] if more else lines
