"""How far tables of ACLs by number would have grown that never shrink: VPP shows a line for each number within."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class Reach:
    """One direction's; each is one more than the highest number so far."""

    interfaces: int = 0
    """Interfaces whose list was ever set."""
    acls: int = 0
    """ACLs that ever applied."""

    def add(self, sw_if_index: int, acls: Iterable[int]) -> None:
        """An interface's list is set."""
        self.interfaces = max(self.interfaces, sw_if_index + 1)
        self.acls = max(self.acls, *(index + 1 for index in acls), 0)
