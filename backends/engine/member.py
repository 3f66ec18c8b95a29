"""What a `Network` needs to know of whatever it advances, and of the ports that its links join.

An `Engine` is a member, and a `SimNic` a port. Others may stand for an engine somewhere else, in another process say:
`Member.run_until` may then come back before its work is done, so that several work at the same time; everything else
that is asked of it, or of one of its ports, waits for that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy.typing as npt

if TYPE_CHECKING:
    from vectorplane.backends.engine.sim_link import Cable


class Member(Protocol):
    """Something with ports and a time of its own, in ns."""

    @property
    def clock(self) -> str:
        """``virtual`` or ``fast``."""

    @property
    def now(self) -> int:
        """Its time."""

    def next_time(self) -> int:
        """When the next packet is due at an input; `NEVER`: none is known."""

    def due(self) -> int:
        """When anything is due, timers included; `NEVER`: nothing is known."""

    def wake(self) -> None:
        """Take up what was done between two runs."""

    def advance(self, now: int) -> None:
        """Its clock moves to ``now`` (never back); nothing is due before."""

    def run_until(self, limit: int) -> None:
        """Run everything due up to ``limit``; the clock then stands there."""

    def run(self) -> None:
        """Run until no packet is left."""

    def stop(self) -> None:
        """Make `run` return soon."""


class Port(Protocol):
    """An end of a link."""

    name: str
    sw_if_index: int
    """-1: it belongs to no interface yet."""
    link: Cable | None

    @property
    def engine(self) -> Member:
        """Whose port it is."""

    def receive(self, data: int, records: npt.NDArray[Any], latency: int = 0) -> int:
        """Frames (`RECORD`, offsets from address ``data``) arrive, ``latency`` ns after their times; gives the lost."""

    def depart(self, until: int) -> None:
        """Give the link what was sent at times up to ``until`` ns; nothing that comes later may be older."""
