"""Which session would an ACL node find for a packet? Looked up as the nodes do it, and nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.region import lent
from vectorplane.graph_nodes.acl.acl_node import search_again
from vectorplane.graph_nodes.acl.five_tuple import IS_INPUT, S_ADDRESSES, S_L4, SCRATCH, fill4, fill6
from vectorplane.graph_nodes.acl.session_control import AclSessions
from vectorplane.graph_nodes.acl.session_key import way_of
from vectorplane.graph_nodes.acl.session_table import SESSION, T_KNOWN, TABLE, session_at
from vectorplane.jit.kernel import compiled
from vectorplane.jit.ops import ld64, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

_SLACK = 64  # headers are read in whole words


@compiled
def _peek(table: int, s: int, ip: int, length: int, sw_if: int, is_input: int, family: int) -> int:
    """Session << 1 | (does it let such packets through?); -1: none."""
    ip6 = family == 6
    direction = IS_INPUT if is_input else 0
    if ip6:
        fill6(s, ip, length, sw_if, direction, table + T_KNOWN)
        if ld64(s + S_ADDRESSES) == 0:
            return -1
    else:
        fill4(s, ip, length, sw_if, direction)
    if rec(table, TABLE).live == 0:
        return -1
    index = search_again(table, s, is_input, ip6)
    if index < 0:
        return -1
    passes = rec(session_at(table, index), SESSION).ways & way_of(ld64(s + S_L4), ip6)
    return index << 1 | (1 if passes else 0)


def session_of(plane: Dataplane, packet: bytes, sw_if_index: int, is_input: bool, ip6: bool) -> tuple[int, bool] | None:
    """The number of the session of an IP packet (what of it is in its first buffer) on an interface, and whether it
    lets packets like this one through; None: there is none. No worker may be dispatching.
    """
    raw = np.frombuffer(packet + bytes(_SLACK), np.uint8).copy()
    scratch = np.zeros(1, SCRATCH)
    table = plane.shared(AclSessions).address
    with lent(raw, scratch) as (ip, s):
        found = _peek(table, s, ip, len(packet), sw_if_index, int(is_input), 6 if ip6 else 4)
    return None if found < 0 else (found >> 1, bool(found & 1))
