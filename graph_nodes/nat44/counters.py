"""Packets that NAT translated, by interface: ``/nat44-ed/{in2out,out2in}/{fastpath,slowpath}/{tcp,...}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.interface import MAX_INTERFACES
from vectorplane.graph_nodes.nat44.session import P_ICMP, P_TCP, P_UDP
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ld64, rec, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane
    from vectorplane.dataplane.stats import Vector

WHAT = ("tcp", "udp", "icmp", "other", "drops")
COUNTERS = np.dtype([(what, "i8") for what in WHAT])
"""Addresses of a worker's int64 by sw_if_index, part of a node's runtime data."""


@helper
def bump(vector: int, sw_if: int, by: int) -> None:
    """Count more packets of an interface."""
    at = vector + 8 * sw_if
    st64(at, ld64(at) + by)


@helper
def count_packet(counters: int, sw_if: int, proto: int) -> None:
    """Count one packet by its protocol; ``counters``: the address of a `COUNTERS`."""
    c = rec(counters, COUNTERS)
    if proto == P_TCP:
        bump(c.tcp, sw_if, 1)
    elif proto == P_UDP:
        bump(c.udp, sw_if, 1)
    elif proto == P_ICMP:
        bump(c.icmp, sw_if, 1)
    else:
        bump(c.other, sw_if, 1)


class NatCounters:
    """The vectors of an engine."""

    def __init__(self, plane: Dataplane) -> None:
        simple = plane.stats.simple
        self.vectors: dict[tuple[str, str, str], Vector] = {
            (way, path, what): simple(f"/nat44-ed/{way}/{path}/{what}", MAX_INTERFACES)
            for path in ("fastpath", "slowpath")
            for way in ("in2out", "out2in")
            for what in WHAT
        }
        """By way, path and what is counted."""
        self.hairpinning = simple("/nat44-ed/hairpinning", MAX_INTERFACES)
        self.total_sessions = simple("/nat44-ed/total-sessions", 1)
        self.total_sessions.extend(1)
        self.most = plane.stats.gauge("/nat44-ed/max-cfg-sessions")
        self._plane = plane
        for vector in (*self.vectors.values(), self.hairpinning):
            vector.extend(1)

    def clear(self, sw_if_index: int) -> None:
        """NAT begins on an interface: its counters are there, and 0."""
        for vector in (*self.vectors.values(), self.hairpinning):
            vector.extend(max([sw_if_index, *self._plane.interfaces.names]) + 1)
            vector.clear(sw_if_index)

    def of(self, way: str, path: str) -> dict[str, list[int]]:
        """For each counter of a node: the address of each worker's vector."""
        return {what: self.vectors[way, path, what].addresses for what in WHAT}
