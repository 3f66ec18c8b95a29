"""IPv6 neighbours of an engine's interfaces: static ones and those that neighbour discovery taught (VPP's ip-neighbor).

A neighbour enters a host route (source "adjacency") unless told otherwise, link-local ones in no table but their
interface's own, and has a place in ``/net/adjacency``.
"""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.fib_entries import ADJ
from vectorplane.backends.engine.neighbour_store import Neighbour, NeighbourStore
from vectorplane.backends.engine.route_paths import Path
from vectorplane.backends.engine.route_paths6 import Path6, number6
from vectorplane.dataplane.inject import inject
from vectorplane.graph_nodes.errors_icmp6 import SOLICITATION_TYPE, SOURCE_LINK_LAYER
from vectorplane.graph_nodes.event_kinds import NEIGHBOUR6_LEARNT
from vectorplane.graph_nodes.fib6 import Fib6, whole
from vectorplane.graph_nodes.forwarding import Forwarding
from vectorplane.graph_nodes.icmp6_nd import Nd6Counters
from vectorplane.graph_nodes.ip6_header import ICMP6
from vectorplane.graph_nodes.neighbour_table6 import NeighbourTable6
from vectorplane.graph_nodes.trace_formats import ones_complement

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

SOLICITED_NODE = (0xFF02 << 112) | (0x1FF << 24)
_STEP = 256
"""Counters become visible in steps of this many."""


def solicitation(source: int, target: int, mac: bytes) -> bytes:
    """A neighbour solicitation for ``target`` (RFC 4861 4.3) from the IPv6 header on."""
    group = SOLICITED_NODE | target & 0xFFFFFF
    ends = source.to_bytes(16, "big") + group.to_bytes(16, "big")
    option = bytes([SOURCE_LINK_LAYER, 1]) + mac
    rest = bytes(4) + target.to_bytes(16, "big") + option
    size = 4 + len(rest)
    pseudo = ends + size.to_bytes(4, "big") + bytes([0, 0, 0, ICMP6])
    checksum = ones_complement(pseudo + bytes([SOLICITATION_TYPE, 0, 0, 0]) + rest)
    header = bytes([0x60, 0, 0, 0]) + size.to_bytes(2, "big") + bytes([ICMP6, 255]) + ends
    return header + bytes([SOLICITATION_TYPE, 0]) + checksum.to_bytes(2, "big") + rest


class Neighbours6(NeighbourStore):
    """The IPv6 neighbours of all interfaces."""

    version, bits = 6, 128

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, engine.plane.shared(NeighbourTable6))
        self._counters = engine.plane.shared(Nd6Counters)
        self._forwarding = engine.plane.shared(Forwarding)
        self._interfaces = engine.plane.shared(Fib6).interfaces
        self._adjacencies: dict[tuple[int, int], int] = {}
        engine.on_event(NEIGHBOUR6_LEARNT, self._learnt)

    def number(self, ip: str | int) -> int:
        """An IPv6 address as a number. Raises `ValueError`: it is not one."""
        return number6(ip)

    def probe(self, sw_if_index: int, address: int) -> bool:
        """Send a neighbour solicitation; False when the interface is down or has no address to ask from."""
        engine = self._engine
        source = engine.addresses6.source_for(sw_if_index, address)
        if source is None or not engine.routes.adjacencies.is_up(sw_if_index):
            return False
        group = b"\x33\x33\xff" + (address & 0xFFFFFF).to_bytes(3, "big")
        header = engine.routes.adjacencies.header(sw_if_index, group, 0x86DD)
        mac = int(engine.interfaces.record(sw_if_index)["mac"]).to_bytes(8, "little")[:6]
        output = engine.plane.graph.nodes[int(engine.interfaces.record(sw_if_index)["output_node"])]
        if not inject(engine.plane, output.name, header + solicitation(source, address, mac), tx=sw_if_index):
            return False
        self._counters.vectors["tx", "requests"].thread(0)[sw_if_index] += 1
        return True

    def interface_changed(self, sw_if_index: int) -> None:
        """An interface went up or down: what was learnt on one that is down is forgotten."""
        self._counters.extend(sw_if_index)
        super().interface_changed(sw_if_index)

    def set_mac(self, neighbour: Neighbour, mac: bytes | None) -> None:
        """Keep the neighbour's place in the counters while it is known."""
        key = (neighbour.sw_if_index, neighbour.address)
        if mac is None:
            index = self._adjacencies.pop(key, None)
            if index is not None:
                self._forwarding.adj_pool.give(index)
        elif key not in self._adjacencies and not neighbour.no_fib_entry:
            index = self._adjacencies[key] = self._forwarding.adj_pool.take()
            counters = self._forwarding.adj_counters
            counters.extend(-(-(index + 1) // _STEP) * _STEP)
            counters.clear(index)

    def stats_index(self, neighbour: Neighbour) -> int:
        """Its place in ``/net/adjacency``; -1 without a route."""
        return self._adjacencies.get((neighbour.sw_if_index, neighbour.address), -1)

    def fib_of(self, sw_if_index: int) -> int:
        """FIB index of the table that the interface is in."""
        return int(self._interfaces[sw_if_index]["table"])

    def host_route(self, neighbour: Neighbour, there: bool, fib: int) -> None:
        """Enter the neighbour's host route in a FIB, or take it out."""
        control, address = self._engine.routes6.control, neighbour.address
        if IPv6Address(address).is_link_local:
            return
        entry = control.find(fib, address, 128)
        old = entry.sources.get(ADJ, ()) if entry is not None else ()
        kept: tuple[Path, ...] = tuple(p for p in old if p.sw_if_index != neighbour.sw_if_index)
        if there:
            kept += (Path6(address, neighbour.sw_if_index),)
        if kept:
            control.set_source(fib, address, 128, ADJ, kept)
        elif entry is not None and old:
            control.drop_source(entry, ADJ)

    def _learnt(self, event: Any) -> None:
        high, low, mac = (int(event["data"][k]) for k in range(3))
        self._learn(event, whole(high, low), mac)
