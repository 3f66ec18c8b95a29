"""What all tunnels share: the device of their interface, their errors, and following the route to their other end."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from vectorplane.backends.engine.device import Device
from vectorplane.backends.engine.loopback import InstanceInUse
from vectorplane.backends.engine.slots import Slots

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.fib_entries import Entry

__all__ = [
    "InstanceInUse",
    "Instances",
    "InvalidDecapNext",
    "TunnelDevice",
    "TunnelExists",
    "Underlay",
    "in_packet",
    "numbered_mac",
]


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
        self.slot = -1
        """Its number among the tunnels of its kind, whatever the instance that was asked for."""
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


class Instances:
    """The numbers of one kind's tunnels: slots, and the instances that name the interfaces."""

    def __init__(self) -> None:
        self._slots = Slots()
        self._taken: set[int] = set()

    def offer(self, device: TunnelDevice) -> None:
        """Tell a tunnel the numbers that it would have: the wanted instance, or that of its slot.

        Raises:
            InstanceInUse: another one has it, if only because a user once chose what is now a slot's.
        """
        slot = self._slots.next
        instance = slot if device.wanted_instance is None else device.wanted_instance
        if instance in self._taken:
            raise InstanceInUse(f"tunnel instance {instance} is in use")
        device.slot, device.instance = slot, instance

    def take(self, device: TunnelDevice) -> None:
        """It has what it was offered."""
        self._slots.take()
        self._taken.add(device.instance)

    def give(self, device: TunnelDevice) -> None:
        """It goes."""
        self._slots.give(device.slot)
        self._taken.discard(device.instance)


def numbered_mac(slot: int) -> bytes:
    """VPP's address of a tunnel's interface: ``d0:0b:ee:d0:``, then the slot."""
    return bytes.fromhex("d00beed0") + (slot & 0xFFFF).to_bytes(2, "big")


def in_packet(address: IPv4Address) -> int:
    """An address as a little-endian load of it from a packet gives it."""
    return int.from_bytes(address.packed, "little")
