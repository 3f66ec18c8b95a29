"""Names of lists that VPP numbers: see `vectorplane.backends.items_acl`."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.base import BackendError


class ListNames:
    """Names of numbered lists (``what`` they are, for messages): tags, where one is not that of an earlier list."""

    def __init__(self, what: str, tags: Iterable[tuple[int, str]]) -> None:
        self._what = what
        self._names: dict[int, str] = {}
        self._numbers: dict[str, int] = {}
        for number, tag in sorted(tags):
            name = tag if tag and not tag.startswith("#") and tag not in self._numbers else f"#{number}"
            self._names[number] = name
            self._numbers[name] = number

    def name(self, number: int) -> str:
        """Of a list."""
        return self._names.get(number, f"#{number}")

    def number(self, name: str) -> int:
        """Raises `BackendError`: there is no list of that name."""
        number = self._numbers.get(name)
        if number is None:
            raise BackendError(f"there is no {self._what} {name}")
        return number
