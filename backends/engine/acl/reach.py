"""Where ACLs apply, and how far VPP's tables of that would have grown, which never shrink: it shows a line for each
number within.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from vectorplane.backends.engine.acl.users import Users


@dataclass(slots=True)
class Reach:
    """One direction's; the numbers are one more than the highest so far."""

    interfaces: int = 0
    """Interfaces whose list was ever set."""
    acls: int = 0
    """ACLs that ever applied."""
    users: Users = field(default_factory=Users)
    """The interfaces in whose list each ACL is."""

    def change(self, sw_if_index: int, before: Iterable[int], acls: Iterable[int]) -> None:
        """An interface's list is set."""
        acls = list(acls)
        self.users.change(sw_if_index, before, acls)
        self.interfaces = max(self.interfaces, sw_if_index + 1)
        self.acls = max(self.acls, *(index + 1 for index in acls), 0)
