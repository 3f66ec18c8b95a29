"""Entries of a FIB: a prefix, the sources that want something of it, and what it forwards by."""

from __future__ import annotations

from typing import NamedTuple

from vectorplane.backends.engine.path_sets import PathSet
from vectorplane.backends.engine.route_paths import ATTACHED_HOST, Path, prefix_text
from vectorplane.backends.engine.route_paths import CONNECTED as CONNECTED_PATH
from vectorplane.backends.engine.route_paths import LOCAL as LOCAL_PATH
from vectorplane.graph_nodes.arp_owners import (
    IS_ATTACHED,
    IS_CONNECTED,
    IS_NEIGHBOUR,
    SOURCE_IS_LOCAL,
    TARGET_IS_LOCAL,
)

# sources in VPP's order of priority: the first one that an entry has decides
SPECIAL, INTERFACE, API, CLI, ADJ, IMPORT, NAT, RR, DEFAULT = range(9)
SOURCE_NAMES = (
    "special",
    "interface",
    "API",
    "CLI",
    "adjacency",
    "attached_export",
    "nat-low",
    "recursive-resolution",
    "default-route",
)

# flags of an entry, a source
CONNECTED, ATTACHED, LOCAL = 1, 2, 4

DROP_PATHS = (Path(kind="drop"),)


class Source(NamedTuple):
    """What a source wants: paths (RR: none, it takes the cover's) and flags."""

    paths: tuple[Path, ...]
    flags: int


class Entry:
    """One prefix of one FIB."""

    __slots__ = (
        "cover_length",
        "dependants",
        "fib",
        "flags",
        "installed",
        "lb",
        "length",
        "number",
        "owned",
        "path_set",
        "prefix",
        "sources",
    )

    def __init__(self, fib: int, prefix: int, length: int, number: int) -> None:
        self.fib, self.prefix, self.length, self.number = fib, prefix, length, number
        self.sources: dict[int, Source] = {}
        self.lb = 0
        self.path_set: PathSet | None = None
        self.installed = False
        self.flags = 0
        """Of the source that decides."""
        self.dependants: set[PathSet] = set()
        """Path sets that are resolved through this entry."""
        self.cover_length = -1
        self.owned = False

    @property
    def tracked(self) -> bool:
        """Does it depend on the route that covers it?"""
        return ADJ in self.sources or RR in self.sources

    @property
    def forwards(self) -> bool:
        """Do packets get anywhere?"""
        return self.installed and self.path_set is not None and bool(self.path_set.hops)

    @property
    def is_own_route(self) -> bool:
        """Does anything but a recursive path want it? Else it is what the route that covers it says."""
        return min(self.sources, default=RR) < RR

    @property
    def is_attached(self) -> bool:
        """Is its address reached on an interface, without another router?"""
        return bool(self.flags & ATTACHED)

    def __repr__(self) -> str:
        return f"<fib {self.fib} {prefix_text(self.prefix, self.length)}>"


def flags_of(source: int, paths: tuple[Path, ...]) -> int:
    """The flags of an entry that `source` gives these paths."""
    flags = 0
    for path in paths:
        if path.kind == CONNECTED_PATH:
            flags |= CONNECTED | ATTACHED
        elif path.kind == LOCAL_PATH:
            flags |= CONNECTED | LOCAL
        elif path.is_attached or path.flags & ATTACHED_HOST or source in (ADJ, IMPORT):
            flags |= ATTACHED
    return flags


def arp_flags(entry: Entry) -> int:
    """What ARP wants to know of an entry: `vectorplane.graph_nodes.arp_owners`; the sources by their priority."""
    answer = 0
    source_known = target_known = False
    for number in sorted(entry.sources):
        flags = entry.sources[number].flags
        if number == RR:
            flags = entry.flags & (CONNECTED | ATTACHED) if len(entry.sources) == 1 else 0
        if not source_known and flags:
            source_known = True
            answer |= SOURCE_IS_LOCAL if flags & LOCAL else IS_ATTACHED
        if not target_known and flags & CONNECTED:
            target_known = True
            answer |= IS_CONNECTED | (TARGET_IS_LOCAL if flags & LOCAL else 0)
    if ADJ in entry.sources:
        answer |= IS_NEIGHBOUR
    return answer
