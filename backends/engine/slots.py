"""Numbers of what is numbered as VPP does it."""

from __future__ import annotations


class Slots:
    """The numbers of a pool, handed out as VPP does it: the one that became free last, else the next."""

    def __init__(self) -> None:
        self._free: list[int] = []
        self._top = 0

    @property
    def next(self) -> int:
        """What `take` will give."""
        return self._free[-1] if self._free else self._top

    def take(self) -> int:
        """A number."""
        if self._free:
            return self._free.pop()
        self._top += 1
        return self._top - 1

    def give(self, number: int) -> None:
        """One that was taken is free again."""
        self._free.append(number)
