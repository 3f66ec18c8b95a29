"""Adjacencies: how packets leave by an interface, to a neighbour (complete or not yet) or to any of a prefix (glean).

An adjacency keeps its index for life. When a neighbour becomes known its record gets the Ethernet header first, and
then every data-path object that leads to it changes from ip4-arp to ip4-rewrite; when it is lost, the other way
round. The header of ARP requests has a place of its own in the record, so that it never changes under a reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.load_balances import LoadBalances, dpo_word
from vectorplane.dataplane.interface import ADMIN_UP, LINK_UP
from vectorplane.graph_nodes.forwarding import (
    ADJ_COUNTED,
    ADJ_HAS_FEATURES,
    DPO_ADJACENCY,
    DPO_ADJACENCY_INCOMPLETE,
    DPO_ADJACENCY_MULTICAST,
    DPO_GLEAN,
    DPO_MIDCHAIN,
    Forwarding,
)
from vectorplane.graph_nodes.ip4_lookup import ARP, GLEAN, REWRITE

if TYPE_CHECKING:
    from vectorplane.backends.engine.device import Device
    from vectorplane.backends.engine.engine import Engine

BROADCAST = b"\xff" * 6
ALL_ONES = 0xFFFFFFFF
"""As a next hop: everybody on the interface's link, by a broadcast frame."""
MULTICAST, ETHERNET = -1, -2
"""Keys of an interface's multicast adjacency, whose nodes complete the address, and of an Ethernet tunnel's frames."""
MULTICAST_MAC = bytes.fromhex("01005e000000")
_LONG = 120
_STEP = 256
"""Counters become visible in steps of this many."""


class Adjacency:
    """One adjacency; ``key`` is its next hop (neighbours) or ARP source address (gleans)."""

    __slots__ = ("fixed", "glean", "index", "key", "mac", "midchain", "sw_if_index", "users")

    def __init__(self, index: int, sw_if_index: int, key: int, glean: bool) -> None:
        self.index, self.sw_if_index, self.key, self.glean = index, sw_if_index, key, glean
        self.mac: bytes | None = None
        """The neighbour's, when it is known."""
        self.fixed = False
        """No neighbour decides about ``mac``."""
        self.midchain = 0
        """Of a tunnel's: the slot of ip4-midchain in ip4-lookup."""
        self.users = 0

    @property
    def word(self) -> int:
        """The data-path object that leads here."""
        if self.glean:
            return dpo_word(GLEAN, DPO_GLEAN, self.index)
        if self.midchain:
            return dpo_word(self.midchain, DPO_MIDCHAIN, self.index)
        if self.mac is None:
            return dpo_word(ARP, DPO_ADJACENCY_INCOMPLETE, self.index)
        return dpo_word(REWRITE, DPO_ADJACENCY, self.index)


