"""A hash map is a dict."""

from __future__ import annotations

Key = tuple[int, ...]


class NaiveHashMap:
    """The same operations, with the kernels' return codes."""

    def __init__(self) -> None:
        self.entries: dict[Key, int] = {}

    def search(self, key: Key) -> int:
        return self.entries.get(key, -1)

    def insert(self, key: Key, value: int) -> int:
        new = key not in self.entries
        self.entries[key] = value
        return int(new)

    def remove(self, key: Key) -> int:
        return self.entries.pop(key, -1)
