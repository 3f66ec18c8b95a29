"""``vectorplane bench vxlan``: clocks a packet of vxlan4-encap, vxlan4-input and ip4-udp-lookup.

A bridge domain of one port and the tunnels, one station behind each. Frames of 64 bytes come in by the port and leave
encapsulated; as many come in encapsulated and leave by the port. Cases: `one` tunnel and a `thousand`, any frame by
any of them.
"""

from __future__ import annotations

from ipaddress import IPv4Address

import numpy as np

from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.route_paths import Path
from vectorplane.bench.measure import CaseResult, run_case
from vectorplane.bench.traffic import ethernet_frames, vxlan_frames

TUNNELS = {"one": 1, "thousand": 1_000}
CASES = tuple(TUNNELS)
NODES = ("vxlan4-encap", "vxlan4-input", "ip4-udp-lookup")
DOMAIN = 1
LOCAL, GATEWAY, FIRST_REMOTE = (int(IPv4Address(a)) for a in ("10.0.0.1", "10.0.0.2", "10.1.0.1"))
STATION, FIRST_FAR = 0x020000000001, 0x020001000000
STREAM_FRAMES = 4096


def set_up(case: str, engine: Engine, seed: int = 1) -> None:
    """The domain, its tunnels with a station each, and a stream either way.

    Raises:
        ValueError: no such case.
    """
    if case not in CASES:
        raise ValueError(f"no case {case}: there are {', '.join(CASES)}")
    count = TUNNELS[case]
    inner, outer = (engine.interfaces.add(f"pg{n}").sw_if_index for n in range(2))
    for port in (inner, outer):
        engine.interfaces.set_up(port)
    engine.addresses.add(outer, "10.0.0.1/24")
    engine.neighbours.add(outer, "10.0.0.2", bytes.fromhex("020000000002"), static=True)
    engine.routes.add("10.1.0.0/16", [Path(next_hop=GATEWAY, sw_if_index=outer)])
    engine.bridges.attach(inner, DOMAIN)
    engine.l2fib.add(DOMAIN, STATION.to_bytes(6, "big"), inner, static=True)
    for k in range(count):
        tunnel = engine.vxlan.add(IPv4Address(LOCAL), IPv4Address(FIRST_REMOTE + k), 1000 + k)
        engine.bridges.attach(tunnel.sw_if_index, DOMAIN, shg=1)
        engine.l2fib.add(DOMAIN, (FIRST_FAR + k).to_bytes(6, "big"), tunnel.sw_if_index, static=True)
    which = np.random.default_rng(seed).permutation(np.resize(np.arange(count), STREAM_FRAMES))
    station = np.full(STREAM_FRAMES, STATION)
    engine.pg.add("out", inner, ethernet_frames(FIRST_FAR + which, station), limit=0)
    inside = ethernet_frames(station, FIRST_FAR + which)
    mac = engine.interfaces[outer].mac
    engine.pg.add("in", outer, vxlan_frames(inside, FIRST_REMOTE + which, LOCAL, 1000 + which, dst_mac=mac), limit=0)


def run(case: str, *, packets: int = 1 << 22, buffers: int = 8192, seed: int = 1) -> CaseResult:
    """Measure one case on a fresh engine; half of the packets go each way.

    Raises:
        RuntimeError: packets were dropped, so the figures would be wrong.
    """
    return run_case("vxlan", case, set_up, packets=packets, buffers=buffers, seed=seed)
