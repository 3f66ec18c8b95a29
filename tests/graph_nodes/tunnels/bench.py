"""One tunnel node with tunnels that a test says, and packets as they come to it from ip4-local or from an interface."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tests.harness import Bench, Out
from tests.naive.tunnels import encap
from tests.naive.tunnels.tunnel import IpTunnel, UdpTunnel
from vectorplane.dataplane.buffer import CELL, DATA
from vectorplane.graph_nodes.forwarding import Forwarding
from vectorplane.graph_nodes.tunnels.ip_tunnel import DECAP_COPY_ECN, ERSPAN, L3, TEB, GreTable, IpTunnels
from vectorplane.graph_nodes.tunnels.udp_tunnel import UdpTunnels, VxlanTable
from vectorplane.jit import twin

GRE_KINDS = {"l3": L3, "teb": TEB, "erspan": ERSPAN}
INTERFACES = 12
"""Tunnels have numbers below that."""


def number(raw: bytes) -> int:
    """As a little-endian load gives it."""
    return int.from_bytes(raw, "little")


def word(value: int, bits: int = 64) -> int:
    """A number as a signed field takes it."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


class TunnelBench(Bench):
    """A bench whose packets may stand behind headers that were taken off: from ``l3_offset`` on all can be read."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **({"arcs": ()} | options))
        for n in range(4, INTERFACES):
            self.plane.add_interface(f"tunnel{n}")
        self.forwarding = self.plane.shared(Forwarding)
        self._keys: list[tuple[int, int]] = []

    def _red_zone(self, index: int) -> None:
        super()._red_zone(index)
        m = self.plane.pool.meta[index]
        start, size = int(m["l3_offset"]), int(m["current_data"]) - int(m["l3_offset"])
        twin.poison(self.plane.pool.address + index * CELL + DATA + start, max(0, size), False)

    def load_balance(self, index: int, slot: int, kind: int, object_: int) -> None:
        """Load-balance ``index`` leads to one data-path object."""
        record = self.forwarding.load_balances[index]
        record["n_minus_1"], record["next"], record["type"], record["index"] = 0, slot, kind, object_

    def udp(self, table_class: type[UdpTunnels], tunnels: Iterable[UdpTunnel]) -> None:
        """These VXLAN or GENEVE tunnels, in the place of those that were there; load-balances as interfaces."""
        table = self.plane.shared(table_class)
        self._forget(table)
        vxlan = table_class is VxlanTable
        for t in tunnels:
            r = table.records[t.interface]
            outer = bytearray(encap.udp(t, bytes(14), not vxlan)[:36] + bytes(4))
            outer[2:4] = outer[10:12] = outer[24:26] = b"\0\0"
            r["header"] = [word(number(outer[k : k + 8])) for k in range(0, 40, 8)]
            r["sum"] = sum(number(outer[k : k + 2]) for k in range(0, 20, 2))
            r["lb"], r["in_use"] = t.interface, 1
            r["is_l3"], r["instance"], r["vni"], r["fib"] = t.is_l3, t.interface, t.vni, t.fib
            r["local"] = word(number(t.src), 32)
            r["next"] = self.node.slots.get(t.next, 1)
            vni = number(t.vni.to_bytes(3, "big"))
            first, second = number(t.dst), vni
            if vxlan:
                first = first if t.is_group else number(t.src) << 32 | first
                second = number(t.src_port.to_bytes(2, "big")) << 48 | t.fib << 32 | vni
            self._put(table, (word(first), word(second)), t.interface)
        table.changed()

    def ip(self, table_class: type[IpTunnels], tunnels: Iterable[IpTunnel]) -> None:
        """These GRE or IPIP tunnels, in the place of those that were there."""
        table = self.plane.shared(table_class)
        self._forget(table)
        for t in tunnels:
            table.records[t.interface]["flags"] = DECAP_COPY_ECN if t.decap_ecn else 0
            second = t.fib
            if table_class is GreTable:
                second |= GRE_KINDS[t.kind] << 16 | (t.session if t.kind == "erspan" else t.key) << 32
            self._put(table, (word(number(t.dst) << 32 | number(t.src)), word(second)), t.interface)

    def _put(self, table: UdpTunnels | IpTunnels, key: tuple[int, int], interface: int) -> None:
        table.map.set(key, interface)
        self._keys.append(key)

    def _forget(self, table: UdpTunnels | IpTunnels) -> None:
        while self._keys:
            table.map.delete(self._keys.pop())

    def send(self, packets: Sequence[bytes], *, meta: Callable[[int, Any], None], **options: Any) -> list[Out]:
        """What left, in the order in which it came."""
        outs = sorted(self.run(packets, meta=meta, **options), key=lambda o: o.index)
        for out in outs:
            if out.next in ("error-drop", "ip4-drop") and not out.meta["error"]:
                out.error = self.plane.graph.error_names[0][1]  # the first node's first reason is a reason too
        return outs

    def counted(self, which: str) -> list[tuple[int, int]]:
        """Packets and bytes of all interfaces, ``rx`` or ``tx``."""
        return [(int(n), int(size)) for n, size in (self.plane.if_stats[which].total(k) for k in range(INTERFACES))]
