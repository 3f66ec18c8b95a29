"""The orders in which VPP keeps things: its dumps show them, and what it tries first follows from them."""

from __future__ import annotations

from bisect import bisect, bisect_left
from collections.abc import Iterable
from typing import TypeVar

from vectorplane.backends.engine.slots import Slots

T = TypeVar("T")


class PoolList(list[T]):
    """As in a pool of VPP's: who comes takes the place that became free last, or one behind all others.

    Changed by `enter` and `leave` alone.
    """

    def __init__(self, items: Iterable[T] = ()) -> None:
        super().__init__(items)
        self._slots = Slots()
        self._places = [self._slots.take() for _ in self]

    def enter(self, item: T) -> None:
        """It takes a place."""
        place = self._slots.take()
        at = bisect(self._places, place)
        self._places.insert(at, place)
        self.insert(at, item)

    def leave(self, item: T) -> None:
        """Its place is free. Raises `ValueError`: it has none."""
        at = self.index(item)
        del self[at]
        self._slots.give(self._places.pop(at))

    def from_place(self, place: int) -> list[T]:
        """Those in this place and behind it."""
        return self[bisect_left(self._places, place) :]


def take_out(vector: list[T], at: int) -> T:
    """Remove one as VPP does from a vector: the last one takes its place."""
    gone = vector[at]
    last = vector.pop()
    if at < len(vector):
        vector[at] = last
    return gone