class Adjacencies:
    """All adjacencies of an engine, by interface and next hop.

    ``known(sw_if_index, address)`` gives a neighbour's MAC or None; ``source(sw_if_index, address)`` the address
    that ARP requests come from; ``unresolved(adjacency)`` is called for each new neighbour that is not known.
    """

    def __init__(
        self,
        engine: Engine,
        load_balances: LoadBalances,
        known: Callable[[int, int], bytes | None],
        source: Callable[[int, int], int],
        unresolved: Callable[[Adjacency], None],
    ) -> None:
        self._engine, self._lbs = engine, load_balances
        self._known, self._source, self._unresolved = known, source, unresolved
        self._forwarding = engine.plane.shared(Forwarding)
        self._by_interface: dict[int, dict[tuple[int, bool], Adjacency]] = {}
        self._counted = 0
        self._path_mtus: dict[tuple[int, int], int] = {}

    def neighbour(self, sw_if_index: int, next_hop: int) -> Adjacency:
        """The adjacency of a next hop, one more user of it."""
        return self._take(sw_if_index, next_hop, False)

    def glean(self, sw_if_index: int, source: int) -> Adjacency:
        """The glean of an interface's prefix with this address of ours (0: the prefix has none).

        Where all packets reach the same other end there is nobody to ask for: that is then a neighbour.
        """
        if not self._has_ethernet(sw_if_index):
            return self._take(sw_if_index, 0, False)
        return self._take(sw_if_index, source, True)

    def multicast(self, sw_if_index: int) -> Adjacency:
        """The adjacency of all multicast packets that leave by an interface."""
        return self._take(sw_if_index, MULTICAST, False)

    def ethernet(self, sw_if_index: int) -> Adjacency:
        """The adjacency of all frames that an Ethernet tunnel sends."""
        return self._take(sw_if_index, ETHERNET, False)

    def restack(self, sw_if_index: int, lb: int) -> None:
        """A tunnel's other end is reached by this load-balance from now on."""
        for adjacency in self.of_interface(sw_if_index):
            self._record(adjacency)["stacked"] = lb

    def set_path_mtu(self, sw_if_index: int, next_hop: int, mtu: int | None) -> None:
        """Let packets to a neighbour be no longer than this, besides what its interface allows (None: only that)."""
        key = sw_if_index, next_hop
        if self._path_mtus.get(key) == mtu:
            return
        if mtu is None:
            del self._path_mtus[key]
        else:
            self._path_mtus[key] = mtu
        adjacency = self.find(sw_if_index, next_hop)
        if adjacency is not None:
            self._write(adjacency)

    def mtu(self, adjacency: Adjacency) -> int:
        """The largest packet that leaves by it, in bytes."""
        return int(self._record(adjacency)["mtu"])

    @property
    def counted(self) -> bool:
        """Is what leaves by each adjacency counted?"""
        return self._counted != 0

    def count(self, on: bool = True) -> None:
        """Count what leaves by each adjacency (``/net/adjacency``), or no longer (VPP: "adjacency counters")."""
        self._counted = ADJ_COUNTED if on else 0
        for sw_if_index in list(self._by_interface):
            self.refresh(sw_if_index)

    def find(self, sw_if_index: int, next_hop: int) -> Adjacency | None:
        """The adjacency of a next hop, if there is one."""
        return self._by_interface.get(sw_if_index, {}).get((next_hop, False))

    def of_interface(self, sw_if_index: int) -> Iterator[Adjacency]:
        """All adjacencies of an interface."""
        yield from list(self._by_interface.get(sw_if_index, {}).values())

    def release(self, adjacency: Adjacency) -> None:
        """One user less; the last one frees it."""
        adjacency.users -= 1
        if adjacency.users == 0:
            table = self._by_interface.get(adjacency.sw_if_index, {})
            if table.get((adjacency.key, adjacency.glean)) is adjacency:
                del table[adjacency.key, adjacency.glean]
            self._forwarding.adj_pool.give(adjacency.index)

    def set_mac(self, sw_if_index: int, next_hop: int, mac: bytes | None) -> None:
        """A neighbour became known, got another MAC, or was lost (None)."""
        adjacency = self.find(sw_if_index, next_hop)
        if adjacency is None or adjacency.mac == mac or adjacency.fixed:
            return
        was, adjacency.mac = adjacency.mac, mac
        if mac is None:
            self._lbs.retarget(adjacency.index, adjacency.word)
            self._record(adjacency)["type"] = DPO_ADJACENCY_INCOMPLETE
        else:
            self._write(adjacency)
            if was is None:
                self._lbs.retarget(adjacency.index, adjacency.word)

    def refresh(self, sw_if_index: int) -> None:
        """The interface's MAC, MTU, addresses or output features changed: write its adjacencies again."""
        for adjacency in self.of_interface(sw_if_index):
            self._write(adjacency)

    def interface_removed(self, sw_if_index: int) -> None:
        """The interface goes: who still has an adjacency of it does not share it with the next one of its number."""
        self._by_interface.pop(sw_if_index, None)

    def _has_ethernet(self, sw_if_index: int) -> bool:
        interface = self._engine.interfaces.by_index.get(sw_if_index)
        return interface is None or interface.device.ethernet

    def has_interface(self, sw_if_index: int) -> bool:
        """Is there such an interface?"""
        return sw_if_index in self._engine.interfaces.by_index

    def is_up(self, sw_if_index: int) -> bool:
        """Can packets leave by the interface?"""
        interfaces = self._engine.interfaces
        if sw_if_index not in interfaces.by_index:
            return False
        flags = int(interfaces.record(sw_if_index)["flags"])
        above = int(interfaces.record(interfaces.by_index[sw_if_index].sup)["flags"])
        return bool(flags & ADMIN_UP) and above & (ADMIN_UP | LINK_UP) == ADMIN_UP | LINK_UP

    def header(self, sw_if_index: int, destination: bytes, ethertype: int) -> bytes:
        """The Ethernet header of what the interface sends, with a sub-interface's tags; b"" where there is none."""
        if not self._has_ethernet(sw_if_index):
            return b""
        record = self._engine.interfaces.record(sw_if_index)
        header = destination + int(record["mac"]).to_bytes(8, "little")[:6]
        tags = int(record["tags"])
        count = int(record["tag_count"])
        kinds = (int(record["outer_type"]) & 0xFFFF, 0x8100)
        for k in range(count):
            header += kinds[k].to_bytes(2, "big") + (tags >> 16 * k & 0xFFF).to_bytes(2, "big")
        return header + ethertype.to_bytes(2, "big")

    def _take(self, sw_if_index: int, key: int, glean: bool) -> Adjacency:
        table = self._by_interface.setdefault(sw_if_index, {})
        adjacency = table.get((key, glean))
        if adjacency is None:
            adjacency = Adjacency(self._forwarding.adj_pool.take(), sw_if_index, key, glean)
            table[key, glean] = adjacency
            self._forwarding.adj_counters.extend(-(-(adjacency.index + 1) // _STEP) * _STEP)
            self._forwarding.adj_counters.clear(adjacency.index)
            if not glean:
                self._address(adjacency)
            self._write(adjacency)
            if not glean and adjacency.mac is None:
                self._unresolved(adjacency)
        adjacency.users += 1
        return adjacency

    def _address(self, adjacency: Adjacency) -> None:
        """Where frames for a new adjacency go to: a fixed address, or the neighbour's when it is known."""
        adjacency.fixed = True
        tunnel = self._tunnel(adjacency)
        if tunnel is not None:
            adjacency.mac = tunnel.outer_header
            if adjacency.key != ETHERNET:
                graph = self._engine.plane.graph
                adjacency.midchain = graph.add_next(graph.add("ip4-lookup"), "ip4-midchain")
        elif not self._has_ethernet(adjacency.sw_if_index):
            adjacency.mac = b""
        elif adjacency.key == MULTICAST:
            adjacency.mac = MULTICAST_MAC
        elif adjacency.key == ALL_ONES:
            adjacency.mac = BROADCAST
        else:
            adjacency.fixed = False
            adjacency.mac = self._known(adjacency.sw_if_index, adjacency.key)

    def _tunnel(self, adjacency: Adjacency) -> Device | None:
        """The device of a tunnel whose outer header the adjacency puts on packets."""
        interface = self._engine.interfaces.by_index.get(adjacency.sw_if_index)
        if interface is None or interface.device.outer_header is None:
            return None
        return interface.device if adjacency.key == ETHERNET or not interface.device.ethernet else None

    def _record(self, adjacency: Adjacency) -> Any:
        return self._forwarding.adjacencies[adjacency.index]

    def _write(self, adjacency: Adjacency) -> None:
        record, sw_if_index = self._record(adjacency), adjacency.sw_if_index
        interface = self._engine.interfaces.record(sw_if_index)
        plane = self._engine.plane
        output = plane.graph.nodes[int(interface["output_node"])]
        record["sw_if_index"] = sw_if_index
        own = None if adjacency.glean else self._path_mtus.get((sw_if_index, adjacency.key))
        record["mtu"] = interface["mtu"] if own is None else min(own, int(interface["mtu"]))
        record["output_node"] = output.index
        multicast = adjacency.key == MULTICAST
        record["next_hop"] = 0 if adjacency.glean or adjacency.key < 0 else _in_packet(adjacency.key)
        known = adjacency.glean or adjacency.key < 0  # a glean without a source: ip4-glean chooses one for each packet
        source = max(0, adjacency.key) if known else self._source(sw_if_index, adjacency.key)
        record["arp_source"] = _in_packet(source)
        arp = self.header(sw_if_index, BROADCAST, 0x0806)
        record["long"][_LONG - len(arp) :] = _bytes(arp)
        record["arp_length"] = len(arp)
        features = ADJ_HAS_FEATURES if plane.arcs["ip4-output"].chain(sw_if_index) else 0
        record["flags"] = features | self._counted
        tunnel = None if adjacency.glean else self._tunnel(adjacency)
        following = output.name if tunnel is None else "tunnel-output"
        record["next"] = plane.graph.add_next(plane.graph.add("ip4-rewrite"), following)
        kind = DPO_GLEAN if adjacency.glean else DPO_ADJACENCY_INCOMPLETE
        if adjacency.mac is not None:
            header = adjacency.mac if tunnel is not None else self.header(sw_if_index, adjacency.mac, 0x0800)
            # whole 64-bit words: a new MAC of a neighbour behind a plain header is one store
            padded = header.rjust(-(-len(header) // 8) * 8, b"\0")
            words = record["short"].view("i8")
            new = [int.from_bytes(padded[k : k + 8], "little", signed=True) for k in range(0, len(padded), 8)]
            words[len(words) - len(new) :] = new
            record["rewrite_length"] = len(header)
            kind = DPO_ADJACENCY_MULTICAST if multicast else DPO_ADJACENCY
            if tunnel is not None:
                kind = DPO_MIDCHAIN
                record["fixup"], record["stacked"] = tunnel.fixup, tunnel.underlay_lb
        record["type"] = kind


def _in_packet(address: int) -> int:
    """An address as the signed 32-bit number that a little-endian load of it gives."""
    return int.from_bytes(address.to_bytes(4, "big"), "little", signed=True)


def _bytes(raw: bytes) -> list[int]:
    return [b - 256 if b > 127 else b for b in raw]
