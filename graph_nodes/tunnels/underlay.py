"""How a packet with a new outer header goes on: by the load-balance that its tunnel's destination has now.

A tunnel keeps the number of the load-balance; nodes read what it says when the packet comes, so that a change of the
outer route needs nobody to tell the tunnel. One path: its data-path object, at once. Several: ip4-load-balance chooses.
"""

from __future__ import annotations

from vectorplane.graph_nodes.forwarding import DPO_LOAD_BALANCE, DPO_RECEIVE, INLINE_DPO, LB_SIZE
from vectorplane.graph_nodes.ip4_lookup import LOAD_BALANCE_NEXT
from vectorplane.jit.kernel import routine
from vectorplane.jit.ops import ld64

ROOM = 96
"""Bytes of the 128 in front of a buffer's data that tunnels' headers may take: the rest is for an Ethernet header."""
NO_ROUTE = 0
"""As a data-path object: ip4-drop."""
_DEEPEST = 8


@routine
def follow(lbs: int, lb: int) -> int:
    """The data-path object (slot of ip4-lookup's next table | type << 16 | index << 32) behind load-balance ``lb``.

    What leads to this router itself is a drop, as in VPP: the tunnel's other end would be here.
    """
    for _ in range(_DEEPEST):
        at = lbs + lb * LB_SIZE
        if ld64(at) & 0xFFFF != 0:
            return LOAD_BALANCE_NEXT | DPO_LOAD_BALANCE << 16 | lb << 32
        dpo = ld64(at + INLINE_DPO)
        kind = (dpo >> 16) & 0xFFFF
        if kind == DPO_RECEIVE:
            return NO_ROUTE
        if kind != DPO_LOAD_BALANCE:
            return dpo
        lb = (dpo >> 32) & 0xFFFFFFFF
    return NO_ROUTE
