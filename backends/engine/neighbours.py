"""Neighbours of an engine's interfaces: static ones and those that ARP taught (VPP's ip-neighbor).

A neighbour completes the adjacency of its address and, unless told otherwise, enters a host route (source
"adjacency") that is used while a prefix attached to the same interface covers it. A static neighbour is changed by
the configuration only. There is a limit to their number; beyond it new ones are refused, or with ``recycle`` the
one that was silent longest makes room.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.fib_entries import ADJ
from vectorplane.backends.engine.neighbour_ageing import Ageing
from vectorplane.backends.engine.route_paths import Path, number
from vectorplane.dataplane.inject import inject
from vectorplane.graph_nodes.arp_header import ArpCounters
from vectorplane.graph_nodes.event_kinds import NEIGHBOUR_LEARNT
from vectorplane.graph_nodes.neighbour_table import MAX_NEIGHBOURS, NeighbourTable

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

DEFAULT_LIMIT = 50_000


class NeighbourLimit(Exception):
    """There are as many neighbours as there may be."""


class StaticNeighbour(Exception):
    """A neighbour that was learnt cannot replace a static one."""


@dataclass(slots=True, eq=False)
class Neighbour:
    """One neighbour; ``number`` is that of its record in the nodes' table."""

    sw_if_index: int
    address: int
    mac: bytes
    static: bool
    no_fib_entry: bool
    number: int
    probes: int = 0
    stale: bool = False


