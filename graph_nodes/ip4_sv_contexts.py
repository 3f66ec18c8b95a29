"""Contexts of shallow virtual reassembly: datagrams of which fragments have come, one a datagram, by worker.

They are kept as those of full reassembly (`vectorplane.graph_nodes.ip4_reassembly_table`), ordered by when they were
made. A context's ``first`` and ``last_octet`` are the first and the last fragment that wait (-1: none), ``data`` says
whether its first fragment (`FIRST`), whose L4 header lies in `INFO`, and its last one (`LAST`) have come.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.buffer import buffer_at
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.ip4_reassembly_memory import Limits, ReassemblyMemory
from vectorplane.graph_nodes.ip4_reassembly_table import (
    CONTEXT,
    CONTEXT_SIZE,
    MAX_CONTEXTS,
    TABLE,
    context_at,
    forget,
)
from vectorplane.graph_nodes.ip4_sv_buffer import SV_BUFFER
from vectorplane.graph_nodes.rare import free
from vectorplane.jit.kernel import compiled, helper, routine
from vectorplane.jit.ops import rec

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

FIRST, LAST = 1, 2
INFO = np.dtype([("word", "i8"), ("seq", "i8")])
INFO_SIZE = INFO.itemsize
"""`INFO_WORD` and `SEQ_WORD` of `vectorplane.graph_nodes.ip4_sv_buffer`, without bits."""


@helper
def info_of(table: int, index: int) -> int:
    """Address of the `INFO` of a context: all lie behind the contexts."""
    return rec(table, TABLE).contexts + CONTEXT_SIZE * MAX_CONTEXTS + index * INFO_SIZE


@helper
def too_old(table: int, index: int, now: int) -> bool:
    """Has a context's time run out? With a timeout of 0 it always has: VPP's clock goes on between two packets."""
    timeout = rec(table, TABLE).timeout
    return timeout == 0 or now > rec(context_at(table, index), CONTEXT).heard + timeout


@routine
def drop_waiting(worker: int, table: int, index: int, error: int) -> None:
    """Forget a context; the fragments that wait are freed and counted as error index ``error``."""
    at = rec(context_at(table, index), CONTEXT).first
    n = 0
    while at >= 0:
        following = rec(buffer_at(worker, at), SV_BUFFER).next
        free(worker, at)
        n += 1
        at = following
    if n > 0:
        count(worker, error, n)
    forget(table, index)


@compiled
def expire(worker: int, table: int, now: int, code: int) -> int:
    """Forget all contexts whose last fragment came more than the timeout before ``now`` ns; gives how many.

    ``code``: the error's place among those of the node that made the context.
    """
    t = rec(table, TABLE)
    freed = 0
    index = t.oldest
    while index >= 0:
        c = rec(context_at(table, index), CONTEXT)
        following = c.newer
        if too_old(table, index, now):
            drop_waiting(worker, table, index, c.errors + code)
            freed += 1
        index = following
    return freed


@dataclass(frozen=True)
class SvLimits(Limits):
    """The same for shallow virtual reassembly, with its defaults. 0 contexts: no limit."""

    timeout_ms: int = 100
    expire_walk_interval_ms: int = 10_000


class SvReassembly(ReassemblyMemory):
    """The contexts of shallow virtual reassembly."""

    def __init__(self, plane: Dataplane) -> None:
        super().__init__(plane, "shallow reassembly", SvLimits(), INFO_SIZE * MAX_CONTEXTS)

    def set(self, limits: Limits) -> None:
        """Change them; what is there stays until its time is up, or until it is the oldest of too many.

        Raises:
            ValueError: one is out of range.
        """
        super().set(limits)
        for table in self._tables:
            table["max_contexts"] = limits.max_reassemblies or MAX_CONTEXTS

    def set_extended(self, on: bool) -> None:
        """VPP's extended mode: the features let fragments go on when both the first and the last one have come."""
        for table in self._tables:
            table["extended"] = on

    def expire(self, now: int, code: int) -> int:
        """Forget what is too old at ``now`` ns. No worker may be running."""
        freed = sum(expire(w.address, a, now, code) for w, a in zip(self._plane.workers, self.addresses, strict=True))
        self._expired()
        return freed
