"""At most one event of a kind in a window of time, shared by all workers.

VPP keeps a bitmap a worker that it clears after a millisecond. Here the windows lie on a fixed grid of packet time
and are the same for all workers, so what passes depends neither on vector sizes nor on how many workers there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.dataplane.region import Region
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import compare_and_swap, load_acquire, mul, shr

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

SLOTS = 4096
_FACTOR = 0x2545F4914F6CDD1D


@helper
def throttled(table: int, key: int, window: int) -> bool:
    """Was ``key`` (64 bits) seen in this window (a number that grows with time) before? It is now."""
    h = mul(key ^ shr(key, 29), _FACTOR)
    at = table + 8 * (shr(h, 32) & (SLOTS - 1))
    word = ((h & 0x7FFFFFFF) | 1) << 32 | (window & 0xFFFFFFFF)
    found = load_acquire(at)
    if found == word:
        return True
    return bool(compare_and_swap(at, found, word) != found and load_acquire(at) == word)


class ArpThrottle:
    """The throttle of ARP requests: one a millisecond for each destination (VPP's 1e-3)."""

    def __init__(self, plane: Dataplane) -> None:
        self._region = Region(8 * SLOTS, name="arp throttle")
        self.address = self._region.address

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
