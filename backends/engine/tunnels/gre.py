"""GRE tunnels ``greN`` (RFC 2784), as VPP's gre plugin has them: for IP packets, Ethernet frames (TEB), or ERSPAN."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.slots import Slots
from vectorplane.backends.engine.tunnels.ip_tunnels import LONGEST_FRAME, IpTunnelDevice, IpTunnelSet
from vectorplane.backends.engine.tunnels.tunnel import numbered_mac
from vectorplane.graph_nodes.tunnels.gre4_input import ERSPAN_TYPE, IP4_TYPE, KEY_FLAG, SEQUENCE_FLAG, TEB_TYPE
from vectorplane.graph_nodes.tunnels.ip_tunnel import ERSPAN, L3, TEB, GreTable
from vectorplane.jit.words import signed

if TYPE_CHECKING:
    from vectorplane.backends.engine.adjacencies import Adjacency
    from vectorplane.backends.engine.engine import Engine

TTL = 254
KINDS = {"l3": L3, "teb": TEB, "erspan": ERSPAN}
_OUTPUT = {L3: "tunnel-output", TEB: "gre-teb-encap", ERSPAN: "gre-erspan-encap"}
_TYPES = {L3: IP4_TYPE, TEB: TEB_TYPE, ERSPAN: ERSPAN_TYPE}
MOST_SESSION = 1023
HEADER = 24
LONGEST_ETHERNET = 9022
"""Of VPP's Ethernet interfaces, with two tags."""


class GreTunnel(IpTunnelDevice):
    """One tunnel. ``carries``: a key of `KINDS`; ``session``: ERSPAN's; ``key`` 0: none."""

    kind = "GRE tunnel device"
    prefix = "gre"
    protocol = 47
    input_node = "gre4-input"
    table_class = GreTable

    def __init__(
        self,
        src: IPv4Address,
        dst: IPv4Address,
        *,
        kind: str = "l3",
        session: int = 0,
        key: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(src, dst, **options)
        if kind not in KINDS:
            raise ValueError(f"a GRE tunnel carries {', '.join(KINDS)}, not {kind}")
        if not 0 <= session <= MOST_SESSION:
            raise ValueError(f"ERSPAN session {session} is not within 0 to {MOST_SESSION}")
        if not 0 <= key < 1 << 32:
            raise ValueError(f"GRE key {key} is not a 32-bit number")
        self.carries, self.session, self.gre_key = kind, session, 0 if kind == "erspan" else key
        number = KINDS[kind]
        self.ethernet = number != L3
        self.link_mtu = (LONGEST_ETHERNET if self.ethernet else LONGEST_FRAME) - HEADER
        self.output_node = _OUTPUT[number]
        flags = SEQUENCE_FLAG if number == ERSPAN else KEY_FLAG if self.gre_key else 0
        further = flags.to_bytes(2, "big") + _TYPES[number].to_bytes(2, "big")
        further += self.gre_key.to_bytes(4, "big") if self.gre_key else b""
        self.outer_header = self.header(TTL, further)
        self._adjacency: Adjacency | None = None

    def key(self, fib: int) -> tuple[int, int]:
        """Addresses; FIB, what it carries, key or ERSPAN's session."""
        number = self.session if self.carries == "erspan" else self.gre_key
        word = number << 32 | KINDS[self.carries] << 16 | fib
        return self.addresses_key(), signed(word)

    def default_mac(self, sw_if_index: int, name: str) -> bytes:
        """VPP's for Ethernet tunnels."""
        return numbered_mac(self.slot) if self.ethernet else bytes(6)

    def attach(self, engine: Engine, sw_if_index: int) -> None:
        """Join the tunnels of the engine."""
        super().attach(engine, sw_if_index)
        if self.ethernet:
            self._adjacency = engine.routes.adjacencies.ethernet(sw_if_index)
            record = engine.plane.shared(GreTable).records[sw_if_index]
            record["adj"], record["session"] = self._adjacency.index, self.session
            if self.carries == "erspan":
                record["sequence"] = engine.gre.sequences.join(self)

    def close(self) -> None:
        """Leave them."""
        engine = self._engine
        if engine is not None and self.carries == "erspan":
            engine.gre.sequences.leave(self)
        super().close()
        if engine is not None and self._adjacency is not None:
            engine.routes.adjacencies.release(self._adjacency)
            self._adjacency = None


class Sequences:
    """The sequence numbers of ERSPAN tunnels: all between the same ends share theirs (RFC 2890 2.2)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pool = Slots()
        self._shared: dict[tuple[int, IPv4Address, IPv4Address], tuple[int, set[int]]] = {}

    def join(self, tunnel: GreTunnel) -> int:
        """The address of the next number of a new tunnel."""
        table = self._engine.plane.shared(GreTable)
        ends = tunnel.table, tunnel.src, tunnel.dst
        if ends not in self._shared:
            self._shared[ends] = self._pool.take(), set()
            table.sequences[self._shared[ends][0]] = 0
        slot, users = self._shared[ends]
        users.add(tunnel.sw_if_index)
        return table.sequence_address + 8 * slot

    def leave(self, tunnel: GreTunnel) -> None:
        """A tunnel goes."""
        ends = tunnel.table, tunnel.src, tunnel.dst
        slot, users = self._shared[ends]
        users.discard(tunnel.sw_if_index)
        if not users:
            del self._shared[ends]
            self._pool.give(slot)


class GreTunnels(IpTunnelSet[GreTunnel]):
    """The GRE tunnels of one engine."""

    device = GreTunnel

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.sequences = Sequences(engine)

    def add(self, src: IPv4Address, dst: IPv4Address, **options: Any) -> GreTunnel:
        """A new tunnel; ``options`` as of `GreTunnel`. Raises as `IpTunnelSet.check`, and `ValueError`."""
        tunnel = GreTunnel(src, dst, **options)
        self.add_device(tunnel)
        return tunnel

    def remove(
        self,
        src: IPv4Address,
        dst: IPv4Address,
        *,
        kind: str = "l3",
        table: int = 0,
        session: int = 0,
        key: int = 0,
    ) -> int:
        """Remove a tunnel with its interface, whose number is given.

        Raises:
            KeyError: no such tunnel or table.
        """
        wanted = GreTunnel(src, dst, kind=kind, table=table, session=session, key=key)
        index = self._table.map.get(wanted.key(self._engine.routes.control.fib_index(table)))
        if index is None:
            raise KeyError(f"no GRE tunnel from {src} to {dst}")
        self._engine.interfaces.remove(index)
        return index
