"""VXLAN and GENEVE tunnels of an engine: what the two have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import numpy as np

from vectorplane.backends.engine.route_paths import LOCAL, Path
from vectorplane.backends.engine.tunnels.tunnel import (
    Instances,
    InvalidDecapNext,
    TunnelDevice,
    TunnelExists,
    in_packet,
)
from vectorplane.graph_nodes.forwarding import DPO_ADJACENCY_MULTICAST
from vectorplane.graph_nodes.ip4_rewrite_mcast import NAME as MULTICAST_NODE
from vectorplane.graph_nodes.mfib import ITF_ACCEPT, ITF_FORWARD
from vectorplane.graph_nodes.tunnels.udp_tunnel import MOST_TUNNELS, UDP_TUNNEL, UdpTunnels
from vectorplane.graph_nodes.udp_local import UdpPorts
from vectorplane.jit.words import signed

if TYPE_CHECKING:
    from vectorplane.backends.engine.adjacencies import Adjacency
    from vectorplane.backends.engine.engine import Engine

L2_INPUT_NEXT = 1
TTL = 254


class UdpTunnelDevice(TunnelDevice):
    """The device of such a tunnel. ``multicast_interface``: where a tunnel to a group sends."""

    output_node: str | None
    input_node = ""
    table_class: ClassVar[type[UdpTunnels]]
    table: int

    def __init__(
        self,
        src: IPv4Address,
        dst: IPv4Address,
        vni: int,
        *,
        instance: int | None = None,
        mcast_sw_if_index: int = -1,
        table: int = 0,
        decap_next: int | None = None,
        is_l3: bool = False,
    ) -> None:
        super().__init__(src, dst, table, instance)
        if not 0 <= vni < 1 << 24:
            raise ValueError(f"VNI {vni} is not within 0 to {(1 << 24) - 1}")
        self.vni, self.mcast_sw_if_index = vni, mcast_sw_if_index
        self.decap_next = decap_next
        """Slot of the input node; None: `l2-input`, or for L3 `ip4-input`."""
        self.is_l3 = is_l3
        self.flood_class = "tunnel-master" if dst.is_multicast else "tunnel"
        self.src_port = self.dst_port = 0
        self._engine: Engine | None = None

    def tunnel_header(self) -> bytes:
        """The 8 bytes behind the UDP header."""
        raise NotImplementedError

    def key(self, fib: int) -> tuple[int, int]:
        """Under which key its packets come."""
        raise NotImplementedError

    def attach(self, engine: Engine, sw_if_index: int) -> None:
        """Join the tunnels of the engine.

        Raises:
            KeyError: no such table.
            TunnelExists, InstanceInUse, InvalidDecapNext: see there.
        """
        self.sw_if_index = sw_if_index
        engine.udp_tunnels(type(self)).join(self)
        self._engine = engine

    def close(self) -> None:
        """Leave them."""
        if self._engine is not None:
            self._engine.udp_tunnels(type(self)).leave(self)
            self._engine = None


T = TypeVar("T", bound=UdpTunnelDevice)


@dataclass
class _Group:
    """A multicast group that tunnels share."""

    interface: int
    adjacency: Adjacency
    users: set[int] = field(default_factory=set)


class UdpTunnelSet(Generic[T]):
    """All tunnels of one kind of an engine."""

    device: type[T]

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.by_index: dict[int, T] = {}
        """By sw_if_index, oldest first."""
        self._instances = Instances()
        self.bypass: set[int] = set()
        self._groups: dict[tuple[int, IPv4Address], _Group] = {}
        """By table and address."""

    @property
    def _table(self) -> UdpTunnels:
        return self._engine.plane.shared(self.device.table_class)

    def check(self, device: T) -> None:
        """Can this tunnel be made? Gives it the numbers that it will have.

        Raises:
            KeyError: no such table, or of the interface that it sends multicast by.
            TunnelExists, InstanceInUse, InvalidDecapNext: see there.
            OverflowError: there are too many tunnels.
        """
        fib = self._engine.routes.control.fib_index(device.table)
        if self._table.map.get(device.key(fib)) is not None:
            raise TunnelExists(f"there is a tunnel from {device.src} to {device.dst} with VNI {device.vni}")
        if len(self.by_index) >= MOST_TUNNELS:
            raise OverflowError(f"more than {MOST_TUNNELS} tunnels")
        graph = self._engine.plane.graph
        node = graph.add(device.input_node)
        if device.decap_next is None:
            # VPP sends what comes out of L3 tunnels to l2-input too, which drops it
            device.decap_next = L2_INPUT_NEXT if device.ethernet else graph.add_next(node, "ip4-input")
        if device.decap_next not in node.slots.values():
            raise InvalidDecapNext(f"{device.input_node} has no next {device.decap_next}")
        if device.dst.is_multicast and device.mcast_sw_if_index not in self._engine.interfaces.by_index:
            raise KeyError(f"no interface {device.mcast_sw_if_index} to send to group {device.dst} by")
        self._instances.offer(device)

    def join(self, device: T) -> None:
        """A tunnel's interface is there: write its record and let its packets find it. Raises as `check`."""
        self.check(device)
        engine, index, table = self._engine, device.sw_if_index, self._table
        fib = engine.routes.control.fib_index(device.table)
        table.records[index] = np.zeros((), UDP_TUNNEL)
        record = table.records[index]
        header = _outer(device)
        record["header"] = [int.from_bytes(header[k : k + 8], "little", signed=True) for k in range(0, 40, 8)]
        record["sum"] = sum(int.from_bytes(header[k : k + 2], "little") for k in range(0, 20, 2) if k not in (2, 10))
        record["is_l3"], record["instance"], record["vni"] = not device.ethernet, device.instance, device.vni
        record["local"], record["fib"] = signed(in_packet(device.src), 32), fib
        record["next"] = device.decap_next
        record["in_use"] = 1
        if device.dst.is_multicast:
            record["adjacency"] = self._join_group(device)
        else:
            engine.underlay.track(index, device.table, device.dst, lambda lb: self._restack(index, lb))
        self.by_index[index] = device
        self._instances.take(device)
        table.map.set(device.key(fib), index)
        table.changed()
        ports = engine.plane.shared(UdpPorts)
        if device.src_port not in ports.registered():
            ports.register(device.src_port, device.input_node)

    def leave(self, device: UdpTunnelDevice) -> None:
        """A tunnel's interface goes."""
        index = device.sw_if_index
        if self.by_index.pop(index, None) is None:
            return
        self._instances.give(device)
        fib = self._engine.routes.control.fibs.index_by_id.get(device.table)
        if fib is not None:
            self._table.map.delete(device.key(fib))
        self._table.changed()
        self._table.records[index]["in_use"] = 0
        self._table.records[index]["adjacency"] = 0
        if device.dst.is_multicast:
            self._leave_group(device)
        else:
            self._engine.underlay.untrack(index, device.table)

    def add_device(self, device: T) -> T:
        """Make a tunnel with its interface, up. Raises as `check`."""
        self.check(device)
        made = self._engine.interfaces.add(f"{device.prefix}{device.instance}", device=device)
        self._engine.interfaces.set_up(made.sw_if_index)
        return device

    def set_bypass(self, sw_if_index: int, on: bool) -> None:
        """Let packets of tunnels that arrive on an interface take the short way, or not. Raises `KeyError`."""
        _ = self._engine.interfaces[sw_if_index]
        if on != (sw_if_index in self.bypass):
            feature = f"ip4-{self.device.prefix.removesuffix('_tunnel')}-bypass"
            self._engine.plane.arcs["ip4-unicast"].enable(sw_if_index, feature, on)
            (self.bypass.add if on else self.bypass.discard)(sw_if_index)

    def _restack(self, sw_if_index: int, lb: int) -> None:
        self._table.records[sw_if_index]["lb"] = lb

    # --- groups

    def _join_group(self, device: UdpTunnelDevice) -> int:
        """The data-path object of a group's adjacency; the first tunnel makes the router a member."""
        engine = self._engine
        key = device.table, device.dst
        group = self._groups.get(key)
        if group is None:
            adjacency = engine.routes.adjacencies.multicast(device.mcast_sw_if_index)
            group = self._groups[key] = _Group(device.mcast_sw_if_index, adjacency)
            if device.table not in engine.mroutes:
                engine.mroutes.add_table(device.table)
            engine.mroutes.add(device.table, int(device.dst), 32, 0, _membership(device.mcast_sw_if_index))
        group.users.add(device.sw_if_index)
        graph = engine.plane.graph
        slot = graph.add_next(graph.add("ip4-lookup"), MULTICAST_NODE)
        frag = graph.add("ip4-frag")
        frag.data["multicast"] = graph.add_next(frag, MULTICAST_NODE)
        return slot | DPO_ADJACENCY_MULTICAST << 16 | group.adjacency.index << 32

    def _leave_group(self, device: UdpTunnelDevice) -> None:
        group = self._groups[device.table, device.dst]
        group.users.discard(device.sw_if_index)
        if not group.users:
            del self._groups[device.table, device.dst]
            self._engine.routes.adjacencies.release(group.adjacency)
            if device.table in self._engine.mroutes:
                self._engine.mroutes.remove(device.table, int(device.dst), 32, 0, _membership(group.interface))


def _membership(sw_if_index: int) -> tuple[tuple[Path, int], ...]:
    """What makes the router receive a group: for us, from this interface."""
    return (Path(kind=LOCAL), ITF_FORWARD), (Path(sw_if_index=sw_if_index), ITF_ACCEPT)


def _outer(device: UdpTunnelDevice) -> bytes:
    """The header that goes in front (40 bytes, of which 36 count); lengths, checksum and source port are still 0."""
    ip = b"\x45\0\0\0\0\0\0\0" + bytes([TTL, 17]) + b"\0\0" + device.src.packed + device.dst.packed
    udp = device.src_port.to_bytes(2, "big") + device.dst_port.to_bytes(2, "big") + b"\0\0\0\0"
    return ip + udp + device.tunnel_header() + b"\0\0\0\0"
