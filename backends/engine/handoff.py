"""``set interface handoff``: which workers the packets of an interface are spread over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vectorplane.backends.engine.rss import MICROSOFT_KEY, SYMMETRIC_KEY, Rss
from vectorplane.graph_nodes.handoff import Handoffs
from vectorplane.graph_nodes.toeplitz import TABLE_ENTRIES

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane


class InterfaceHandoffs:
    """The handoff of a dataplane's interfaces: ``plane.shared(InterfaceHandoffs)``."""

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        self._rss: dict[int, Rss] = {}

    def set(self, sw_if_index: int, workers: Sequence[int], *, symmetric: bool = True) -> None:
        """Spread what the interface receives over these workers, by the flow; no workers: switch it off.

        ``symmetric``: both directions of a flow have the same worker. No worker may be running.

        Raises:
            ValueError: there is no such worker.
        """
        plane = self._plane
        for worker in workers:
            if not 0 <= worker < len(plane.workers):
                raise ValueError(f"there is no worker {worker}: there are {len(plane.workers)}")
        handoffs = plane.shared(Handoffs)
        was_on = sw_if_index in self._rss
        if workers:
            table = [workers[i % len(workers)] for i in range(TABLE_ENTRIES)]
            made = Rss(key=SYMMETRIC_KEY if symmetric else MICROSOFT_KEY, table=table)
            handoffs.hashes[sw_if_index] = made.address
            old, self._rss[sw_if_index] = self._rss.get(sw_if_index), made
        else:
            handoffs.hashes[sw_if_index] = 0
            old = self._rss.pop(sw_if_index, None)
        if was_on != bool(workers):
            plane.arcs["device-input"].enable(sw_if_index, "worker-handoff", bool(workers))
        if old is not None:
            old.close()

    def close(self) -> None:
        """Give the memory back; the engine is closed."""
        for rss in self._rss.values():
            rss.close()
        self._rss.clear()
