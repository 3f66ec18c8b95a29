"""How often a packet has begun anew inside the router, and the end of those that do so for ever.

A loopback, a BVI, a route that starts again on another interface, a tunnel's encapsulation: each hands a packet on to
where packets come in, and configurations that lead in a circle would keep it for ever (in VPP they do). Each of them
takes a `turn`; after `MOST_TURNS` the packet is dropped, with the node's own reason. Decapsulation gives nothing back.
"""

from __future__ import annotations

from vectorplane.dataplane.buffer import BUFFER
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import rec

TURN = 1 << 20
"""Turns are counted in bits of the flags that nothing else uses."""
MOST_TURNS = 7
TOO_MANY = ("too_many", "packet began anew too often")


@helper
def turn(b: int) -> bool:
    """Count a turn; False when the packet has had all that it may have."""
    m = rec(b, BUFFER)
    if m.flags & (TURN * MOST_TURNS) == TURN * MOST_TURNS:
        return False
    m.flags += TURN
    return True
