"""An index pool as a set and a stack."""

from __future__ import annotations


class NaivePool:
    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.used: set[int] = set()
        self.given: list[int] = []
        self.fresh = 0

    def take(self) -> int:
        """The index given back last, else the lowest that was never taken; -1 when there is none."""
        if self.given:
            index = self.given.pop()
        elif self.fresh < self.capacity:
            index = self.fresh
            self.fresh += 1
        else:
            return -1
        self.used.add(index)
        return index

    def give(self, index: int) -> int:
        if index not in self.used:
            return -1
        self.used.remove(index)
        self.given.append(index)
        return 0
