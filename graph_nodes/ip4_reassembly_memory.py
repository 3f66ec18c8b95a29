"""The memory of reassembly, full or shallow virtual: a table of contexts for each worker, and its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.ip4_reassembly_table import BUCKETS, CONTEXT_SIZE, MAX_CONTEXTS, TABLE, TABLE_SIZE

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

CONTEXTS_AT = TABLE_SIZE + 4 * BUCKETS
"""Where the contexts lie in a worker's memory, behind the table and its buckets."""


@dataclass(frozen=True)
class Limits:
    """VPP's ``ip_reassembly_set`` for IPv4, full reassembly, with its defaults."""

    timeout_ms: int = 200
    max_reassemblies: int = 1024
    max_reassembly_length: int = 3
    expire_walk_interval_ms: int = 50


class ReassemblyMemory:
    """The contexts of all workers of an engine. ``further``: bytes behind each worker's contexts."""

    def __init__(self, plane: Dataplane, name: str, limits: Limits, further: int = 0) -> None:
        self._plane = plane
        self._size = CONTEXTS_AT + CONTEXT_SIZE * MAX_CONTEXTS + further
        n = len(plane.workers)
        self._region = Region(self._size * n, name=name)
        self.addresses = [self._region.address + w * self._size for w in range(n)]
        self._tables: list[Any] = [self._region.view(TABLE, w * self._size, 1)[0] for w in range(n)]
        for address, table in zip(self.addresses, self._tables, strict=True):
            table["buckets"] = address + TABLE_SIZE
            table["contexts"] = address + CONTEXTS_AT
            table["free"] = table["oldest"] = table["newest"] = -1
        self.set(limits)

    @property
    def limits(self) -> Limits:
        """The limits in force."""
        return self._limits

    def set(self, limits: Limits) -> None:
        """Change them; contexts beyond a lower one stay until they are complete or expire.

        Raises:
            ValueError: one is out of range.
        """
        if not 0 <= limits.max_reassemblies <= MAX_CONTEXTS:
            raise ValueError(f"max_reassemblies {limits.max_reassemblies} is not within 0 to {MAX_CONTEXTS}")
        self._limits = limits
        for table in self._tables:
            table["timeout"] = limits.timeout_ms * 1_000_000
            table["max_contexts"] = limits.max_reassemblies
            table["max_fragments"] = limits.max_reassembly_length

    @property
    def count(self) -> int:
        """Datagrams of which fragments have come."""
        return sum(int(t["count"]) for t in self._tables)

    def _expired(self) -> None:
        """Contexts have expired: a worker that has none left will ask again."""
        for table in self._tables:
            table["armed"] = int(table["count"]) > 0

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
