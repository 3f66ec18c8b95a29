"""Measuring what each node of an engine spends on a packet."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.report import node_rows
from vectorplane.dataplane.clock import read_cycles, tsc_hz


@dataclass
class CaseResult:
    """One case's figures. ``nodes``: a row each; ``explained``: share of the cycles that they account for."""

    case: str
    packets: int
    seconds: float = 0.0
    buffers: int = 0
    nodes: list[dict[str, Any]] = field(default_factory=list)
    explained: float = 0.0

    @property
    def mpps(self) -> float:
        """Million packets a second."""
        return self.packets / self.seconds / 1e6

    def clocks(self, node: str) -> float:
        """Clocks per packet of a node; 0 when no packet came to it."""
        return float(sum(r["clocks_per_packet"] for r in self.nodes if r["name"] == node))

    def note(self) -> str:
        """What the table does not say."""
        return ""

    def json(self) -> dict[str, Any]:
        """As an object."""
        return {
            "case": self.case,
            "packets": self.packets,
            "seconds": round(self.seconds, 4),
            "mpps": round(self.mpps, 2),
            "buffers": self.buffers,
            "explained": round(self.explained, 4),
            "tsc_mhz": round(tsc_hz() / 1e6),
            "nodes": self.nodes,
        }


def send(engine: Engine, packets: int) -> tuple[float, int]:
    """Send ``packets`` in all through the packet generator's streams; gives seconds and cycles, counters from 0."""
    plane = engine.plane
    for vector in plane.node_stats.values():
        vector.clear()
    for w in plane.workers:
        w.record["dispatch_clocks"] = w.record["rounds"] = 0
    streams = list(engine.pg.streams.values())
    for stream in streams:
        stream.limit = packets // len(streams)
    engine.pg.enable()
    engine.link()
    began, cycles = time.perf_counter(), read_cycles()
    engine.run()
    return time.perf_counter() - began, read_cycles() - cycles


def measure(bench: str, engine: Engine, result: CaseResult) -> None:
    """Send the result's packets and fill it in.

    Raises:
        RuntimeError: packets were dropped, so the figures would be wrong.
    """
    before = engine.plane.error_counts("drops")
    result.seconds, cycles = send(engine, result.packets)
    result.nodes = node_rows(engine.plane)
    spent = sum(r["vectors"] * r["clocks_per_packet"] for r in result.nodes)
    result.explained = spent / cycles
    for r in result.nodes:
        r["vectors_per_call"] = round(r["vectors"] / r["calls"], 1) if r["calls"] else 0.0
    after = engine.plane.error_counts("drops")
    dropped = {k: n - before.get(k, 0) for k, n in after.items() if n != before.get(k, 0)}
    if dropped:
        raise RuntimeError(f"bench {bench} {result.case}: packets were dropped: {dropped}")


def run_case(
    bench: str, case: str, set_up: Callable[[str, Engine, int], object], *, packets: int, buffers: int, seed: int
) -> CaseResult:
    """Measure one case on a fresh engine, warm; ``set_up`` gets the case, the engine and the seed.

    Raises:
        RuntimeError: packets were dropped, so the figures would be wrong.
    """
    engine = Engine(clock="fast", buffers=buffers, seed=seed)
    try:
        set_up(case, engine, seed)
        send(engine, 1 << 17)
        result = CaseResult(case, packets, buffers=buffers)
        measure(bench, engine, result)
        return result
    finally:
        engine.close()
