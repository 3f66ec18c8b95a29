"""VPP's text of what a FIB entry leads to: load-balances, adjacencies and the other data-path objects."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from vectorplane.backends.engine.route_paths import prefix_text
from vectorplane.graph_nodes.fib import Fibs
from vectorplane.graph_nodes.forwarding import (
    ADJ_HAS_FEATURES,
    DPO_ADJACENCY,
    DPO_ADJACENCY_INCOMPLETE,
    DPO_DROP,
    DPO_GLEAN,
    DPO_ICMP_ERROR,
    DPO_INTERFACE_RX,
    DPO_LOAD_BALANCE,
    DPO_LOOKUP,
    DPO_MIDCHAIN,
    DPO_PUNT,
    DPO_RECEIVE,
    Forwarding,
)
from vectorplane.graph_nodes.ip4_lookup import LOAD_BALANCE_NEXT
from vectorplane.graph_nodes.ip4_null import SEND_PROHIBITED, SEND_UNREACHABLE

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.fib_entries import Entry
    from vectorplane.backends.engine.path_sets import PathSet

_NULL = {SEND_UNREACHABLE: "send-unreachable", SEND_PROHIBITED: "send-prohibited"}
_NESTING = 8


class FibText:
    """Formats the forwarding objects of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._forwarding = engine.plane.shared(Forwarding)
        self._fibs = engine.plane.shared(Fibs)

    def load_balance(self, index: int, path_set: PathSet | None, address: int, indent: int = 2, depth: int = 0) -> str:
        """A load-balance and its buckets; ``address`` is that of the route, ``path_set`` what it is resolved by."""
        hops = self._engine.routes.control.load_balances.hops(index)
        to, via = self._forwarding.route_to.total(index), self._forwarding.route_via.total(index)
        urpf = -1 if path_set is None else path_set.number
        text = f"dpo-load-balance: [proto:ip4 index:{index} buckets:{len(hops)} uRPF:{urpf} to:[{to[0]}:{to[1]}]"
        text += f" via:[{via[0]}:{via[1]}]]" if via[0] else "]"
        first = 0
        for i, word in enumerate(hops):
            if i + 1 < len(hops) and hops[i + 1] == word:
                continue
            place = f"{first}-{i}" if first < i else str(i)
            text += f"\n{' ' * (indent + 2)}[{place}] {self.dpo(word, path_set, address, indent + 6, depth)}"
            first = i + 1
        return text

    def dpo(self, word: int, path_set: PathSet | None, address: int, indent: int, depth: int = 0) -> str:
        """A data-path object from its 64-bit word, behind ``[@SLOT]:``."""
        slot, kind, index = word & 0xFFFF, word >> 16 & 0xFFFF, word >> 32 & 0xFFFFFFFF
        return f"[@{slot}]: {self._object(kind, index, path_set, address, indent, depth)}"

    def _object(self, kind: int, index: int, path_set: PathSet | None, address: int, indent: int, depth: int) -> str:
        if kind in (DPO_ADJACENCY, DPO_ADJACENCY_INCOMPLETE, DPO_GLEAN):
            return self.adjacency(index)
        if kind == DPO_MIDCHAIN:
            return self.midchain(index, indent, depth)
        if kind == DPO_LOAD_BALANCE:
            if depth >= _NESTING:
                return f"dpo-load-balance: [index:{index}]"
            below = self._via(path_set, index)
            path_set, address = (below.path_set, below.prefix) if below is not None else (None, 0)
            return self.load_balance(index, path_set, address, indent, depth + 1)
        if kind == DPO_RECEIVE:
            name = self._name(index)
            return f"dpo-receive: {IPv4Address(address)} on {name}" if name else "dpo-receive"
        if kind == DPO_DROP:
            return "dpo-drop ip4"
        if kind == DPO_PUNT:
            return "dpo-punt"
        if kind == DPO_ICMP_ERROR:
            return f"ip4-null action:{_NULL.get(index, 'discard')}"
        if kind == DPO_LOOKUP:
            return f"dst-address,unicast lookup in {self.table(index)}"
        if kind == DPO_INTERFACE_RX:
            return f"{self._name(index)}-rx-dpo: ip4"
        return f"dpo-type-{kind}: {index}"

    def _via(self, path_set: PathSet | None, lb: int) -> Entry | None:
        return next((e for e in path_set.vias() if e.lb == lb), None) if path_set is not None else None

    def table(self, fib: int) -> str:
        """A table's name, by FIB index."""
        return self._fibs.names.get(self._fibs.id_of(fib), str(fib))

    def _name(self, sw_if_index: int) -> str:
        return self._engine.plane.interfaces.names.get(sw_if_index, "")

    def midchain(self, index: int, indent: int = 2, depth: int = 0) -> str:
        """A tunnel's adjacency, and what its packets follow."""
        lb = int(self._forwarding.adjacencies[index]["stacked"])
        hops = self._engine.routes.control.load_balances.hops(lb)
        if depth >= _NESTING:
            below = "..."
        elif len(hops) == 1:  # as in VPP the way is shown without its load-balance
            below = self.dpo(hops[0], None, 0, indent + 4, depth + 1)
        else:
            below = f"[@{LOAD_BALANCE_NEXT}]: {self.load_balance(lb, None, 0, indent + 4, depth + 1)}"
        return f"{self.adjacency(index)}\n{' ' * indent}stacked-on:\n{' ' * (indent + 2)}{below}"

    def adjacency(self, index: int) -> str:
        """An adjacency: neighbour, incomplete neighbour or glean."""
        record = self._forwarding.adjacencies[index]
        name = self._name(int(record["sw_if_index"]))
        next_hop = IPv4Address((int(record["next_hop"]) & 0xFFFFFFFF).to_bytes(4, "little"))
        kind = int(record["type"])
        if kind == DPO_ADJACENCY_INCOMPLETE:
            return f"arp-ipv4: via {next_hop} {name}"
        protocol = (
            "ethernet" if record["next_hop"] == 0 and self._is_ethernet_tunnel(int(record["sw_if_index"])) else "ipv4"
        )
        flags = "features " if int(record["flags"]) & ADJ_HAS_FEATURES else ""
        if kind == DPO_GLEAN:
            raw, length = record["long"], int(record["arp_length"])
        else:
            length = int(record["rewrite_length"])
            raw = record["short"] if length <= len(record["short"]) else record["long"]
        header = raw.tobytes()[len(raw) - length :].hex()
        rewrite = f"{name}: mtu:{int(record['mtu'])} next:{int(record['next'])} flags:[{flags}] {header}"
        if kind == DPO_GLEAN:
            return f"ipv4-glean: [src:{self._glean_source(index, int(record['sw_if_index']))}] {rewrite}"
        return f"{protocol} via {next_hop} {rewrite}"

    def _is_ethernet_tunnel(self, sw_if_index: int) -> bool:
        interface = self._engine.interfaces.by_index.get(sw_if_index)
        return interface is not None and interface.device.ethernet and interface.device.outer_header is not None

    def _glean_source(self, index: int, sw_if_index: int) -> str:
        """The prefix that a glean belongs to; of a route that names only the interface: any."""
        adjacencies = self._engine.routes.adjacencies.of_interface(sw_if_index)
        key = next((a.key for a in adjacencies if a.index == index), 0)
        for address in self._engine.addresses.of(sw_if_index) if key else ():
            if int(address) == key:
                return prefix_text(int(address.network.network_address), address.network.prefixlen)
        return "0.0.0.0/0"
