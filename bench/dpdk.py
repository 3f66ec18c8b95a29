"""``vectorplane bench dpdk``: our packets a second over DPDK ports beside dpdk-testpmd's, on one core each.

Pairs of runs, ours and testpmd's by turns, since a machine changes its speed; the ratio is the median of the pairs'. No
run has huge pages. Cases, with 64-byte packets:

io       net_null to net_null both ways, dpdk-input straight to the other's tx node, beside testpmd's io
macswap  net_pcap `infinite_rx` to net_null, MAC addresses exchanged, beside testpmd's macswap
ip4      net_pcap `infinite_rx` to net_null, routed by ethernet-input, ip4-input, ip4-lookup, ip4-rewrite; same

`bare` is the driver's and the shim's work alone: a compiled loop that receives and sends without a graph. What the
graph takes is the difference. `call` is a call of the shim for no packet; there are two for a burst of 64.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

import numpy as np

from vectorplane.backends.engine.dpdk.eal import WITHOUT_CARDS, version
from vectorplane.backends.engine.dpdk.library import address_of
from vectorplane.backends.engine.dpdk.port import DpdkPort, Wish
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.report import node_rows
from vectorplane.backends.engine.route_paths import Path
from vectorplane.bench.dpdk_nodes import MACSWAP, bare_loop, empty_calls
from vectorplane.bench.testpmd import testpmd
from vectorplane.bench.traffic import udp_frames
from vectorplane.dataplane.clock import read_cycles
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.mbuf import ARRAY, BURST
from vectorplane.pcap.writer import CaptureWriter

TARGETS = {"io": 0.85, "macswap": 0.85, "ip4": 0.70}
CASES = tuple(TARGETS)
MEMORY = "no huge pages (--no-huge), both"
_THEIRS = {"io": "io", "macswap": "macswap", "ip4": "macswap"}
_FRAMES = 1024
_ROUNDS = 2048
_MAC = bytes.fromhex("02fe00000001")


@dataclass
class Result:
    """A case: million packets a second of each run, ours and testpmd's, and clocks a packet of ours."""

    case: str
    zero_copy: bool
    vector_size: int
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    nodes: list[dict[str, Any]] = field(default_factory=list)
    bare: float = 0.0
    call: float = 0.0
    memory: str = MEMORY

    @property
    def ratio(self) -> float:
        """Median of the pairs' ratios."""
        return statistics.median(a / b for a, b in zip(self.ours, self.theirs, strict=True))

    @property
    def target(self) -> float:
        """What the ratio is to be."""
        return TARGETS[self.case]

    @property
    def graph(self) -> float:
        """Clocks a packet beyond those of `bare`."""
        packets = max(row["vectors"] for row in self.nodes)
        return sum(r["vectors"] * r["clocks_per_packet"] for r in self.nodes if r["vectors"]) / packets - self.bare

    def median(self, figures: list[float]) -> float:
        """Of the pairs' figures."""
        return statistics.median(figures)

    def json(self, beside: bool) -> dict[str, Any]:
        """As an object; ``beside``: testpmd ran, too."""
        ratio = {"ratio": round(self.ratio, 4), "target": self.target} if beside else {}
        return self.__dict__ | {"graph": round(self.graph, 2), "dpdk": version()} | ratio


def _capture(path: File) -> None:
    with CaptureWriter(path) as writer:
        for frame in udp_frames((20 << 24) + (np.arange(_FRAMES, dtype=np.int64) << 8), dst_mac=_MAC):
            writer.write(0, frame)


def devices(case: str, capture: File) -> tuple[str, str]:
    """Both virtual devices of a case, with their parameters."""
    if case == "io":
        return "net_null0", "net_null1"
    return f"net_pcap0,rx_pcap={capture},infinite_rx=1", "net_null1,no-rx=1"


