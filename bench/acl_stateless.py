"""``vectorplane bench acl-stateless``: clocks a packet of acl-plugin-in-ip4-fa without sessions.

64-byte packets of 4,096 flows, which permit rules on the input of their interface let through. Cases: `one` (one rule),
`tuples` (10,000 rules that look at 50 different sets of bits, each flow meets the last rule), `flows` (the same, but
every packet is of another flow, so that nothing is remembered), `deep` (two tuples of 10,000 rules together).
"""

from __future__ import annotations

from ipaddress import IPv4Address

import numpy as np

from vectorplane.backends.engine.acl.rule import PERMIT, AclRule
from vectorplane.backends.engine.engine import Engine
from vectorplane.bench.acl import FLOWS, ports
from vectorplane.bench.measure import CaseResult, run_case
from vectorplane.bench.traffic import udp_frames

CASES = ("one", "tuples", "flows", "deep")
NODES = ("acl-plugin-in-ip4-fa",)
RULES, TUPLES = 10_000, 50


def rules(case: str, seed: int = 1) -> list[AclRule]:
    """The ACL of a case; its last rule lets everything through."""
    last = AclRule(PERMIT, proto=17)
    if case == "one":
        return [last]
    rng = np.random.default_rng(seed)
    made = []
    tuples = 1 if case == "deep" else TUPLES
    for i in range(RULES - 1):
        k = i % (tuples - 1) if tuples > 1 else 0
        # tuple k: one of 7 source lengths with one of 7 destination lengths
        src_len, dst_len = 32 - k // 7, 32 - k % 7
        src, dst = (int(rng.integers(1 << 24)) | 172 << 24 for _ in range(2))
        port = int(rng.integers(1, 65536))
        made.append(
            AclRule(
                0, False, src >> 32 - src_len << 32 - src_len, src_len, dst >> 32 - dst_len << 32 - dst_len, dst_len,
                17, 0, 65535, port, port,
            )
        )  # fmt: skip
    return [*made, last]


def set_up(case: str, engine: Engine, seed: int = 1) -> None:
    """The ports, the ACL and the stream of a case.

    Raises:
        ValueError: no such case.
    """
    if case not in CASES:
        raise ValueError(f"no case {case}: there are {', '.join(CASES)}")
    inside, _ = ports(engine)
    engine.acls.set_lists(inside, [engine.acls.add_replace(None, case, rules(case, seed))], None)
    flows = 1 << 18 if case == "flows" else FLOWS
    base = int(IPv4Address("20.0.0.0"))
    destinations = base + np.random.default_rng(seed).permutation(flows)
    frames = udp_frames(destinations, dst_mac=engine.interfaces[inside].mac)
    engine.pg.add("inside", inside, frames, limit=0)


def run(case: str, *, packets: int = 1 << 23, buffers: int = 8192, seed: int = 1) -> CaseResult:
    """Measure one case on a fresh engine.

    Raises:
        RuntimeError: packets were dropped, so the figures would be wrong.
    """
    return run_case("acl-stateless", case, set_up, packets=packets, buffers=buffers, seed=seed)
