"""``vectorplane bench nat44``: clocks a packet of the NAT44 nodes.

64-byte UDP packets of as many flows as the case says, from random sources to random destinations, in any order.
Cases: `in2out-N` (from inside, N sessions that are all there), `out2in-N` (their answers), `output-N` (as an output
feature), `new` (each packet makes a session).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vectorplane.backends.engine.engine import Engine
from vectorplane.bench.acl import ports
from vectorplane.bench.measure import CaseResult, measure, send
from vectorplane.bench.traffic import udp_frames
from vectorplane.graph_nodes.nat44.session_control import NatSessions

SIZES = (4096, 65_536, 1 << 20)
CASES = (*(f"{way}-{size}" for way in ("in2out", "out2in", "output") for size in SIZES), "new")
NODES = ("nat44-ed-in2out", "nat44-ed-out2in", "nat44-ed-in2out-output", "nat44-ed-in2out-slowpath")
POOL = 10 << 24 | 1 << 8 | 200


@dataclass
class Result(CaseResult):
    """One case's figures, with the rate of new sessions and the memory that they take."""

    sessions: int = 0
    made_per_second: float = 0.0
    resident: int = 0

    def note(self) -> str:
        """What the table does not say."""
        rate = f"made at {self.made_per_second / 1e6:.2f} million a second"
        return f"{self.sessions:,} sessions, {rate}, in {self.resident / 1e6:.0f} MB"


def size_of(case: str) -> int:
    """The sessions of a case.

    Raises:
        ValueError: no such case.
    """
    if case not in CASES:
        raise ValueError(f"no case {case}: there are {', '.join(CASES)}")
    return SIZES[-1] if case == "new" else int(case.partition("-")[2])


def answers(frames: list[bytes], dst_mac: bytes) -> list[bytes]:
    """What comes back from outside for each of these frames."""
    made = np.frombuffer(b"".join(frames), np.uint8).reshape(len(frames), -1).copy()
    words = made[:, 12:].view(">u2")
    made[:, 0:6] = np.frombuffer(dst_mac, np.uint8)
    source = words[:, 7].astype(np.int64) + words[:, 8]
    words[:, 7:9] = words[:, 9:11]
    words[:, 9], words[:, 10] = POOL >> 16, POOL & 0xFFFF
    total = (~words[:, 6]).astype(np.int64) - source + (POOL >> 16) + (POOL & 0xFFFF) + 4 * 0xFFFF
    for _ in range(2):
        total = (total & 0xFFFF) + (total >> 16)
    words[:, 6] = ~total & 0xFFFF
    words[:, 11:13] = words[:, 12:10:-1].copy()
    return [frame.tobytes() for frame in made]


def set_up(case: str, engine: Engine, seed: int = 1) -> list[bytes]:
    """The ports, NAT and the stream from inside of a case; gives its frames, one a session."""
    size = size_of(case)
    inside, outside = ports(engine)
    nat = engine.nat44
    nat.enable(sessions=2 * SIZES[-1])
    if case.startswith("output"):
        nat.interfaces.add_output(outside)
    else:
        nat.interfaces.add(inside, True)
        nat.interfaces.add(outside, False)
    nat.addresses.add(POOL, None)
    rng = np.random.default_rng(seed)
    destinations: npt.NDArray[np.int64] = (20 << 24) + rng.permutation(size)
    sources = rng.integers(30 << 24, 100 << 24, size)
    frames = udp_frames(destinations, dst_mac=engine.interfaces[inside].mac, source=sources)
    engine.pg.add("inside", inside, frames, limit=0)
    return frames


def run(case: str, *, packets: int = 1 << 23, buffers: int = 8192, seed: int = 1) -> Result:
    """Measure one case on a fresh engine.

    Raises:
        ValueError: no such case.
        RuntimeError: packets were dropped, so the figures would be wrong.
    """
    engine = Engine(clock="fast", buffers=buffers, seed=seed)
    try:
        frames = set_up(case, engine, seed)
        size = len(frames)
        result = Result(case, packets, buffers=buffers)
        if case == "new":
            result.packets = size
            measure("nat44", engine, result)
            result.made_per_second = size / result.seconds
        else:
            began = time.perf_counter()
            send(engine, size)
            result.made_per_second = size / (time.perf_counter() - began)
            if case.startswith("out2in"):
                outside = engine.interfaces["pg1"]
                engine.pg.delete("inside")
                engine.pg.add("outside", outside.sw_if_index, answers(frames, outside.mac), limit=0)
                send(engine, size)
            measure("nat44", engine, result)
        result.sessions = len(engine.nat44.sessions)
        result.resident = engine.plane.shared(NatSessions).resident()
        return result
    finally:
        engine.close()