def set_up(case: str, engine: Engine, capture: File, zero_copy: bool) -> list[DpdkPort]:
    """The ports of a case, and the way from one to the other."""
    engine.plane.graph.registry.add(MACSWAP)
    ports = [DpdkPort(name, Wish(zero_copy=zero_copy)) for name in devices(case, capture)]
    made = []
    for n, port in enumerate(ports):
        interface = engine.interfaces.add(f"d{n}", device=port, mac=_MAC[:5] + bytes([n + 1]))
        engine.interfaces.set_up(interface.sw_if_index)
        made.append(interface.sw_if_index)
    if case == "io":
        ports[0].redirect("d1-tx", made[1])
        ports[1].redirect("d0-tx", made[0])
    elif case == "macswap":
        graph = engine.plane.graph
        swap = graph.add("bench-macswap")
        swap.data["next"] = graph.add_next(swap, "d1-output")
        ports[0].redirect("bench-macswap", made[1])
    else:
        engine.addresses.add(made[0], "10.0.0.1/24")
        engine.addresses.add(made[1], "10.0.1.1/24")
        engine.neighbours.add(made[1], "10.0.1.2", bytes.fromhex("020000000200"), static=True)
        engine.routes.add("20.0.0.0/8", [Path(next_hop=10 << 24 | 1 << 8 | 2, sw_if_index=made[1])])
    return ports


def _run(engine: Engine, seconds: float) -> float:
    """Million packets a second over about so many seconds."""
    worker = engine.plane.workers[0]
    received = engine.plane.if_stats["rx"]
    first = int(received.total()[:, 0].sum())
    began = time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        worker.dispatch(_ROUNDS)
    return (int(received.total()[:, 0].sum()) - first) / took / 1e6


def _bare(result: Result, ports: list[DpdkPort]) -> None:
    """The driver and the shim without a graph."""
    rx, tx, free = (address_of(f"vp_{name}") for name in ("rx", "tx", "free"))
    queues = [port.port << 16 for port in ports]
    room = Region(ARRAY, name="mbufs")
    burst = min(BURST, result.vector_size)
    pairs = [queues, queues[::-1]] if result.case == "io" else [queues]
    best = []
    for _ in range(5):
        packets, clocks = 0, read_cycles()
        for source, to in pairs:
            packets += bare_loop(rx, tx, free, source, to, room.address, _ROUNDS * 4, burst)
        best.append((read_cycles() - clocks) / packets)
    result.bare = round(statistics.median(best), 2)
    calls = [empty_calls(tx, queues[1], room.address, 10_000) / 10_000 for _ in range(5)]
    result.call = round(statistics.median(calls), 2)
    room.close()


def _node_clocks(engine: Engine, result: Result) -> None:
    for vector in engine.plane.node_stats.values():
        vector.clear()
    engine.plane.workers[0].record["dispatch_clocks"] = engine.plane.workers[0].record["rounds"] = 0
    _run(engine, 0.3)
    result.nodes = node_rows(engine.plane)


def run(
    case: str, *, pairs: int = 5, seconds: int = 2, vector_size: int = 256, zero_copy: bool = True, beside: bool = True
) -> Result:
    """Measure one case; ``beside`` False: without testpmd.

    Raises:
        BackendError: no DPDK here, or no testpmd.
        RuntimeError: packets were dropped, so the figures would be wrong.
    """
    result = Result(case, zero_copy, vector_size)
    engine = Engine(clock="fast", vector_size=vector_size)
    with tempfile.TemporaryDirectory(prefix="vectorplane-bench-") as folder:
        capture = File(folder) / "in.pcap"
        _capture(capture)
        try:
            ports = set_up(case, engine, capture, zero_copy)
            engine.link()
            _run(engine, 0.2)
            for _ in range(pairs):
                result.ours.append(round(_run(engine, seconds), 2))
                if beside:
                    theirs = testpmd(WITHOUT_CARDS, devices(case, capture), _THEIRS[case], seconds)
                    result.theirs.append(round(theirs, 2))
            _node_clocks(engine, result)
            _bare(result, ports)
            drops = {k: n for k, n in engine.plane.error_counts("drops").items() if n}
            if drops:
                raise RuntimeError(f"bench dpdk {case}: packets were dropped: {drops}")
            return result
        finally:
            engine.close()
