"""How many of a load-balance's buckets each path gets (VPP's normalisation of weights).

The number of buckets is a power of two: the smallest that holds all paths, doubled until the shares are within the
error tolerance of what the weights ask for, and no path goes without.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

MAX_BUCKETS = 8192
"""VPP's ``LB_MAX_BUCKETS``."""
TOLERANCE = 0.1


def normalise(weights: Sequence[int], tolerance: float = TOLERANCE) -> list[tuple[int, int]]:
    """(position in ``weights``, buckets) in the order in which the buckets are laid out: lightest first.

    Paths beyond the number of buckets that there can be are left out.

    Raises:
        ValueError: no weights, or a negative one.
    """
    if not weights or min(weights) < 0:
        raise ValueError(f"weights {list(weights)}: at least one, none negative")
    n = len(weights)
    if n == 1:
        return [(0, 1)]
    if n == 2:
        # VPP's quick sort of two
        first = 0 if weights[0] >= weights[1] else 1
        if weights[0] == weights[1]:
            return [(0, 1), (1, 1)]
        order = [first, first ^ 1]
    else:
        order = sorted(range(n), key=lambda i: weights[i])
    wanted = [weights[i] for i in order]
    total = sum(wanted)
    if total == 0:
        wanted, total = [1] * n, n
    buckets = min(1 << (n - 1).bit_length(), MAX_BUCKETS)
    while True:
        counts, left, error = [], buckets, 0.0
        for weight in wanted:
            exact = weight * (buckets / total)
            count = min(floor(exact + 0.5), left)
            if count == 0:
                if buckets < MAX_BUCKETS:
                    error = float(buckets)
                    break
                if left == 0:
                    break
                count = 1  # VPP would lose the path
            left -= count
            error += abs(exact - count)
            counts.append(count)
        if error <= tolerance * buckets or buckets >= MAX_BUCKETS:
            counts[0] += left
            return list(zip(order, counts, strict=False))
        buckets *= 2
