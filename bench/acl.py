"""What the ACL benchmarks share: a router with an inside and an outside port."""

from __future__ import annotations

from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.route_paths import Path

FLOWS = 4096
INSIDE_MAC, OUTSIDE_MAC = bytes.fromhex("02fe00000001"), bytes.fromhex("02fe00000002")


def ports(engine: Engine) -> tuple[int, int]:
    """pg0 (inside, 10.0.0.1/24) and pg1 (outside, 10.0.1.1/24, where all else is routed to)."""
    made = []
    for n, mac in enumerate((INSIDE_MAC, OUTSIDE_MAC)):
        port = engine.interfaces.add(f"pg{n}", mac=mac)
        engine.interfaces.set_up(port.sw_if_index)
        engine.addresses.add(port.sw_if_index, f"10.0.{n}.1/24")
        engine.neighbours.add(port.sw_if_index, f"10.0.{n}.2", bytes.fromhex("020000000200"), static=True)
        made.append(port.sw_if_index)
    engine.routes.add("0.0.0.0/0", [Path(next_hop=10 << 24 | 1 << 8 | 2, sw_if_index=made[1])])
    return made[0], made[1]
