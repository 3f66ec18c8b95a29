"""What all tunnels share: the device of their interface, their errors, and following the route to their other end."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address
from itertools import count
from typing import TYPE_CHECKING

from vectorplane.backends.engine.device import Device
from vectorplane.backends.engine.loopback import InstanceInUse

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.fib_entries import Entry

__all__ = ["InstanceInUse", "InvalidDecapNext", "TunnelDevice", "TunnelExists", "Underlay", "in_packet", "signed"]


class TunnelExists(ValueError):
    """There is a tunnel whose packets could not be told from this one's."""


class InvalidDecapNext(ValueError):
    """Decapsulated packets cannot go there: the input node has no such next."""


class TunnelDevice(Device):
    """The device of a tunnel's interface; subclasses say what kind of tunnel it is."""

    prefix = ""
    """What the interface's name begins with, before its instance."""

    def __init__(self, src: IPv4Address, dst: IPv4Address, table: int, instance: int | None) -> None:
        if src == dst:
            raise ValueError(f"a tunnel cannot lead from {src} to itself")
        self.src, self.dst, self.table = src, dst, table
        self.wanted_instance = instance
        self.instance = -1
        self.sw_if_index = -1


class Underlay:
    """The routes that tunnels follow, of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tracked: dict[int, tuple[Entry, dict[int, Callable[[int], None]]]] = {}
        """By entry's number."""
        self._tables: dict[int, int] = {}
        """Tables of tunnels, and how many each has."""
        engine.routes.control.observers.append(self._changed)

    def track(self, owner: int, table: int, address: IPv4Address, follow: Callable[[int], None]) -> None:
        """Tell ``follow`` the load-balance of an address's route, now and whenever it becomes another one.

        Raises:
            KeyError: no such table.
        """
        entry = self._engine.routes.control.hold_via(table, int(address))
        self._tables[table] = self._tables.get(table, 0) + 1
        self._tracked.setdefault(entry.number, (entry, {}))[1][owner] = follow
        follow(entry.lb)

    def untrack(self, owner: int, table: int) -> None:
        """End that for ``owner`` (the sw_if_index of a tunnel)."""
        for number, (entry, followers) in list(self._tracked.items()):
            if followers.pop(owner, None) is None:
                continue
            if not followers:
                del self._tracked[number]
            self._tables[table] -= 1
            if not self._tables[table]:
                del self._tables[table]
            self._engine.routes.control.release_via(entry)
            if self._engine.tables.unwanted:
                self._engine.tables.collect()

    def uses(self, table: int) -> bool:
        """Does a tunnel lead through this table?"""
        return table in self._tables

    def _changed(self, entry: Entry) -> None:
        tracked = self._tracked.get(entry.number)
        if tracked is not None:
            for follow in tracked[1].values():
                follow(entry.lb)


def free_instance(taken: set[int], wanted: int | None) -> int:
    """The wanted instance, or the lowest that is free.

    Raises:
        InstanceInUse: the wanted one is taken.
    """
    if wanted is None:
        return next(n for n in count() if n not in taken)
    if wanted in taken:
        raise InstanceInUse(f"tunnel instance {wanted} is in use")
    return wanted


def in_packet(address: IPv4Address) -> int:
    """An address as a little-endian load of it from a packet gives it."""
    return int.from_bytes(address.packed, "little")


def signed(word: int, bits: int = 64) -> int:
    """A number of so many bits as numpy takes it."""
    word &= (1 << bits) - 1
    return word - (1 << bits) if word >> (bits - 1) else word
