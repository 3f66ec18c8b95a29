"""What a node of a large cluster takes to start, to put everything right, and for one change: rendered and applied.

One node is real (an engine, an agent with all its handlers, a hundred pods on links of their own); of the others there
is what the store says. A change is measured from its write to the store, or from CNI's request, until the engine has
it. Wall time is what users wait; CPU time does not depend on what else the machine does.
"""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from vectorplane.backends.engine.network import Network
from vectorplane.bench.cluster_records import APPS, NODE_PORTS, SPACES, LargeCluster, endpoints, management, pod, policy
from vectorplane.control.cluster.agent.event import AddPod, DeletePod, Resync
from vectorplane.control.cluster.ipam.check import pools_of
from vectorplane.control.cluster.ipam.node_id import NodeRecord
from vectorplane.control.cluster.keys import key_of
from vectorplane.control.cluster.load import parse_settings
from vectorplane.control.cluster.model.base import Record
from vectorplane.control.cluster.model.namespace import Namespace
from vectorplane.control.cluster.simulated.default_settings import DEFAULT_SETTINGS
from vectorplane.control.cluster.simulated.node import SimNode
from vectorplane.control.cluster.state import value_of
from vectorplane.control.cluster.store.embedded import EmbeddedStore

RESYNC_TARGET, CHANGE_TARGET = 5.0, 0.02
"""Seconds."""
_MIB = 1 << 20


@dataclass
class Measured:
    """Seconds, a figure each time. ``target``: what they should stay below; None: nothing is promised."""

    what: str
    target: float | None = CHANGE_TARGET
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def of(self, work: Callable[[], object]) -> None:
        """Do it once and note what it took."""
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)

    def json(self) -> dict[str, Any]:
        """As an object, in milliseconds."""
        figures = {
            f"{name}_{kind}_ms": round(of(values) * 1e3, 3)
            for name, values in (("wall", self.wall), ("cpu", self.cpu))
            for kind, of in (("median", median), ("worst", max))
        }
        target = None if self.target is None else round(self.target * 1e3)
        return {"what": self.what, "times": len(self.wall), "target_ms": target, **figures}


@dataclass
class ClusterResult:
    """``records`` in the store, ``items`` in the dataplane, ``mib``: the process's memory at its peak."""

    records: int
    items: int = 0
    mib: float = 0.0
    rows: list[Measured] = field(default_factory=list)

    def json(self) -> dict[str, Any]:
        """As an object."""
        rows = [row.json() for row in self.rows]
        return {"records": self.records, "items": self.items, "peak_mib": round(self.mib), "rows": rows}

    def row(self, what: str, target: float | None = CHANGE_TARGET) -> Measured:
        """A new row."""
        self.rows.append(Measured(what, target))
        return self.rows[-1]


def cluster(rounds: int = 10) -> ClusterResult:
    """Measure; each change ``rounds`` times.

    Raises:
        RuntimeError: the dataplane did not come to hold what it should, so the figures would be wrong.
    """
    settings = parse_settings(DEFAULT_SETTINGS)
    large, store = LargeCluster(pools_of(settings.ipam)), EmbeddedStore()
    result = ClusterResult(large.fill(store))
    node = SimNode("node-1", settings, store, management(1), 1, Network([]))
    for local in large.pods[1]:
        node.containers.make(local.id).address = local.ip_address
    bench = _Bench(large, store, node, result, rounds)
    try:
        bench.whole()
        bench.pods()
        bench.records()
        bench.check()
    finally:
        node.kill()
        store.close()
    result.mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / _MIB
    return result


