"""Reassembly from the control side: limits, and contexts whose time is up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.dataplane.abi import NEVER
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.errors4 import REASS_TIMEOUT
from vectorplane.graph_nodes.ip4_reassembly_memory import CONTEXTS_AT, Limits, ReassemblyMemory
from vectorplane.graph_nodes.ip4_reassembly_table import (
    CONTEXT,
    MAX_CONTEXTS,
    TABLE,
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


class Reassembly(ReassemblyMemory):
    """The contexts of full reassembly."""

    def __init__(self, plane: Dataplane) -> None:
        super().__init__(plane, "reassembly", Limits())
        places = range(len(plane.workers))
        self._contexts = [self._region.view(CONTEXT, w * self._size + CONTEXTS_AT, MAX_CONTEXTS) for w in places]
        self.enable_local()

    def enable_local(self, on: bool = True) -> None:
        """Whether fragments to this router are put together, or dropped."""
        for table in self._tables:
            table["local_enabled"] = on

    @property
    def local_enabled(self) -> bool:
        """Are fragments to this router put together?"""
        return bool(self._tables[0]["local_enabled"])

    def expire(self, now: int) -> int:
        """Free the contexts whose time is up at ``now`` ns, oldest first, worker by worker; gives how many.

        A worker that has none left will ask again (event `REASSEMBLY_STARTED`). No worker may be running.
        """
        freed = sum(_expire(w.address, a, now) for w, a in zip(self._plane.workers, self.addresses, strict=True))
        self._expired()
        return freed

    def next_expiry(self) -> int:
        """When (ns) the next context's time is up; `NEVER` when there is none."""
        heard = [
            int(self._contexts[w][int(t["oldest"])]["heard"])
            for w, t in enumerate(self._tables)
            if int(t["oldest"]) >= 0
        ]
        return min(heard) + self._limits.timeout_ms * 1_000_000 + 1 if heard else NEVER
