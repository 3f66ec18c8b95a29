"""``vectorplane bench acl-stateful``: clocks a packet of acl-plugin-in-ip4-fa with sessions.

64-byte packets from inside, which a permit+reflect rule on the input of their interface lets through. Cases:
`existing` (4,096 sessions, all there), `million` (1,000,000 sessions, all there, packets of any of them), `new` (each
packet makes a session).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from vectorplane.backends.engine.acl.rule import REFLECT, AclRule
from vectorplane.backends.engine.engine import Engine
from vectorplane.bench.acl import FLOWS, ports
from vectorplane.bench.measure import CaseResult, measure, send
from vectorplane.bench.traffic import udp_frames

SESSIONS = {"existing": FLOWS, "million": 1_000_000, "new": 1_000_000}
CASES = tuple(SESSIONS)
NODES = ("acl-plugin-in-ip4-fa",)


@dataclass
class Result(CaseResult):
    """One case's figures, with the rate of new sessions."""

    sessions: int = 0
    made_per_second: float = 0.0

    def note(self) -> str:
        """What the table does not say."""
        return f"{self.sessions:,} sessions, made at {self.made_per_second / 1e6:.2f} million a second"


def set_up(case: str, engine: Engine, seed: int = 1) -> None:
    """The ports, the ACL and the stream of a case: a packet of each session, in any order.

    Raises:
        ValueError: no such case.
    """
    if case not in CASES:
        raise ValueError(f"no case {case}: there are {', '.join(CASES)}")
    inside, _ = ports(engine)
    engine.acls.max_sessions = 2 * max(SESSIONS.values())
    acl = engine.acls.add_replace(None, "reflect", [AclRule(REFLECT, proto=17)])
    engine.acls.set_lists(inside, [acl], None)
    destinations = (20 << 24) + np.random.default_rng(seed).permutation(SESSIONS[case])
    frames = udp_frames(destinations, dst_mac=engine.interfaces[inside].mac)
    engine.pg.add("inside", inside, frames, limit=0)


def run(case: str, *, packets: int = 1 << 23, buffers: int = 8192, seed: int = 1) -> Result:
    """Measure one case on a fresh engine.

    Raises:
        RuntimeError: packets were dropped, so the figures would be wrong.
    """
    engine = Engine(clock="fast", buffers=buffers, seed=seed)
    try:
        set_up(case, engine, seed)
        result = Result(case, packets, buffers=buffers)
        if case == "new":
            result.packets = SESSIONS[case]
            measure("acl-stateful", engine, result)
            result.made_per_second = result.packets / result.seconds
        else:
            began = time.perf_counter()
            send(engine, SESSIONS[case])
            result.made_per_second = SESSIONS[case] / (time.perf_counter() - began)
            measure("acl-stateful", engine, result)
        result.sessions = len(engine.acls.sessions)
        return result
    finally:
        engine.close()
