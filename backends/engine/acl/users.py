"""Who uses numbered lists, in the order that VPP shows: its vectors put the last entry where one is taken out."""

from __future__ import annotations

from collections.abc import Iterable


def take_out(values: list[int], value: int) -> None:
    """Take a value out of a list as VPP does: the last one gets its place. Raises `ValueError`: it is not there."""
    place = values.index(value)
    last = values.pop()
    if place < len(values):
        values[place] = last


class Users:
    """By list (of rules) the numbers of those that use it."""

    def __init__(self) -> None:
        self._by_list: dict[int, list[int]] = {}

    def change(self, user: int, before: Iterable[int], now: Iterable[int]) -> None:
        """A user has other lists; in those that it keeps its place stays."""
        before, now = list(before), list(now)
        for index in set(before).difference(now):
            take_out(self._by_list[index], user)
            if not self._by_list[index]:
                del self._by_list[index]
        for index in set(now).difference(before):
            self._by_list.setdefault(index, []).append(user)

    def of(self, index: int) -> list[int]:
        """Those that use a list."""
        return list(self._by_list.get(index, ()))
