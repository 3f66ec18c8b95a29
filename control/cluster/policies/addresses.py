"""A set of addresses that changes, and the networks that are exactly it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

from vectorplane.control.cluster.policies.nets import Net

_BLOCK = 8
"""Addresses are kept in blocks of 2^this; a change costs what one block costs."""


class AddressSet:
    """Addresses, each as often as it was added (two pods may be told with one address)."""

    def __init__(self) -> None:
        self.counts: dict[Net, int] = {}
        self._blocks: dict[tuple[int, int], set[int]] = {}
        self._made: dict[tuple[int, int], dict[Hashable, list[Any]]] = {}
        """By block what was made of its networks."""

    def __contains__(self, address: Net) -> bool:
        return address in self.counts

    def __len__(self) -> int:
        return len(self.counts)

    def add(self, address: Net) -> None:
        """Once more."""
        count = self.counts.get(address, 0)
        self.counts[address] = count + 1
        if not count:
            block = address[1], address[2] >> _BLOCK
            self._blocks.setdefault(block, set()).add(address[2])
            self._made.pop(block, None)

    def remove(self, address: Net) -> None:
        """Once less."""
        count = self.counts[address]
        if count > 1:
            self.counts[address] = count - 1
            return
        del self.counts[address]
        block = address[1], address[2] >> _BLOCK
        self._made.pop(block, None)
        self._blocks[block].discard(address[2])
        if not self._blocks[block]:
            del self._blocks[block]

    @property
    def nets(self) -> Iterator[Net]:
        """Networks that hold these addresses and no others, neighbours put together within their block."""
        return self.each(None, None)

    def each(self, what: Hashable, make: Callable[[Net], Any] | None) -> Iterator[Any]:
        """What ``make`` makes of each network. It is remembered under ``what``, for as long as a block stays."""
        for block, members in self._blocks.items():
            made = self._made.setdefault(block, {})
            if None not in made:
                made[None] = _together(block[0], members)
            if what not in made and make is not None:
                made[what] = [make(n) for n in made[None]]
            yield from made[what]


def _together(version: int, members: set[int]) -> list[Net]:
    """Pairs of neighbours become one network of twice the size, and so on."""
    full = 32 if version == 4 else 128
    found: list[Net] = []
    level, length = members, full
    while level:
        bit = 1 << (full - length)
        above = {n for n in level if not n & bit and n | bit in level} if length > full - _BLOCK else set()
        found += [(-length, version, n) for n in level if n & ~bit not in above]
        level, length = above, length - 1
    return found
