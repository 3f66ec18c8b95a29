"""What capture-input delivers, as a sort: captures merged by time that never runs backwards."""

from __future__ import annotations

from collections.abc import Sequence


def merge(sources: Sequence[Sequence[tuple[int, int]]], limit: int | None = None) -> list[tuple[int, int]]:
    """``sources``: for each the (time, size) of its records in file order. Gives (source, time) as delivered.

    The next record is the one whose time stamp is lowest of those that stand first in their source, of the source that
    comes first when stamps are equal; its time is at least its predecessor's.
    """
    positions = [0] * len(sources)
    clock = 0
    out: list[tuple[int, int]] = []
    while limit is None or len(out) < limit:
        heads = [(s[positions[k]][0], k) for k, s in enumerate(sources) if positions[k] < len(s)]
        if not heads:
            break
        time, k = min(heads)
        positions[k] += 1
        clock = max(clock, time)
        out.append((k, clock))
    return out
