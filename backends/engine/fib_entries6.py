"""Entries of an IPv6 FIB: a prefix, the sources that want something of it, and which of their paths is taken."""

from __future__ import annotations

from collections.abc import Callable

from vectorplane.backends.engine.fib_entries import ADJ, INTERFACE, SPECIAL
from vectorplane.backends.engine.route_paths import CONNECTED, DROP, LOCAL, NORMAL, PROHIBIT, PUNT, UNREACHABLE, Path
from vectorplane.backends.engine.route_paths6 import prefix_text6
from vectorplane.graph_nodes.fib6 import ADJACENT6, DROP6, LINK_LOCAL6, OTHER6, RECEIVE6

LINK_LOCAL_PREFIX = (0xFE80 << 112, 10)
_NOWHERE = (DROP, UNREACHABLE, PROHIBIT, PUNT)


class Entry6:
    """One prefix of one FIB."""

    __slots__ = ("fib", "installed", "lb", "length", "prefix", "sources")

    def __init__(self, fib: int, prefix: int, length: int, lb: int) -> None:
        self.fib, self.prefix, self.length, self.lb = fib, prefix, length, lb
        self.sources: dict[int, tuple[Path, ...]] = {}
        """Each source's paths; the first source in VPP's order of priority decides."""
        self.installed = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """Those of the source that decides."""
        return self.sources[min(self.sources)]

    @property
    def interface(self) -> int:
        """The interface of its first path that has one; -1: none."""
        return next((p.sw_if_index for p in self.paths if p.sw_if_index >= 0), -1)

    @property
    def is_attached(self) -> bool:
        """Are the addresses of the prefix neighbours on its interface?"""
        own = self.sources.get(INTERFACE, ())
        return any(p.kind == CONNECTED or p.is_attached for p in (*self.paths, *own))

    @property
    def is_ours(self) -> bool:
        """Is it an address that an interface has?"""
        return any(p.kind == LOCAL for p in self.sources.get(INTERFACE, ()))

    def way(self, is_up: Callable[[int], bool]) -> tuple[int, int]:
        """What becomes of its packets (`DROP6` ...) and by which interface (-1: none).

        Of the paths that can be used those with the lowest preference count, and of these the first.
        """
        if (self.prefix, self.length) == LINK_LOCAL_PREFIX and min(self.sources) == SPECIAL:
            return LINK_LOCAL6, -1
        best: tuple[int, int, int] | None = None
        for path in self.paths:
            if path.kind in _NOWHERE:
                way = (DROP6, -1)
            elif path.kind == LOCAL:
                way = (RECEIVE6, path.sw_if_index)
            elif path.kind in (NORMAL, CONNECTED) and path.sw_if_index >= 0:
                if not is_up(path.sw_if_index):
                    continue
                way = (ADJACENT6, path.sw_if_index)
            else:
                way = (OTHER6, -1)
            if best is None or path.preference < best[0]:
                best = (path.preference, *way)
        return (DROP6, -1) if best is None else best[1:]

    @property
    def tracked(self) -> bool:
        """Does it depend on the route that covers it?"""
        return ADJ in self.sources

    def __repr__(self) -> str:
        return f"<ip6 fib {self.fib} {prefix_text6(self.prefix, self.length)}>"
