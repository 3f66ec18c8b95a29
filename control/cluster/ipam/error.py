"""What can't be done, told as the field that is to blame and the reason."""

from __future__ import annotations


class IpamError(Exception):
    """An address that can't be had. ``field``: the setting (or argument) to blame; ``reason``: why."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field}: {reason}")


class Exhausted(IpamError):
    """All is given away; something has to be released first."""
