"""What neighbours of both families have in common: who may enter, change and replace them, and who is told.

A static neighbour is changed by the configuration only; a learnt one may become static, not the other way round.
There is a limit to their number; beyond it new ones are refused, or with ``recycle`` the one that was silent longest
makes room. Each family says how it forwards to them (`NeighbourStore.set_mac` and the like).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from vectorplane.backends.engine.neighbour_ageing import Ageing
from vectorplane.graph_nodes.neighbour_table import MAX_NEIGHBOURS, NeighbourTable
from vectorplane.graph_nodes.neighbour_table6 import NeighbourTable6

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

DEFAULT_LIMIT = 50_000


class NeighbourLimit(Exception):
    """There are as many neighbours as there may be."""


class StaticNeighbour(Exception):
    """A neighbour that was learnt cannot replace a static one."""


@dataclass(slots=True, eq=False)
class Neighbour:
    """One neighbour; ``number`` is that of its record in the nodes' table, ``version`` 4 or 6."""

    sw_if_index: int
    address: int
    mac: bytes
    static: bool
    no_fib_entry: bool
    number: int
    version: int = 4
    probes: int = 0
    marked: int = -1
    """When (ns) a replacement began; it is kept when it is entered or heard of after that. -1: none under way."""


class NeighbourStore(ABC):
    """The neighbours of all interfaces, of one family. ``on_change`` holds callbacks ``(neighbour, added)``."""

    version: ClassVar[int]
    bits: ClassVar[int]
    """Length of an address."""

    def __init__(self, engine: Engine, table: NeighbourTable | NeighbourTable6) -> None:
        self._engine, self._table = engine, table
        self._by_key: dict[tuple[int, int], Neighbour] = {}
        self.limit, self.recycle = DEFAULT_LIMIT, False
        self.on_change: list[Callable[[Neighbour, bool], None]] = []
        self.ageing = Ageing(engine, self)

    # --- what a family does in its own way

    @abstractmethod
    def number(self, ip: str | int) -> int:
        """An address as a number. Raises `ValueError`: it is not one."""

    @abstractmethod
    def set_mac(self, neighbour: Neighbour, mac: bytes | None) -> None:
        """Forward to the neighbour by this MAC; None: it is lost."""

    @abstractmethod
    def host_route(self, neighbour: Neighbour, there: bool, fib: int) -> None:
        """Enter the neighbour's host route in a FIB, or take it out."""

    @abstractmethod
    def fib_of(self, sw_if_index: int) -> int:
        """FIB index of the table that the interface is in."""

    @abstractmethod
    def probe(self, sw_if_index: int, address: int) -> bool:
        """Ask for a neighbour; False when there is nothing to ask from, or the interface is down."""

    @abstractmethod
    def stats_index(self, neighbour: Neighbour) -> int:
        """Its place in ``/net/adjacency``; -1: nothing is forwarded to it."""

    # --- what they have in common

    def add(
        self, sw_if_index: int, ip: str | int, mac: bytes, *, static: bool = False, no_fib_entry: bool = False
    ) -> Neighbour:
        """Enter a neighbour, or change its MAC; a learnt one may become static, not the other way round.

        Raises:
            KeyError: no such interface.
            ValueError: a malformed address or MAC.
            NeighbourLimit: there is no room.
            StaticNeighbour: there is a static one with another MAC.
        """
        if len(mac) != 6:
            raise ValueError(f"neighbour {ip}: a MAC address has 6 bytes, not {len(mac)}")
        self._engine.interfaces[sw_if_index]
        return self._add(sw_if_index, self.number(ip), mac, static, no_fib_entry, self._engine.now)

    def remove(self, sw_if_index: int, ip: str | int) -> None:
        """Forget a neighbour.

        Raises:
            KeyError: it is not known.
        """
        neighbour = self.get(sw_if_index, ip)
        if neighbour is None:
            raise KeyError(f"no neighbour {ip} on interface {sw_if_index}")
        self.destroy(neighbour)

    def get(self, sw_if_index: int, ip: str | int) -> Neighbour | None:
        """A neighbour, if it is known."""
        return self._by_key.get((sw_if_index, self.number(ip)))

    def dump(self, sw_if_index: int | None = None) -> list[Neighbour]:
        """Neighbours of one interface or all, by interface and address."""
        chosen = [n for n in self._by_key.values() if sw_if_index is None or n.sw_if_index == sw_if_index]
        return sorted(chosen, key=lambda n: (n.sw_if_index, n.address))

    def flush(self, sw_if_index: int | None = None, *, static: bool = True) -> None:
        """Forget all neighbours of one interface or all; ``static`` ones too, unless told otherwise."""
        for neighbour in self.dump(sw_if_index):
            if static or not neighbour.static:
                self.destroy(neighbour)

    def configure(self, *, limit: int = DEFAULT_LIMIT, max_age: int = 0, recycle: bool = False) -> None:
        """``limit``: most neighbours (0: as many as fit); ``max_age``: seconds of silence after which one is probed
        and, after three probes a second apart, forgotten (0: never); ``recycle``: the oldest makes room.
        """
        self.limit, self.recycle = limit, recycle
        self._note_room()
        self.ageing.set(max_age)

    def mark(self) -> None:
        """Begin a replacement of all neighbours: those that are not entered or heard of again are stale."""
        for neighbour in self._by_key.values():
            neighbour.marked = self._engine.now

    def sweep(self) -> None:
        """End a replacement: forget the stale ones."""
        for neighbour in self.dump():
            if neighbour.marked >= 0 and self.heard(neighbour) <= neighbour.marked:
                self.destroy(neighbour)
            neighbour.marked = -1

    def heard(self, neighbour: Neighbour) -> int:
        """When (ns) it was heard of last."""
        return int(self._table.records[neighbour.number]["heard"])

    def mac_of(self, sw_if_index: int, address: int) -> bytes | None:
        """The MAC of an address, when it is known."""
        neighbour = self._by_key.get((sw_if_index, address))
        return None if neighbour is None else neighbour.mac

    def destroy(self, neighbour: Neighbour) -> None:
        """Forget a neighbour: its adjacency is incomplete again, its host route goes."""
        for callback in self.on_change:
            callback(neighbour, False)
        del self._by_key[neighbour.sw_if_index, neighbour.address]
        self._table.remove(neighbour.sw_if_index, neighbour.address)
        self.set_mac(neighbour, None)
        self._route(neighbour, False, self.fib_of(neighbour.sw_if_index))
        self._note_room()

    def interface_deleted(self, sw_if_index: int) -> None:
        """The interface is about to go: so do its neighbours."""
        self.flush(sw_if_index)

    def interface_changed(self, sw_if_index: int) -> None:
        """An interface went up or down: what was learnt on one that is down is forgotten."""
        if sw_if_index in self._engine.interfaces.by_index and not self._engine.interfaces.is_up(sw_if_index):
            self.flush(sw_if_index, static=False)

    def prefix_removed(self, sw_if_index: int, prefix: int, length: int) -> None:
        """An address of the interface is gone: forget what was learnt in its prefix."""
        for n in self.dump(sw_if_index):
            if not n.static and (n.address ^ prefix) >> (self.bits - length) == 0:
                self.destroy(n)

    def table_changed(self, sw_if_index: int, old_fib: int) -> None:
        """The interface moved to another table: its neighbours' host routes move along."""
        for neighbour in self.dump(sw_if_index):
            self._route(neighbour, False, old_fib)
            self._route(neighbour, True, self.fib_of(sw_if_index))

    # --- inner works

    def _add(self, sw_if_index: int, address: int, mac: bytes, static: bool, no_fib_entry: bool, now: int) -> Neighbour:
        neighbour = self._by_key.get((sw_if_index, address))
        if neighbour is None:
            neighbour = self._new(sw_if_index, address, mac, static, no_fib_entry, now)
        else:
            neighbour.marked = -1
            if neighbour.static and not static and neighbour.mac != mac:
                raise StaticNeighbour(f"neighbour {address:#x} on interface {sw_if_index} is static")
            record = self._table.records[neighbour.number]
            if static and not neighbour.static:
                neighbour.static = True
                record["fixed"] = 1
            if neighbour.mac != mac:
                neighbour.mac = mac
                record["mac"] = int.from_bytes(mac, "little")
                self.set_mac(neighbour, mac)
            record["heard"] = max(now, int(record["heard"]))
            neighbour.probes = 0
        for callback in self.on_change:
            callback(neighbour, True)
        self.ageing.poke()
        return neighbour

    def _new(self, sw_if_index: int, address: int, mac: bytes, static: bool, no_fib_entry: bool, now: int) -> Neighbour:
        room = min(self.limit or MAX_NEIGHBOURS, MAX_NEIGHBOURS)
        if len(self._by_key) >= room and not (self.recycle and self._recycle()):
            raise NeighbourLimit(f"more than {room} neighbours")
        record = self._table.add(sw_if_index, address, int.from_bytes(mac, "little"), now, static)
        neighbour = Neighbour(sw_if_index, address, mac, static, no_fib_entry, record, self.version)
        self._by_key[sw_if_index, address] = neighbour
        # the adjacency first, so that the host route finds it complete
        self.set_mac(neighbour, mac)
        self._route(neighbour, True, self.fib_of(sw_if_index))
        self._note_room()
        return neighbour

    def _recycle(self) -> bool:
        learnt = [n for n in self._by_key.values() if not n.static]
        if learnt:
            self.destroy(min(learnt, key=lambda n: (self.heard(n), n.sw_if_index, n.address)))
        return bool(learnt)

    def _note_room(self) -> None:
        room = min(self.limit or MAX_NEIGHBOURS, MAX_NEIGHBOURS)
        self._table.set_full(len(self._by_key) >= room and not self.recycle)

    def _route(self, neighbour: Neighbour, there: bool, fib: int) -> None:
        if not neighbour.no_fib_entry:
            self.host_route(neighbour, there, fib)

    def _learn(self, event: Any, address: int, mac: int) -> None:
        """A node's news: the address on the event's interface has this MAC (its bytes as a little-endian number)."""
        sw_if_index = int(event["sw_if_index"])
        if sw_if_index not in self._engine.interfaces.by_index:
            return
        with suppress(NeighbourLimit, StaticNeighbour):  # VPP ignores these too; the packet was counted as learnt from
            self._add(sw_if_index, address, mac.to_bytes(8, "little")[:6], False, False, int(event["time"]))