class _Bench:
    """The measurements, one after the other, of one node."""

    def __init__(
        self, large: LargeCluster, store: EmbeddedStore, node: SimNode, result: ClusterResult, rounds: int
    ) -> None:
        self._large, self._store, self._node, self._result, self._rounds = large, store, node, result, rounds

    def whole(self) -> None:
        """The start with an empty engine, and with one that has it all; and everything put right."""
        node = self._node

        def start() -> None:
            node.start(0)
            node.agent.run_pending()

        def start_agent() -> None:
            node.restart_agent()
            node.agent.run_pending()

        def resync() -> None:
            node.agent.push(Resync("asked"))
            node.agent.run_pending()

        self._result.row("the node starts", RESYNC_TARGET).of(start)
        self._result.row("its agent starts anew", RESYNC_TARGET).of(start_agent)
        row = self._result.row("full resync", RESYNC_TARGET)
        for _ in range(min(self._rounds, 3)):
            row.of(resync)
        self._result.items = sum(1 for _ in node.agent.wanted)
        gc.collect()

    def pods(self) -> None:
        """A pod comes to the node, as Kubernetes does it, and goes."""
        agent = self._node.agent
        rows = [self._result.row(f"a pod of the node: {what}") for what in ("ADD", "address known", "DEL", "gone")]
        add, known, end, gone = rows
        for i in range(self._rounds):
            new = pod("ns2", f"late{i}", i, None, management(1))
            self._write(new)
            agent.run_pending()
            event = AddPod(new.id, f"late{i}")
            add.of(lambda event=event: agent.push_and_wait(event))  # type: ignore[misc]
            assert agent.node is not None
            address = agent.node.pods[new.id].address
            self._change(known, new.model_copy(update={"ip_address": address}))
            delete = DeletePod(new.id, event.container)
            end.of(lambda delete=delete: agent.push_and_wait(delete))  # type: ignore[misc]
            gone.of(lambda new=new: self._gone(new))  # type: ignore[misc]

    def records(self) -> None:
        """One record of the store is another one."""
        large, result = self._large, self._result
        for what, of in (("of the node", large.pods[1]), ("elsewhere", large.pods[2])):
            row = result.row(f"a pod {what}: another label")
            for at, old in zip(range(self._rounds), of, strict=False):
                self._change(row, old.model_copy(update={"labels": {"app": f"app{at % 5}"}}))
                self._change(row, old)
        row = result.row("a pod elsewhere: goes, comes")
        for _, old in zip(range(self._rounds), large.pods[3], strict=False):
            row.of(lambda old=old: self._gone(old))  # type: ignore[misc]
            self._change(row, old)
        exposed = NODE_PORTS // APPS
        self._endpoints(result.row("endpoints: one less, one more"), range(exposed, SPACES))
        self._endpoints(result.row("endpoints of a node port"), range(exposed))
        row = result.row("a policy: other rules")
        for i in range(self._rounds):
            old_policy = policy(i, i % 20)
            self._change(row, old_policy.model_copy(update={"ingress": policy(i, i + 1).ingress}))
            self._change(row, old_policy)
        row = result.row("a namespace: another label")
        for i in range(self._rounds):
            name = f"ns{i}"
            self._change(row, Namespace(name=name, labels={"team": f"team{(i + 1) % 10}"}))
            self._change(row, Namespace(name=name, labels={"team": f"team{i % 10}"}))

    def check(self) -> None:
        """Raises RuntimeError: the dataplane does not hold what it should."""
        wrong = self._node.scheduler.diff()
        if wrong:
            raise RuntimeError(f"{len(wrong)} items are not as they should be: {wrong[0]}")

    def _endpoints(self, row: Measured, spaces: Iterable[int]) -> None:
        served: dict[tuple[int, int], list[Any]] = {}
        for pods in self._large.pods.values():
            for one in pods:
                served.setdefault((int(one.namespace[2:]), int(one.labels["app"][3:])), []).append(one)
        for _, space in zip(range(self._rounds), spaces, strict=False):
            pods = served[space, 1]
            self._change(row, endpoints(space, 1, pods[1:]))
            self._change(row, endpoints(space, 1, pods))

    def _write(self, record: Record | NodeRecord) -> None:
        self._store.put(key_of(record), value_of(record))

    def _change(self, row: Measured, record: Record | NodeRecord) -> None:
        def change() -> None:
            self._write(record)
            self._node.agent.run_pending()

        row.of(change)

    def _gone(self, record: Record) -> None:
        self._store.delete(key_of(record))
        self._node.agent.run_pending()
