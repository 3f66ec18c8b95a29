"""An IPv4 FIB in plain Python: forwarding is worked out from the configuration for each question, nothing is kept.

It speaks of interfaces by number and of addresses as numbers. What it gives for an address is the set of places that
its packets may go to: ``("receive", i)``, ``("glean", i)``, ``("neighbour", i, next hop, is its MAC known)`` and so
on; an empty set is a drop.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from vectorplane.backends.engine.route_paths import Path

Place = tuple[object, ...]
Prefix = tuple[int, int]

INTERFACE, API, ADJ, RR, DEFAULT = range(5)


@dataclass
class NaiveInterface:
    """An interface with at most one address."""

    up: bool = True
    address: int = 0
    length: int = 0


@dataclass
class NaiveFib:
    """One table."""

    interfaces: dict[int, NaiveInterface] = field(default_factory=dict)
    routes: dict[Prefix, tuple[Path, ...]] = field(default_factory=dict)
    neighbours: set[tuple[int, int]] = field(default_factory=set)

    def entries(self) -> dict[Prefix, dict[int, tuple[Path, ...]]]:
        """All prefixes with what each source wants of them."""
        made: dict[Prefix, dict[int, tuple[Path, ...]]] = {}

        def want(prefix: int, length: int, source: int, *paths: Path) -> None:
            sources = made.setdefault((prefix, length), {})
            sources[source] = sources.get(source, ()) + paths

        want(0, 0, DEFAULT, Path(kind="drop"))
        for i, x in self.interfaces.items():
            if x.up and x.address:
                mask = -1 << (32 - x.length)
                want(x.address, 32, INTERFACE, Path(x.address, i, kind="local"))
                want(x.address & mask, x.length, INTERFACE, Path(x.address, i, kind="connected"))
                for end in (x.address & mask, (x.address | ~mask) & 0xFFFFFFFF):
                    want(end, 32, INTERFACE, Path(kind="drop"))
        for (prefix, length), paths in self.routes.items():
            want(prefix, length, API, *paths)
            for path in paths:
                if path.is_recursive:
                    want(path.next_hop, 32, RR)
        for i, address in self.neighbours:
            want(address, 32, ADJ, Path(address, i))
        return made

    def places(self, address: int) -> set[Place]:
        """Where packets to the address may go."""
        return self._places(self.entries(), address, ())

    def _places(
        self, entries: dict[Prefix, dict[int, tuple[Path, ...]]], address: int, way: tuple[Prefix, ...]
    ) -> set[Place]:
        for length in range(32, -1, -1):
            key = (address & (-1 << (32 - length)), length)
            if key in entries:
                paths = self._paths(entries, key)
                if paths is not None:
                    if length == 32 and min(entries[key]) == API:  # over an interface: that host is the neighbour
                        paths = tuple(replace(p, next_hop=address) if p.is_attached else p for p in paths)
                    return set() if key in way else self._resolve(entries, paths, (*way, key))
        return set()

    def _cover(self, entries: dict[Prefix, dict[int, tuple[Path, ...]]], key: Prefix) -> Prefix:
        return max(((p, n) for p, n in entries if n < key[1] and (key[0] ^ p) >> (32 - n) == 0), key=lambda c: c[1])

    def _paths(self, entries: dict[Prefix, dict[int, tuple[Path, ...]]], key: Prefix) -> tuple[Path, ...] | None:
        source = min(entries[key])
        paths = entries[key][source]
        if source not in (ADJ, RR):
            return paths
        cover = self._cover(entries, key)
        above = min(entries[cover])
        covering = entries[cover][above]
        if source == ADJ:
            attached = any(p.kind == "connected" or p.is_attached for s in entries[cover].values() for p in s)
            kept = tuple(p for p in paths if p.sw_if_index == self._interface(entries, covering))
            return kept if attached and kept else None
        if any(p.kind == "connected" for p in covering):
            return (Path(key[0], covering[0].sw_if_index),)
        return covering

    def _interface(self, entries: dict[Prefix, dict[int, tuple[Path, ...]]], paths: tuple[Path, ...]) -> int:
        return next((p.sw_if_index for p in paths if p.sw_if_index >= 0), -1)

    def _resolve(
        self, entries: dict[Prefix, dict[int, tuple[Path, ...]]], paths: tuple[Path, ...], way: tuple[Prefix, ...]
    ) -> set[Place]:
        for preference in sorted({p.preference for p in paths}):
            found: set[Place] = set()
            for p in (p for p in paths if p.preference == preference):
                found |= self._usable(entries, p, way)
            if found:
                return found
        return set()

    def _usable(
        self, entries: dict[Prefix, dict[int, tuple[Path, ...]]], path: Path, way: tuple[Prefix, ...]
    ) -> set[Place]:
        i = path.sw_if_index
        if path.kind == "local":
            return {("receive", i)}
        if path.kind != "normal" and path.kind != "connected":
            return set()
        if path.is_recursive:
            # as in VPP: a neighbour's host route that is not to be used hides what covers it from recursive routes
            if self._paths(entries, (path.next_hop, 32)) is None:
                return set()
            return self._places(entries, path.next_hop, way)
        if not self.interfaces[i].up:
            return set()
        if path.kind == "connected" or path.is_attached:
            return {("glean", i)}
        return {("neighbour", i, path.next_hop, (i, path.next_hop) in self.neighbours)}
