"""Why a host throws away what it received."""

from __future__ import annotations


class Dropped(Exception):
    """A received frame ends here; the reason is the name of a counter."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
