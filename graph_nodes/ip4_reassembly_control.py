"""Reassembly from the control side: limits, and contexts whose time is up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vectorplane.dataplane.abi import NEVER
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.errors4 import REASS_TIMEOUT
from vectorplane.graph_nodes.ip4_reassembly_table import (
    BUCKETS,
    CONTEXT,
    CONTEXT_SIZE,
    MAX_CONTEXTS,
    TABLE,
    TABLE_SIZE,
    context_at,
    forget,
    free_ranges,
)
from vectorplane.jit.kernel import compiled, routine
from vectorplane.jit.ops import rec

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane


def _expire_before(worker: int, table: int, now: int) -> int:
    """Free the contexts whose last fragment came more than the timeout before ``now`` ns; gives how many."""
    t = rec(table, TABLE)
    freed = 0
    while t.oldest >= 0:
        index = t.oldest
        c = rec(context_at(table, index), CONTEXT)
        if now <= c.heard + t.timeout and t.timeout > 0:  # 0: a clock has always gone on (in VPP, whose is finer)
            break
        free_ranges(worker, c.first)
        count(worker, c.errors + REASS_TIMEOUT, 1)
        forget(table, index)
        freed += 1
    return freed


expire_before = routine(_expire_before)


@compiled
def _expire(worker: int, table: int, now: int) -> int:
    """`expire_before`, for Python."""
    return expire_before(worker, table, now)


@dataclass(frozen=True)
class Limits:
    """VPP's ``ip_reassembly_set`` for IPv4, full reassembly, with its defaults."""

    timeout_ms: int = 200
    max_reassemblies: int = 1024
    max_reassembly_length: int = 3
    expire_walk_interval_ms: int = 50


class Reassembly:
    """The contexts of all workers of an engine."""

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        size = TABLE_SIZE + 4 * BUCKETS + CONTEXT_SIZE * MAX_CONTEXTS
        n = len(plane.workers)
        self._region = Region(size * n, name="reassembly")
        self.addresses = [self._region.address + w * size for w in range(n)]
        self._tables = [self._region.view(TABLE, w * size, 1)[0] for w in range(n)]
        at = TABLE_SIZE + 4 * BUCKETS
        self._contexts = [self._region.view(CONTEXT, w * size + at, MAX_CONTEXTS) for w in range(n)]
        for address, table in zip(self.addresses, self._tables, strict=True):
            table["buckets"] = address + TABLE_SIZE
            table["contexts"] = address + at
            table["free"] = table["oldest"] = table["newest"] = -1
            table["local_enabled"] = 1
        self.set(Limits())

    @property
    def limits(self) -> Limits:
        """The limits in force."""
        return self._limits

    def set(self, limits: Limits) -> None:
        """Change the limits; contexts beyond a lower one stay until they are complete or expire.

        Raises:
            ValueError: a limit is out of range.
        """
        if not 0 <= limits.max_reassemblies <= MAX_CONTEXTS:
            raise ValueError(f"max_reassemblies {limits.max_reassemblies} is not within 0 to {MAX_CONTEXTS}")
        self._limits = limits
        for table in self._tables:
            table["timeout"] = limits.timeout_ms * 1_000_000
            table["max_contexts"] = limits.max_reassemblies
            table["max_fragments"] = limits.max_reassembly_length

    def enable_local(self, on: bool = True) -> None:
        """Whether fragments to this router are put together, or dropped."""
        for table in self._tables:
            table["local_enabled"] = on

    @property
    def local_enabled(self) -> bool:
        """Are fragments to this router put together?"""
        return bool(self._tables[0]["local_enabled"])

    @property
    def count(self) -> int:
        """Datagrams whose fragments are being collected now."""
        return sum(int(t["count"]) for t in self._tables)

    def expire(self, now: int) -> int:
        """Free the contexts whose time is up at ``now`` ns, oldest first, worker by worker; gives how many.

        A worker that has none left will ask again (event `REASSEMBLY_STARTED`). No worker may be running.
        """
        freed = sum(_expire(w.address, a, now) for w, a in zip(self._plane.workers, self.addresses, strict=True))
        for table in self._tables:
            table["armed"] = int(table["count"]) > 0
        return freed

    def next_expiry(self) -> int:
        """When (ns) the next context's time is up; `NEVER` when there is none."""
        heard = [
            int(self._contexts[w][int(t["oldest"])]["heard"])
            for w, t in enumerate(self._tables)
            if int(t["oldest"]) >= 0
        ]
        return min(heard) + self._limits.timeout_ms * 1_000_000 + 1 if heard else NEVER

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
