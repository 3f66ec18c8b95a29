"""Longest-prefix match as one would explain it: try each length, from the longest down."""

from __future__ import annotations


def network(prefix: int, length: int) -> int:
    """The prefix without the bits beyond its length."""
    return prefix >> (32 - length) << (32 - length)


class NaiveMtrie:
    """Routes in a dict: (fib, prefix, length) -> value."""

    def __init__(self) -> None:
        self.routes: dict[tuple[int, int, int], int] = {}

    def add(self, fib: int, prefix: int, length: int, value: int) -> None:
        self.routes[fib, network(prefix, length), length] = value

    def remove(self, fib: int, prefix: int, length: int) -> int | None:
        return self.routes.pop((fib, network(prefix, length), length), None)

    def longest(self, fib: int, address: int, below: int = 33) -> tuple[int, int, int] | None:
        """(prefix, length, value) of the longest route shorter than ``below`` that holds the address."""
        for length in range(below - 1, -1, -1):
            value = self.routes.get((fib, network(address, length), length))
            if value is not None:
                return network(address, length), length, value
        return None

    def look_up(self, fib: int, address: int) -> int:
        found = self.longest(fib, address)
        return 0 if found is None else found[2]

    def dump(self, fib: int) -> list[tuple[int, int, int]]:
        return sorted((p, n, v) for (f, p, n), v in self.routes.items() if f == fib)

    def plies(self) -> int:
        """How many plies a 16-8-8 trie needs: one for each /16 and each /24 with something longer in it."""
        middle = {(f, p >> 16) for f, p, n in self.routes if n > 16}
        lowest = {(f, p >> 8) for f, p, n in self.routes if n > 24}
        return len(middle) + len(lowest)
