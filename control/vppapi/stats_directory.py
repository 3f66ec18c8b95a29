"""What VPP's statistics segment has beyond the counters themselves: names, symlinks, gauges.

Counters are counted in place by the packets' threads. Here the directory follows the interfaces and nodes that there
are, and gauges are brought up to date now and then. Everything is called with the engine paused.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import INTERNAL
from vectorplane.dataplane.graph import MAX_NODES
from vectorplane.dataplane.interface import MAX_INTERFACES
from vectorplane.dataplane.stats import SCALAR
from vectorplane.dataplane.stats_names import NameVector

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

_POOL = "/buffer-pools/default-numa-0"


class StatsDirectory:
    """Keeps one engine's segment as VPP would have it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        plane = engine.plane
        stats = self._stats = plane.stats
        self._heartbeat = stats.entry("/sys/heartbeat", SCALAR, 0)
        stats.entry("/sys/last_stats_clear", SCALAR, 0)
        stats.entry("/sys/boottime", SCALAR, int(time.time()))
        stats.gauge("/sys/num_worker_threads", len(plane.workers) - 1)
        self._rate = stats.gauge("/sys/vector_rate")
        self._rates = stats.simple("/sys/vector_rate_per_worker", 1 + len(plane.workers))
        self._loops = stats.simple("/sys/loops_per_worker", 1 + len(plane.workers))
        for vector in (self._rates, self._loops):
            vector.extend(len(plane.workers))
        self._pool = {kind: stats.gauge(f"{_POOL}/{kind}") for kind in ("cached", "used", "available")}
        self._interfaces: dict[int, str] = {}
        self._nodes: list[str] = []
        self._interface_names = NameVector(stats, "/if/names", MAX_INTERFACES)
        self._node_names = NameVector(stats, "/sys/node/names", MAX_NODES)
        self._beats = 0
        self._changes = -1
        self._before = np.zeros((len(plane.workers), 3))
        self._then = time.monotonic()
        self.follow()

    def follow(self) -> None:
        """Have names and symlinks of all interfaces and nodes that there are; cheap when nothing has changed."""
        plane = self._engine.plane
        nodes = plane.graph.nodes
        if plane.interfaces.changes == self._changes and len(nodes) == len(self._nodes):
            return
        self._changes = plane.interfaces.changes
        now = plane.interfaces.names
        for index in [i for i, name in self._interfaces.items() if now.get(i) != name]:
            self._unlink("interfaces", self._interfaces.pop(index), plane.if_stats)
            self._interface_names.set(index, None)
        for index in [i for i in now if i not in self._interfaces]:
            name = self._interfaces[index] = now[index]
            self._interface_names.set(index, name)
            for counter, vector in plane.if_stats.items():
                self._stats.symlink(_path("interfaces", name, counter), vector, index)
        # nodes only ever join, but may be renamed: first all old names go, since another node may have one now
        renamed = [i for i, name in enumerate(self._nodes) if nodes[i].name != name]
        for i in renamed:
            self._unlink("nodes", self._nodes[i], plane.node_stats)
        for i in (*renamed, *range(len(self._nodes), len(nodes))):
            name = nodes[i].name
            self._node_names.set(i, name)
            for counter, vector in plane.node_stats.items():
                self._stats.symlink(_path("nodes", name, counter), vector, i)
        self._nodes = [n.name for n in nodes]

    def _unlink(self, group: str, name: str, counters: Iterable[str]) -> None:
        for counter in counters:
            path = _path(group, name, counter)
            if path in self._stats.by_name:  # `a/b` and `a_b` have one between them
                self._stats.remove(path)

    def update(self) -> None:
        """Bring the gauges up to date; call it every few seconds."""
        self.follow()
        plane, stats = self._engine.plane, self._stats
        self._beats += 1
        stats.set_scalar(self._heartbeat, self._beats)
        cached = sum(int(w.record["cache_n"]) for w in plane.workers)
        for kind, value in (
            ("cached", cached),
            ("used", plane.pool.count - plane.free_buffers()),
            ("available", plane.pool.free),
        ):
            stats.set_scalar(self._pool[kind], value)
        self._update_rates()

    def _update_rates(self) -> None:
        """Packets a call of the internal nodes, and rounds a second, since the last time."""
        plane = self._engine.plane
        internal = [n.index for n in plane.graph.nodes if n.type.kind == INTERNAL]
        now = time.monotonic()
        seconds, self._then = max(now - self._then, 1e-6), now
        counts = np.array(
            [
                [
                    plane.node_stats["vectors"].thread(i)[internal].sum(),
                    plane.node_stats["calls"].thread(i)[internal].sum(),
                    w.record["rounds"],
                ]
                for i, w in enumerate(plane.workers)
            ],
            dtype=float,
        )
        vectors, calls, rounds = np.maximum(counts - self._before, 0).T  # they may have been cleared
        self._before = counts
        rates = vectors / np.maximum(calls, 1)
        n = len(plane.workers)
        self._rates.thread(0)[:n] = rates
        self._loops.thread(0)[:n] = rounds / seconds
        self._stats.set_scalar(self._rate, int(rates.mean()))


def _path(group: str, name: str, counter: str) -> str:
    return f"/{group}/{name.replace('/', '_')}/{counter}"
