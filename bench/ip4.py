"""``vectorplane bench ip4``: clocks a packet of pg-input, ethernet-input, ip4-input, ip4-lookup, ip4-rewrite, output.

Four cases: `plain` (65,536 /24s over 16 next hops, one interface in, one out), `mixed` (packets of four interfaces
interleaved, each leaving by another), `million` (1,000,000 routes, destinations uniform over all of them),
`sv-reassembly` (`plain` with ip4-sv-reassembly-feature on, packets without fragments). All that a router does is in
place: checks, counters, feature arcs, tracing (off). Compile time is not in any figure.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

import numpy as np

from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.route_paths import Path
from vectorplane.bench.measure import CaseResult, measure, send
from vectorplane.bench.traffic import route_mix, udp_frames

NODES = ("ethernet-input", "ip4-input", "ip4-lookup", "ip4-rewrite")
CASES = ("plain", "mixed", "million", "sv-reassembly")
NEXT_HOPS = 16


@dataclass
class Result(CaseResult):
    """One case's figures, with those of the routes."""

    routes: int = 0
    load_seconds: float = 0.0

    @property
    def four_nodes(self) -> float:
        """Clocks per packet of the four IPv4 nodes together."""
        return sum(self.clocks(name) for name in NODES)

    def note(self) -> str:
        """What the table does not say."""
        return (
            f"the four ip4 nodes {self.four_nodes:.2f} clocks a packet; {self.routes:,} routes loaded in "
            f"{self.load_seconds:.2f} s"
        )

    def json(self) -> dict[str, Any]:
        """As an object."""
        return super().json() | {
            "routes": self.routes,
            "route_load_seconds": round(self.load_seconds, 3),
            "four_nodes": round(self.four_nodes, 2),
        }


def _ports(engine: Engine, count: int) -> list[int]:
    """Interfaces pg0 ... with 16 neighbours each: 10.200.N.2 and up."""
    ports = []
    for n in range(count):
        port = engine.interfaces.add(f"pg{n}", mac=bytes.fromhex("02fe00000000")[:5] + bytes([n]))
        engine.interfaces.set_up(port.sw_if_index)
        engine.addresses.add(port.sw_if_index, f"10.200.{n}.1/24")
        for k in range(NEXT_HOPS):
            mac = bytes.fromhex("0200000100") + bytes([n * 16 + k])
            engine.neighbours.add(port.sw_if_index, f"10.200.{n}.{k + 2}", mac, static=True)
        ports.append(port.sw_if_index)
    return ports


def _hops(sw_if_index: int, port: int) -> list[Path]:
    """A path to each of a port's neighbours."""
    first = int(IPv4Address(f"10.200.{port}.2"))
    return [Path(next_hop=first + k, sw_if_index=sw_if_index) for k in range(NEXT_HOPS)]


def set_up(case: str, engine: Engine, seed: int = 1) -> tuple[int, float]:
    """Interfaces, routes and streams of a case; gives the number of routes and the seconds that loading took.

    Raises:
        ValueError: no such case.
    """
    if case not in CASES:
        raise ValueError(f"no case {case}: there are {', '.join(CASES)}")
    rng = np.random.default_rng(seed)
    pairs = 4 if case == "mixed" else 1
    ports = _ports(engine, 2 * pairs)
    if case == "sv-reassembly":
        engine.sv_reassembly.use(ports[0])
    began = time.perf_counter()
    if case == "million":
        prefixes, lengths = route_mix(1_000_000, seed)
        engine.routes.load(prefixes, lengths, _hops(ports[1], 1), rng.integers(0, NEXT_HOPS, len(prefixes)))
        routes = len(prefixes)
    else:
        per_pair = 65536 // pairs
        for p in range(pairs):
            base = (20 << 24) + p * (per_pair << 8)
            prefixes = base + (np.arange(per_pair, dtype=np.int64) << 8)
            which = np.arange(per_pair) % NEXT_HOPS
            engine.routes.load(prefixes, np.full(per_pair, 24), _hops(ports[2 * p + 1], 2 * p + 1), which)
        routes = 65536
    load_seconds = time.perf_counter() - began
    streams = 4096 if case != "million" else 1 << 18
    for p in range(pairs):
        if case == "million":
            chosen = rng.integers(0, len(prefixes), streams)
            host = (rng.integers(0, 1 << 32, streams)) & ((1 << (32 - lengths[chosen])) - 1)
            destinations = prefixes[chosen] | host
        else:
            destinations = (20 << 24) + p * (per_pair << 8) + rng.integers(0, per_pair << 8, streams)
        mac = engine.interfaces[ports[2 * p]].mac
        frames = udp_frames(destinations, dst_mac=mac)
        for w in range(len(engine.plane.workers)):
            engine.pg.add(f"s{p} worker {w}", ports[2 * p], frames, limit=0, worker=w)
    if case == "mixed":
        engine.pg.interleave(list(engine.pg.streams))
    return routes, load_seconds


def run(case: str = "plain", *, packets: int = 1 << 23, buffers: int = 8192, seed: int = 1, workers: int = 1) -> Result:
    """Measure one case on a fresh engine; with several workers each sends ``packets`` through streams of its own.

    Raises:
        RuntimeError: packets were dropped, so the figures would be wrong.
    """
    engine = Engine(clock="fast", buffers=buffers * workers, seed=seed, workers=workers)
    try:
        routes, load_seconds = set_up(case, engine, seed)
        send(engine, 256 * 200)
        result = Result(case, packets * workers, buffers=buffers, routes=routes, load_seconds=load_seconds)
        measure("ip4", engine, result)
        return result
    finally:
        engine.close()
