"""A network card's rings and wire, event by event, in plain Python with exact fractions."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from math import floor


def receive(arrivals: list[tuple[int, int]], slots: int, service: int) -> list[int | None]:
    """For each (time, queue), in order of time: when the host takes the packet; None when its ring was full.

    At one instant all arrivals come first, then the host takes what it may.
    """
    rings: dict[int, deque[int]] = {}
    last: dict[int, int] = {}
    taken: list[int | None] = []
    for time, queue in arrivals:
        ring = rings.setdefault(queue, deque())
        while ring and ring[0] < time:  # the host took these before this instant
            ring.popleft()
        if len(ring) == slots:
            taken.append(None)
            continue
        when = max(time, last[queue] + service) if queue in last else time
        last[queue] = when
        ring.append(when)
        taken.append(when)
    return taken


def transmit(packets: list[tuple[int, int, int]], slots: int, rate: int | None) -> list[int | None]:
    """For each (time, queue, size), in order of time: when its last bit leaves (ns); None: its ring was full."""
    wire = Fraction(0)
    rings: dict[int, deque[int]] = {}
    departures: list[int | None] = []
    for time, queue, size in packets:
        ring = rings.setdefault(queue, deque())
        while ring and ring[0] <= time:  # what has left by now has given its descriptor back
            ring.popleft()
        if len(ring) == slots:
            departures.append(None)
            continue
        leaves = time
        if rate is not None:
            wire = max(Fraction(time), wire) + Fraction((max(size, 60) + 24) * 8 * 10**9, rate)
            leaves = floor(wire)
        ring.append(leaves)
        departures.append(leaves)
    return departures
