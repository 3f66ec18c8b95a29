"""Vectors of strings in the statistics segment: `/if/names`, `/sys/node/names`."""

from __future__ import annotations

import numpy as np

from vectorplane.dataplane.stats import NAMES, StatsSegment


class NameVector:
    """A name by index, empty where there is none. Neither the vector nor its strings ever move."""

    def __init__(self, segment: StatsSegment, name: str, capacity: int) -> None:
        self._segment = segment
        self._address = segment.vector(8 * capacity, 0)
        self._pointers = segment.view(self._address, np.dtype("u8"), capacity)
        self._strings: dict[str, int] = {}
        self._length = 0
        segment.entry(name, NAMES, self._address)

    def set(self, index: int, text: str | None) -> None:
        """Set one name; None: there is none. A string once written is used again when its name comes back."""
        if text is not None and text not in self._strings:
            raw = text.encode("ascii", "replace") + b"\0"
            address = self._segment.vector(len(raw), len(raw))
            self._segment.view(address, np.dtype("u1"), len(raw))[:] = np.frombuffer(raw, "u1")
            self._strings[text] = address
        self._pointers[index] = 0 if text is None else self._strings[text]
        if index >= self._length:
            self._length = index + 1
            self._segment.set_length(self._address, self._length)
        self._segment.changed()
