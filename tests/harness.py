"""Runs one graph node on given packets and collects what comes out, from compiled code or (JIT off) its twin.

With ``NUMBA_DISABLE_JIT=1`` everything in a buffer that is neither metadata nor packet is a red zone: a kernel
that reads beyond its packet raises `vectorplane.jit.twin.MemoryFault`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vectorplane.dataplane.abi import FAST, NODE, TERMINAL, buffer_index, frame_n
from vectorplane.dataplane.buffer import CELL, DATA, META
from vectorplane.dataplane.feature import ArcType
from vectorplane.dataplane.graph import Node
from vectorplane.dataplane.inject import enqueue_packet, free_packet, make_packet
from vectorplane.dataplane.interface import ADMIN_UP, LINK_UP
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.plane import Dataplane
from vectorplane.jit import twin
from vectorplane.jit.kernel import JIT, kernel
from vectorplane.jit.ops import ld64, rec, st32, st64

COLLECTOR = np.dtype([("count", "i8"), ("bi", "i4", (65536,))])
_BI = 8


@kernel
def collect(worker: int, node: int, frame: int) -> int:
    """Keep the packets that arrive, in order."""
    data = rec(node, NODE).data
    n = frame_n(frame)
    have = ld64(data)
    for i in range(n):
        st32(data + _BI + 4 * (have + i), buffer_index(frame, i))
    st64(data, have + n)
    return n


def collector(name: str) -> NodeType:
    """A node type that keeps what it gets."""
    return NodeType(name=name, kernel=collect, kind=TERMINAL, runtime=COLLECTOR)


@dataclass
class Out:
    """A packet that left the node."""

    next: str
    data: bytes
    error: str | None
    rx_sw_if: int
    tx_sw_if: int
    index: int
    meta: dict[str, int] = field(default_factory=dict)
    opaque: tuple[int, ...] = ()


class Bench:
    """A dataplane with one node under test; each of its next nodes collects.

    ``types``: further real node types (a sibling, say). Interfaces 0 to 3 exist and are up: local0, pg0, pg1, pg2, with
    MACs 02:fe:00:00:00:00 + index.
    """

    def __init__(
        self,
        node_type: NodeType,
        *,
        types: Sequence[NodeType] = (),
        arcs: Iterable[ArcType] | None = None,
        setup: Callable[[Bench], None] | None = None,
        buffers: int = 2048,
        clock: int = FAST,
    ) -> None:
        if arcs is None:
            from vectorplane.backends.engine.nodes import built_in

            known, arcs = built_in()
        else:
            known = []
        real = {t.name: t for t in (*types, node_type)}
        arcs = list(arcs)
        names: set[str] = set()
        for t in real.values():
            names.update(t.nexts)
        for arc in arcs:
            names.update((arc.end, *arc.starts))
        stubs = {n: collector(n) for n in names if n not in real}
        features = [t for t in known if t.features and t.name not in real and t.name not in stubs]
        self.plane = Dataplane([*real.values(), *stubs.values(), *features], arcs, buffers=buffers)
        for i, name in enumerate(("local0", "pg0", "pg1", "pg2")):
            self.plane.add_interface(name)
            r = self.plane.interfaces.records[i]
            r["flags"] = ADMIN_UP | LINK_UP
            r["mac"] = int.from_bytes(bytes.fromhex("02fe000000") + bytes([i]), "little")
            r["mtu"] = 9000
        self.worker = self.plane.workers[0]
        self.worker.record["clock"] = clock
        self.node: Node = self.plane.graph.add(node_type.name)
        if setup is not None:
            setup(self)

    def add_stub(self, name: str) -> Node:
        """One more collecting node in the graph (`pg1-output`, say)."""
        if name not in self.plane.graph.registry:
            self.plane.graph.registry.add(collector(name))
        return self.plane.graph.add(name)

    def run(
        self,
        packets: Sequence[bytes],
        *,
        rx: int | Sequence[int] = 1,
        meta: Callable[[int, Any], None] | None = None,
        times: Sequence[int] | None = None,
        together: bool = True,
    ) -> list[Out]:
        """Give the packets to the node (one vector, or one by one) and return what left it, in order a next.

        ``meta(i, record)`` may change packet i's metadata (`vectorplane.dataplane.buffer.BUFFER`) before.
        """
        self.plane.graph.link_kernels()
        outs: list[Out] = []
        for k, data in enumerate(packets):
            index = make_packet(self.plane, data)
            assert index >= 0, "the bench ran out of buffers"
            m = self.plane.pool.meta[index]
            m["rx_sw_if"] = rx if isinstance(rx, int) else rx[k]
            m["seq"] = k
            if times is not None:
                m["time"] = times[k]
            if meta is not None:
                meta(k, m)
            if not JIT:
                self._red_zone(index)
            enqueue_packet(self.plane, self.node.name, index)
            if not together or (k + 1) % 256 == 0:
                self.worker.dispatch(0)
                outs += self._collect()
        self.worker.dispatch(0)
        return outs + self._collect()

    def _red_zone(self, index: int) -> None:
        pool = self.plane.pool
        while True:
            m = pool.meta[index]
            cell = pool.address - META + index * CELL
            twin.poison(cell, CELL)
            twin.poison(cell + META, 128, False)
            at = cell + META + DATA + int(m["current_data"])
            if int(m["current_length"]):
                twin.poison(at, int(m["current_length"]), False)
            if not int(m["flags"]) & 2:
                return
            index = int(m["next_buffer"])

    def _collect(self) -> list[Out]:
        outs = []
        for node in self.plane.graph:
            if node.type.kernel is not collect:
                continue
            data = node.data[0]
            for bi in data["bi"][: int(data["count"])]:
                m = self.plane.pool.meta[int(bi)]
                error = int(m["error"])
                names = self.plane.graph.error_names
                outs.append(
                    Out(
                        node.name,
                        self.plane.pool.data(int(bi)),
                        names[error][1] if error and error < len(names) else None,
                        int(m["rx_sw_if"]),
                        int(m["tx_sw_if"]),
                        int(m["seq"]),
                        {n: int(m[n]) for n in m.dtype.names if m[n].ndim == 0},
                        tuple(int(word) for word in m["opaque"]),
                    )
                )
                if not JIT:
                    self._heal(int(bi))
                free_packet(self.plane, int(bi))
            data["count"] = 0
        return outs

    def _heal(self, index: int) -> None:
        cell = self.plane.pool.address - META + index * CELL
        twin.poison(cell, CELL, False)

    def errors(self) -> dict[str, int]:
        """Error counters that are not zero."""
        return self.plane.error_counts()

    def leaked(self) -> int:
        """Buffers that are neither free nor collected."""
        return self.plane.pool.count - self.plane.free_buffers()

    def close(self) -> None:
        """Give the memory back."""
        self.plane.close()


def run_node(node_type: NodeType, packets: Sequence[bytes], **options: Any) -> list[Out]:
    """One node, one run; see `Bench` and `Bench.run` for the options."""
    run_options = {k: options.pop(k) for k in ("rx", "meta", "times", "together") if k in options}
    bench = Bench(node_type, **options)
    try:
        return bench.run(packets, **run_options)
    finally:
        bench.close()
