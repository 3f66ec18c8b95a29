"""GRE and IPIP tunnels of an engine: what they have in common. Both are midchains: their header is an adjacency's."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from vectorplane.backends.engine.tunnels.tunnel import Instances, TunnelDevice, TunnelExists, in_packet
from vectorplane.graph_nodes.ip4_local import LocalProtocols
from vectorplane.graph_nodes.tunnels.ip_tunnel import MOST_TUNNELS, IpTunnels
from vectorplane.jit.words import signed

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

COPY_DF, SET_DF, COPY_DSCP, COPY_ECN, DECAP_COPY_ECN, INNER_HASH, COPY_TTL, COPY_FLOW_LABEL = (1 << k for k in range(8))
"""Flags of a tunnel, as VPP's API numbers them."""
SERVED = COPY_DF | SET_DF | COPY_DSCP | COPY_ECN | DECAP_COPY_ECN | COPY_TTL
LONGEST_FRAME = 65536
"""Of VPP's interfaces without Ethernet; what the tunnel itself adds is taken from it."""
_DONT_FRAGMENT = 0x40


class IpTunnelDevice(TunnelDevice):
    """The device of such a tunnel."""

    ethernet = False
    protocol = 0
    """IP protocol of its packets."""
    input_node = ""
    table_class: ClassVar[type[IpTunnels]]

    def __init__(
        self,
        src: IPv4Address,
        dst: IPv4Address,
        *,
        instance: int | None = None,
        table: int = 0,
        flags: int = 0,
        dscp: int = 0,
    ) -> None:
        super().__init__(src, dst, table, instance)
        if flags & ~SERVED:
            raise ValueError(f"tunnel flags 0x{flags & ~SERVED:x} are not known here")
        if not 0 <= dscp < 64:
            raise ValueError(f"DSCP {dscp} is not within 0 to 63")
        self.flags, self.dscp = flags, dscp
        self.fixup = flags & (COPY_DF | COPY_DSCP | COPY_ECN | COPY_TTL)
        self._engine: Engine | None = None

    def header(self, ttl: int, further: bytes) -> bytes:
        """An outer IPv4 header, and what follows it."""
        tos = 0 if self.flags & COPY_DSCP else self.dscp << 2
        fragment = _DONT_FRAGMENT if self.flags & SET_DF else 0
        ip = bytes([0x45, tos, 0, 0, 0, 0, fragment, 0, ttl, self.protocol, 0, 0])
        return ip + self.src.packed + self.dst.packed + further

    def key(self, fib: int) -> tuple[int, int]:
        """Under which key its packets come."""
        raise NotImplementedError

    def addresses_key(self) -> int:
        """Its packets' source and destination."""
        return signed(in_packet(self.dst) << 32 | in_packet(self.src))

    def attach(self, engine: Engine, sw_if_index: int) -> None:
        """Join the tunnels of the engine.

        Raises:
            KeyError: no such table.
            TunnelExists, InstanceInUse: see there.
        """
        self.sw_if_index = sw_if_index
        engine.ip_tunnels(type(self)).join(self)
        self._engine = engine

    def close(self) -> None:
        """Leave them."""
        if self._engine is not None:
            self._engine.ip_tunnels(type(self)).leave(self)
            self._engine = None


T = TypeVar("T", bound=IpTunnelDevice)


class IpTunnelSet(Generic[T]):
    """All tunnels of one kind of an engine."""

    device: type[T]

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.by_index: dict[int, T] = {}
        """By sw_if_index, oldest first."""
        self._instances = Instances()

    @property
    def _table(self) -> IpTunnels:
        return self._engine.plane.shared(self.device.table_class)

    def check(self, device: T) -> None:
        """Can this tunnel be made? Gives it the numbers that it will have.

        Raises:
            KeyError: no such table.
            TunnelExists, InstanceInUse: see there.
            OverflowError: there are too many tunnels.
        """
        fib = self._engine.routes.control.fib_index(device.table)
        if self._table.map.get(device.key(fib)) is not None:
            raise TunnelExists(f"there is a tunnel from {device.src} to {device.dst}")
        if len(self.by_index) >= MOST_TUNNELS:
            raise OverflowError(f"more than {MOST_TUNNELS} tunnels")
        self._instances.offer(device)

    def join(self, device: T) -> None:
        """A tunnel's interface is there: let its packets find it. Raises as `check`."""
        self.check(device)
        engine, index, table = self._engine, device.sw_if_index, self._table
        record = table.records[index]
        record["flags"], record["instance"], record["adj"] = device.flags, device.instance, 0
        self.by_index[index] = device
        self._instances.take(device)
        engine.underlay.track(index, device.table, device.dst, lambda lb: self._restack(device, lb))
        table.map.set(device.key(engine.routes.control.fib_index(device.table)), index)
        engine.plane.shared(LocalProtocols).register(device.protocol, device.input_node)

    def leave(self, device: IpTunnelDevice) -> None:
        """A tunnel's interface goes."""
        if self.by_index.pop(device.sw_if_index, None) is None:
            return
        self._instances.give(device)
        fib = self._engine.routes.control.fibs.index_by_id.get(device.table)
        if fib is not None:
            self._table.map.delete(device.key(fib))
        self._engine.underlay.untrack(device.sw_if_index, device.table)

    def add_device(self, device: T) -> T:
        """Make a tunnel with its interface, down (as VPP). Raises as `check`."""
        self.check(device)
        self._engine.interfaces.add(f"{device.prefix}{device.instance}", device=device)
        return device

    def remove_index(self, sw_if_index: int) -> None:
        """Remove a tunnel with its interface. Raises `KeyError`."""
        if sw_if_index not in self.by_index:
            raise KeyError(f"interface {sw_if_index} is not such a tunnel")
        self._engine.interfaces.remove(sw_if_index)

    def _restack(self, device: IpTunnelDevice, lb: int) -> None:
        device.underlay_lb = lb
        self._engine.routes.adjacencies.restack(device.sw_if_index, lb)
