"""A dataplane: buffers, interfaces, graph, counters and workers of one engine instance."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

from vectorplane.dataplane.buffer import CACHE_SIZE
from vectorplane.dataplane.epoch import Epochs
from vectorplane.dataplane.feature import ArcType, FeatureArc
from vectorplane.dataplane.graph import MAX_ERRORS, MAX_NODES, Graph, Node
from vectorplane.dataplane.interface import LOOPED, MAX_INTERFACES, InterfaceTable
from vectorplane.dataplane.node import NodeType, Registry
from vectorplane.dataplane.pool import BufferPool
from vectorplane.dataplane.stats import StatsSegment
from vectorplane.dataplane.worker import Worker

T = TypeVar("T")

_NODE_VECTORS = ("clocks", "vectors", "calls")
_INTERFACE_COMBINED = ("rx", "tx")
_INTERFACE_SIMPLE = ("drops", "punt", "rx-error", "tx-error", "rx-miss", "ip4", "ip6")


class Dataplane:
    """Everything that the workers of one engine share, and the workers.

    ``shared(factory)`` gives the one instance of a table class that nodes of this engine work on; the
    dataplane itself knows no protocol.
    """

    def __init__(
        self,
        types: Iterable[NodeType],
        arcs: Iterable[ArcType] = (),
        *,
        buffers: int = 16384,
        workers: int = 1,
        seed: int = 1,
    ) -> None:
        self.seed = seed
        self.epochs = Epochs(max_workers=workers)
        self.pool = BufferPool(max(buffers, 2 * CACHE_SIZE * workers))
        self.stats = StatsSegment(workers)
        self.interfaces = InterfaceTable()
        self.graph = Graph(self, Registry(types), workers)
        self._shared: dict[Any, Any] = {}
        self._closers: list[Callable[[], None]] = []
        self._turn_takers: set[str] = set()
        self.node_stats = {n: self.stats.simple(f"/sys/node/{n}", MAX_NODES) for n in (*_NODE_VECTORS, "suspends")}
        self.errors = self.stats.simple("/sys/node/errors", MAX_ERRORS)
        self.drops = self.stats.simple("/sys/vectorplane/drops", MAX_ERRORS)
        self.consumed = self.stats.simple("/sys/vectorplane/consumed", MAX_ERRORS)
        self.if_stats = {n: self.stats.combined(f"/if/{n}", MAX_INTERFACES) for n in _INTERFACE_COMBINED}
        self.if_stats |= {n: self.stats.simple(f"/if/{n}", MAX_INTERFACES) for n in _INTERFACE_SIMPLE}
        self.gone = {n: np.zeros(2, np.int64) for n in _INTERFACE_COMBINED}
        """Packets and bytes (int64 [2]) that interfaces which were removed had received and sent."""
        self.arcs = {a.name: FeatureArc(self, a) for a in arcs}
        self.workers = [Worker(self, i) for i in range(workers)]
        for i, w in enumerate(self.workers):
            r = w.record
            r["seed"] = seed
            r["errors"], r["drops"] = self.errors.addresses[i], self.drops.addresses[i]
            r["consumed"] = self.consumed.addresses[i]
            for name in _NODE_VECTORS:
                r[f"node_{name}"] = self.node_stats[name].addresses[i]
            for name in (*_INTERFACE_COMBINED, *_INTERFACE_SIMPLE[:-2]):
                r[f"if_{name.replace('-', '_')}"] = self.if_stats[name].addresses[i]

    def shared(self, factory: Callable[[Dataplane], T]) -> T:
        """The instance of ``factory`` (a table class) that belongs to this dataplane; made on first use."""
        if factory not in self._shared:
            self._shared[factory] = made = factory(self)
            close = getattr(made, "close", None)
            if close is not None:
                self._closers.append(close)
        made = self._shared[factory]
        return made  # type: ignore[no-any-return]

    def node_added(self, node: Node) -> None:
        """Called by the graph: give a new node its place in the counters."""
        for vector in self.node_stats.values():
            vector.extend(node.index + 1)
        for code, (symbol, _) in enumerate(node.errors):
            self.errors.extend(node.error_index(code) + 1)
            self.stats.symlink(f"/err/{node.name}/{symbol}", self.errors, node.error_index(code))

    def add_interface(self, name: str, index: int | None = None) -> int:
        """A new sw_if_index with its counters at zero."""
        sw_if_index = self.interfaces.add(name, index)
        for vector in self.if_stats.values():
            vector.extend(sw_if_index + 1)
            vector.clear(sw_if_index)
        return sw_if_index

    def remove_interface(self, sw_if_index: int) -> None:
        """Free a sw_if_index. What it counted stays part of the balance, in `gone`."""
        record = self.interfaces.records[sw_if_index]
        if int(record["sup"]) == sw_if_index and not int(record["flags"]) & LOOPED:
            for name in _INTERFACE_COMBINED:
                self.gone[name] += self.if_stats[name].total(sw_if_index)
        for arc in self.arcs.values():
            arc.clear(sw_if_index)
        self.interfaces.remove(sw_if_index)

    def error_counts(self, vector: str = "errors") -> dict[str, int]:
        """Counters that are not zero, ``"node: text"`` to count; of `errors`, `drops` or `consumed`."""
        total = {"errors": self.errors, "drops": self.drops, "consumed": self.consumed}[vector].total()
        counts: dict[str, int] = {}
        for i in np.flatnonzero(total[: len(self.graph.error_names)]):
            node, text = self.graph.error_names[i]
            key = f"{node}: {text}"
            counts[key] = counts.get(key, 0) + int(total[i])
        return counts

    def take_turns(self, feature: str, on: bool) -> None:
        """A feature makes sessions: in virtual time vectors hold packets of one input as long as there is any such.

        Answers take other ways than requests, and must not be looked up before the request has made its session.
        """
        (self._turn_takers.add if on else self._turn_takers.discard)(feature)
        for worker in self.workers:
            worker.record["by_turns"] = int(bool(self._turn_takers))

    def free_buffers(self) -> int:
        """Buffers that hold no packet: those on the shared stack and those the workers keep."""
        return self.pool.free + sum(int(w.record["cache_n"]) for w in self.workers)

    def make_private(self) -> None:
        """In a process that was forked: share no memory with the other one any more. Raises `OSError`."""
        self.pool.make_private()
        self.stats.region.make_private()

    def close(self) -> None:
        """Give all memory back. No worker may be running."""
        for close in reversed(self._closers):
            close()
        for arc in self.arcs.values():
            arc.close()
        for w in self.workers:
            w.close()
        self.graph.close()
        self.interfaces.close()
        self.stats.close()
        self.pool.close()
        self.epochs.close()
