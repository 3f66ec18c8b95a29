"""An input node (pg-input, capture-input) fed from memory; what it takes is collected behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.harness import collector
from vectorplane.dataplane.abi import ATTENTION, ATTENTION_REFILL, NEVER, POLLING, VIRTUAL
from vectorplane.dataplane.inject import free_packet
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.plane import Dataplane
from vectorplane.graph_nodes.capture_input import DEVICE_INPUT
from vectorplane.graph_nodes.packet_source import ENDED, READY
from vectorplane.jit import twin
from vectorplane.jit.kernel import JIT
from vectorplane.pcap.index import RECORD


@dataclass
class Packet:
    """What came out."""

    time: int
    rx_sw_if: int
    seq: int
    data: bytes
    meta: dict[str, int]
    node: str
    """Where it went."""
    opaque: tuple[int, ...]


@dataclass
class Given:
    """One record of a source."""

    time: int
    data: bytes
    ethertype: int = 0
    queue: int = 0


class Feeder:
    """``tables`` makes the source table (`CaptureSources`, `PgStreams`) of the node type."""

    def __init__(
        self,
        node_type: NodeType,
        tables: Callable[[Dataplane], Any],
        *,
        buffers: int = 4096,
        clock: int = VIRTUAL,
        vector_size: int = 256,
        workers: int = 1,
        types: Sequence[NodeType] = (),
    ) -> None:
        ends = [collector(n) for n in (*node_type.nexts, "pg-input") if n != node_type.name]
        self.plane = Dataplane([node_type, *ends, *types], [DEVICE_INPUT], buffers=buffers, workers=workers)
        for name in ("local0", "one", "two", "three"):
            self.plane.add_interface(name)
        self.node = self.plane.graph.add(node_type.name)
        self.tables = self.plane.shared(tables).tables
        self._keep: list[tuple[Any, Any]] = []
        self._next: dict[int, list[list[Given]]] = {}
        for w in self.plane.workers:
            w.record["clock"], w.record["vector_size"] = clock, vector_size
            self.node.record(w.index)["state"] = POLLING
            self.node.record(w.index)["next_time"] = 0
            w.add_input(self.node.index)
        self.vectors: list[int] = []

    def source(self, k: int, windows: list[list[Given]], *, interface: int = 1, queue: int = -1, **fields: Any) -> None:
        """Source ``k`` has these windows of records."""
        self.node.data["n_sources"] = max(int(self.node.data["n_sources"][0]), k + 1)
        self._next[k] = list(windows)
        for table in self.tables:
            s = table[k]
            s["sw_if_index"], s["queue"], s["remaining"] = interface, queue, NEVER
            s["mac"] = int.from_bytes(bytes.fromhex("02fe00000001"), "little")
            for name, value in fields.items():
                s[name] = value
        self.refill(k)

    def refill(self, k: int) -> None:
        """The next window, or the end."""
        windows = self._next[k]
        given = windows.pop(0) if windows else []
        data = np.frombuffer(b"".join(g.data for g in given) + bytes(64), np.uint8).copy()
        records = np.zeros(max(1, len(given)), RECORD)
        at = 0
        for r, g in zip(records, given, strict=False):
            r["offset"], r["time"], r["ethertype"], r["queue"] = at, g.time, g.ethertype, g.queue
            r["caplen"] = r["wirelen"] = len(g.data)
            at += len(g.data)
        if not JIT:
            twin.register(data.ctypes.data, data.nbytes, "window")
            twin.register(records.ctypes.data, records.nbytes, "records")
        self._keep.append((data, records))
        for table in self.tables:
            s = table[k]
            s["data"], s["records"], s["count"], s["position"] = data.ctypes.data, records.ctypes.data, len(given), 0
            s["state"] = READY if given else ENDED

    def run(self, worker: int = 0, rounds: int = 1 << 62) -> list[Packet]:
        """Run to the end (one round after the other); the packets in the order in which they left the node."""
        self.plane.graph.link_kernels()
        w = self.plane.workers[worker]
        found: list[Packet] = []
        while rounds > 0:
            rounds -= 1
            reason = w.dispatch(1)
            taken = self._collect(worker)
            if taken:
                self.vectors.append(len(taken))
            found += taken
            if reason == ATTENTION or int(w.record["attention"]) & ATTENTION_REFILL:
                w.record["attention"] = 0
                for k in self._next:
                    if all(int(t[k]["state"]) == 0 for t in self.tables):
                        self.refill(k)
                if any(int(self.tables[worker][k]["state"]) == 0 for k in self._next):
                    break  # another worker has not finished the window
            elif reason != 5:
                break
        return found

    def _collect(self, worker: int) -> list[Packet]:
        found = []
        for node in self.plane.graph:
            if node.data.size and node.data.dtype.names and "bi" in node.data.dtype.names:
                data = node.data[worker]
                for bi in (int(i) for i in data["bi"][: int(data["count"])]):
                    m = self.plane.pool.meta[bi]
                    meta = {n: int(m[n]) for n in m.dtype.names if m[n].ndim == 0}
                    opaque = tuple(int(x) for x in m["opaque"])
                    whole = self.plane.pool.data(bi)
                    found.append(Packet(meta["time"], meta["rx_sw_if"], meta["seq"], whole, meta, node.name, opaque))
                    free_packet(self.plane, bi, worker)
                data["count"] = 0
        return found

    def rx(self, interface: int = 1) -> tuple[int, int]:
        """Packets and bytes received."""
        total = self.plane.if_stats["rx"].total(interface)
        return int(total[0]), int(total[1])

    def buffers_are_back(self) -> bool:
        """Every buffer is free, and lies in one place only."""
        pool = self.plane.pool
        free = pool._stack.view(np.dtype("i4"), 128, pool.count)[: pool.free].tolist()
        for w in self.plane.workers:
            free += w.memory(int(w.record["cache"]), np.dtype("i4"), int(w.record["cache_n"])).tolist()
        return sorted(free) == list(range(pool.count))

    def close(self) -> None:
        """Give the memory back."""
        if not JIT:
            for arrays in self._keep:
                for a in arrays:
                    twin.unregister(a.ctypes.data)
        self.plane.close()