class Neighbours:
    """The neighbours of all interfaces. ``on_change`` holds callbacks ``(neighbour, added)``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._table = engine.plane.shared(NeighbourTable)
        self._counters = engine.plane.shared(ArpCounters)
        self._by_key: dict[tuple[int, int], Neighbour] = {}
        self.limit, self.recycle = DEFAULT_LIMIT, False
        self.on_change: list[Callable[[Neighbour, bool], None]] = []
        self.ageing = Ageing(engine, self)
        engine.on_event(NEIGHBOUR_LEARNT, self._learnt)

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
        return self._add(sw_if_index, number(ip), mac, static, no_fib_entry, self._engine.now)

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
        return self._by_key.get((sw_if_index, number(ip)))

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
            neighbour.stale = True

    def sweep(self) -> None:
        """End a replacement: forget the stale ones."""
        for neighbour in self.dump():
            if neighbour.stale:
                self.destroy(neighbour)

    def heard(self, neighbour: Neighbour) -> int:
        """When (ns) it was heard of last."""
        return int(self._table.records[neighbour.number]["heard"])

    def mac_of(self, sw_if_index: int, address: int) -> bytes | None:
        """The MAC of an address, when it is known."""
        neighbour = self._by_key.get((sw_if_index, address))
        return None if neighbour is None else neighbour.mac

    def wanted(self, sw_if_index: int, address: int) -> None:
        """A route leads to a neighbour that is not known: ask for it, as VPP does, once packets flow."""
        if self._engine.now > 0:
            self.probe(sw_if_index, address)

    def probe(self, sw_if_index: int, address: int) -> bool:
        """Send an ARP request; False when the interface is down or has no address to ask from."""
        engine = self._engine
        source = engine.addresses.source_for(sw_if_index, address)
        if not source or not engine.routes.adjacencies.is_up(sw_if_index):
            return False
        header = engine.routes.adjacencies.header(sw_if_index, b"\xff" * 6, 0x0806)
        mac = int(engine.interfaces.record(sw_if_index)["mac"]).to_bytes(8, "little")[:6]
        packet = header + bytes.fromhex("0001080006040001") + mac + source.to_bytes(4, "big") + bytes(6)
        output = engine.plane.graph.nodes[int(engine.interfaces.record(sw_if_index)["output_node"])]
        if not inject(engine.plane, output.name, packet + address.to_bytes(4, "big"), tx=sw_if_index):
            return False
        self._counters.vectors["tx", "requests"].thread(0)[sw_if_index] += 1
        return True

    def advertise(self, sw_if_index: int, ip: str | int | None = None) -> bool:
        """Send a gratuitous ARP request for an address (default: the interface's own)."""
        engine = self._engine
        address = engine.addresses.source_for(sw_if_index, 0) if ip is None else number(ip)
        if not address:
            return False
        header = engine.routes.adjacencies.header(sw_if_index, b"\xff" * 6, 0x0806)
        mac = int(engine.interfaces.record(sw_if_index)["mac"]).to_bytes(8, "little")[:6]
        end = mac + address.to_bytes(4, "big")
        output = engine.plane.graph.nodes[int(engine.interfaces.record(sw_if_index)["output_node"])]
        packet = header + bytes.fromhex("0001080006040001") + end + end
        if not inject(engine.plane, output.name, packet, tx=sw_if_index):
            return False
        self._counters.vectors["tx", "gratuitous"].thread(0)[sw_if_index] += 1
        return True

    def destroy(self, neighbour: Neighbour) -> None:
        """Forget a neighbour: its adjacency is incomplete again, its host route goes."""
        for callback in self.on_change:
            callback(neighbour, False)
        del self._by_key[neighbour.sw_if_index, neighbour.address]
        self._table.remove(neighbour.sw_if_index, neighbour.address)
        self._engine.routes.adjacencies.set_mac(neighbour.sw_if_index, neighbour.address, None)
        self._host_route(neighbour, False, self._fib(neighbour.sw_if_index))
        self._note_room()

    def interface_changed(self, sw_if_index: int) -> None:
        """An interface went up or down: what was learnt on one that is down is forgotten."""
        self._counters.extend(sw_if_index)
        if not self._engine.interfaces.is_up(sw_if_index):
            self.flush(sw_if_index, static=False)

    def prefix_removed(self, sw_if_index: int, prefix: int, length: int) -> None:
        """An address of the interface is gone: forget what was learnt in its prefix."""
        for n in self.dump(sw_if_index):
            if not n.static and (n.address ^ prefix) >> (32 - length) == 0:
                self.destroy(n)

    def table_changed(self, sw_if_index: int, old_fib: int) -> None:
        """The interface moved to another table: its neighbours' host routes move along."""
        for neighbour in self.dump(sw_if_index):
            self._host_route(neighbour, False, old_fib)
            self._host_route(neighbour, True, self._fib(sw_if_index))

    # --- inner works

    def _add(self, sw_if_index: int, address: int, mac: bytes, static: bool, no_fib_entry: bool, now: int) -> Neighbour:
        neighbour = self._by_key.get((sw_if_index, address))
        if neighbour is None:
            neighbour = self._new(sw_if_index, address, mac, static, no_fib_entry, now)
        else:
            neighbour.stale = False
            if neighbour.static and not static and neighbour.mac != mac:
                raise StaticNeighbour(f"neighbour {address:#x} on interface {sw_if_index} is static")
            record = self._table.records[neighbour.number]
            if static and not neighbour.static:
                neighbour.static = True
                record["fixed"] = 1
            if neighbour.mac != mac:
                neighbour.mac = mac
                record["mac"] = int.from_bytes(mac, "little")
                self._engine.routes.adjacencies.set_mac(sw_if_index, address, mac)
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
        neighbour = Neighbour(sw_if_index, address, mac, static, no_fib_entry, record)
        self._by_key[sw_if_index, address] = neighbour
        # the adjacency first, so that the host route finds it complete
        self._engine.routes.adjacencies.set_mac(sw_if_index, address, mac)
        self._host_route(neighbour, True, self._fib(sw_if_index))
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

    def _fib(self, sw_if_index: int) -> int:
        return int(self._engine.interfaces.record(sw_if_index)["ip4_table"])

    def _host_route(self, neighbour: Neighbour, there: bool, fib: int) -> None:
        if neighbour.no_fib_entry:
            return
        control, address = self._engine.routes.control, neighbour.address
        entry = control.find(fib, address, 32)
        old = entry.sources[ADJ].paths if entry is not None and ADJ in entry.sources else ()
        kept = tuple(p for p in old if p.sw_if_index != neighbour.sw_if_index)
        if there:
            kept += (Path(address, neighbour.sw_if_index),)
        if kept:
            control.set_source(fib, address, 32, ADJ, kept)
        elif entry is not None and old:
            control.drop_source(entry, ADJ)

    def _learnt(self, event: Any) -> None:
        address, mac = int(event["data"][0]), int(event["data"][1]).to_bytes(8, "little")[:6]
        with suppress(NeighbourLimit, StaticNeighbour):  # VPP ignores these too; the packet was counted as learnt from
            self._add(int(event["sw_if_index"]), address, mac, False, False, int(event["time"]))
