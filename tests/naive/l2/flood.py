"""Who gets a flooded frame: the order of a bridge domain's members (VPP's ``bd_add_member``) and l2-flood's walk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Member(NamedTuple):
    """A port. ``flood``: ``normal``, ``bvi``, ``tunnel-master``, ``tunnel`` or ``none``."""

    interface: int
    shg: int = 0
    is_bvi: bool = False
    flood: str = "normal"


def wanted(members: Sequence[Member], interface: int, shg: int) -> list[Member]:
    """Who of these gets a frame that came in on ``interface`` with this split-horizon group, in VPP's order."""
    others = [m for m in reversed(members) if m.interface != interface]
    return [m for m in others if shg == 0 or m.shg != shg]


@dataclass
class Members:
    """The members of one domain, and VPP's counts of some of them."""

    all: list[Member] = field(default_factory=list)
    masters: int = 0
    tunnels: int = 0
    none: int = 0

    @property
    def flooded(self) -> list[Member]:
        """Those that are flooded to."""
        return self.all[: len(self.all) - (self.tunnels if self.masters else 0) - self.none]

    def add(self, member: Member) -> None:
        """A port joins."""
        if member.flood == "none":
            self.none += 1
            self.all.append(member)
        elif member.flood == "bvi":
            self.all.insert(0, member)
        elif member.flood == "tunnel":
            self.all.insert(len(self.all) - self.none, member)
            self.tunnels += 1
        else:
            self.masters += member.flood == "tunnel-master"
            self.all.insert(len(self.all) - self.tunnels - self.none, member)

    def remove(self, interface: int) -> None:
        """It leaves."""
        for member in [m for m in self.all if m.interface == interface]:
            self.masters -= member.flood == "tunnel-master"
            self.tunnels -= member.flood == "tunnel"
            self.none -= member.flood == "none"
            self.all.remove(member)
