"""IPv4 neighbours of an engine's interfaces: static ones and those that ARP taught (VPP's ip-neighbor).

A neighbour completes the adjacency of its address and, unless told otherwise, enters a host route (source
"adjacency") that is used while a prefix attached to the same interface covers it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.fib_entries import ADJ
from vectorplane.backends.engine.neighbour_store import (
    DEFAULT_LIMIT,
    Neighbour,
    NeighbourLimit,
    NeighbourStore,
    StaticNeighbour,
)
from vectorplane.backends.engine.route_paths import Path, number
from vectorplane.dataplane.inject import inject
from vectorplane.graph_nodes.arp_header import ArpCounters
from vectorplane.graph_nodes.event_kinds import NEIGHBOUR_LEARNT
from vectorplane.graph_nodes.neighbour_table import NeighbourTable

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

__all__ = ["DEFAULT_LIMIT", "Neighbour", "NeighbourLimit", "Neighbours", "StaticNeighbour"]


class Neighbours(NeighbourStore):
    """The IPv4 neighbours of all interfaces."""

    version, bits = 4, 32

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, engine.plane.shared(NeighbourTable))
        self._counters = engine.plane.shared(ArpCounters)
        engine.on_event(NEIGHBOUR_LEARNT, self._learnt)

    def number(self, ip: str | int) -> int:
        """An IPv4 address as a number. Raises `ValueError`: it is not one."""
        return number(ip)

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

    def interface_changed(self, sw_if_index: int) -> None:
        """An interface went up or down: what was learnt on one that is down is forgotten."""
        self._counters.extend(sw_if_index)
        super().interface_changed(sw_if_index)

    def set_mac(self, neighbour: Neighbour, mac: bytes | None) -> None:
        """Forward to the neighbour by this MAC; None: it is lost."""
        self._engine.routes.adjacencies.set_mac(neighbour.sw_if_index, neighbour.address, mac)

    def fib_of(self, sw_if_index: int) -> int:
        """FIB index of the table that the interface is in."""
        return int(self._engine.interfaces.record(sw_if_index)["ip4_table"])

    def stats_index(self, neighbour: Neighbour) -> int:
        """Its adjacency; -1 when no route leads to it."""
        adjacency = self._engine.routes.adjacencies.find(neighbour.sw_if_index, neighbour.address)
        return -1 if adjacency is None else adjacency.index

    def host_route(self, neighbour: Neighbour, there: bool, fib: int) -> None:
        """Enter the neighbour's host route in a FIB, or take it out."""
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
        self._learn(event, int(event["data"][0]), int(event["data"][1]))
