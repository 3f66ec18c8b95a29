"""``vectorplane bench l2``: clocks a packet of l2-input, l2-learn, l2-fwd, l2-flood and l2-output.

A bridge domain with learning and ageing as usual; frames of 64 bytes come in by one port. Cases: `station` (one
address on each side, learnt), `thousand` and `million` (as many addresses, half of them on either side, all learnt,
each frame from and to any of them), `flood` (an unknown destination, two other ports: two replicas).
"""

from __future__ import annotations

import numpy as np

from vectorplane.backends.engine.engine import Engine
from vectorplane.bench.measure import CaseResult, run_case
from vectorplane.bench.traffic import ethernet_frames

STATIONS = {"station": 2, "thousand": 1_000, "million": 1_000_000, "flood": 2}
CASES = tuple(STATIONS)
NODES = ("l2-input", "l2-learn", "l2-fwd", "l2-flood", "l2-output")
MOST_STREAM_FRAMES = 1 << 20
DOMAIN = 1
LEFT, RIGHT = 0x020000000000, 0x020001000000
"""MAC addresses of the first station on either side."""


def _send_once(engine: Engine, port: int, frames: list[bytes]) -> None:
    """Let a port receive these, a few thousand at a time: the MAC table grows between them."""
    for at in range(0, len(frames), 1 << 13):
        some = frames[at : at + (1 << 13)]
        stream = engine.pg.add("warm", port, some, limit=len(some))
        engine.pg.enable(stream.name)
        engine.run()
        engine.pg.delete(stream.name)


def set_up(case: str, engine: Engine, seed: int = 1) -> None:
    """The domain with its ports, all addresses learnt, and the stream of a case.

    Raises:
        ValueError: no such case.
    """
    if case not in CASES:
        raise ValueError(f"no case {case}: there are {', '.join(CASES)}")
    ports = []
    for n in range(3 if case == "flood" else 2):
        port = engine.interfaces.add(f"pg{n}")
        engine.interfaces.set_up(port.sw_if_index)
        engine.bridges.attach(port.sw_if_index, DOMAIN)
        ports.append(port.sw_if_index)
    rng = np.random.default_rng(seed)
    half = STATIONS[case] // 2
    left, right = LEFT + np.arange(half), RIGHT + np.arange(half)
    engine.link()
    if case != "flood":
        _send_once(engine, ports[1], ethernet_frames(left[::-1].copy(), right))
    _send_once(engine, ports[0], ethernet_frames(right, left))
    n = min(max(1024, 2 * half), MOST_STREAM_FRAMES)
    frames = ethernet_frames(rng.permutation(np.resize(right, n)), rng.permutation(np.resize(left, n)))
    engine.pg.add("left", ports[0], frames, limit=0)


def run(case: str, *, packets: int = 1 << 23, buffers: int = 8192, seed: int = 1) -> CaseResult:
    """Measure one case on a fresh engine.

    Raises:
        RuntimeError: packets were dropped, so the figures would be wrong.
    """
    return run_case("l2", case, set_up, packets=packets, buffers=buffers, seed=seed)
