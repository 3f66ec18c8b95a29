"""What NAT follows of a TCP connection (VPP's three states): established, and whether it is ending.

Established: SYN and ACK were seen both ways. Then a FIN or RST begins the end, in which SYN and ACK both ways open it
again. Only an established session lives by the long timeout.
"""

from __future__ import annotations

from vectorplane.dataplane.buffer import lock, unlock
from vectorplane.graph_nodes.nat44.nat import N_LOCK, NAT
from vectorplane.graph_nodes.nat44.session import (
    CLOSED,
    CLOSING,
    COLD,
    ESTABLISHED,
    HALF,
    TCP_ESTABLISHED,
    TCP_TRANSITORY,
    cold_at,
    half_at,
)
from vectorplane.graph_nodes.nat44.session_table import change_kind
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import rec

FIN, SYN, RST, ACK = 1, 2, 4, 16
FOLLOWED = FIN | SYN | RST | ACK


@helper
def brings_news(half: int, flags: int) -> bool:
    """Has the session not seen all of these flags in this direction?"""
    return (flags & FOLLOWED & ~rec(half, HALF).flags_seen) != 0


@routine
def see_flags(nat: int, number: int, flags: int, now: int) -> None:
    """Flags that a half's direction had not seen; takes the lock when the state changes.

    As in VPP the direction is that of the node: a connection between two inside hosts is never established.
    """
    n = rec(nat, NAT)
    mine = rec(half_at(n.halves, number), HALF)
    other = rec(half_at(n.halves, number ^ 1), HALF)
    c = rec(cold_at(n.colds, number >> 1), COLD)
    mine.flags_seen |= flags & FOLLOWED
    both = mine.flags_seen & other.flags_seen
    if c.tcp_state == ESTABLISHED:
        if mine.flags_seen & (FIN | RST) == 0:
            return
        mine.flags_seen = 0
        other.flags_seen = 0
        mine.active = now
        state = CLOSING
        kind = TCP_TRANSITORY
    else:
        if both != SYN | ACK:
            return
        if c.tcp_state == CLOSING:  # opened again
            mine.packets = 0
            mine.bytes = 0
            other.packets = 0
            other.bytes = 0
        state = ESTABLISHED
        kind = TCP_ESTABLISHED
    c.tcp_state = state
    lock(nat + N_LOCK)
    if c.live != 0:
        change_kind(nat, number >> 1, kind, now)
    unlock(nat + N_LOCK)


assert CLOSED == 0  # as a new record is
