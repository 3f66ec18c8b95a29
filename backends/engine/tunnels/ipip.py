"""IPIP tunnels ``ipipN`` (RFC 2003), as VPP's ipip plugin has them; IPv4 outside, IPv4 or IPv6 in them."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.tunnels.ip_tunnels import LONGEST_FRAME, IpTunnelDevice, IpTunnelSet
from vectorplane.graph_nodes.ip4_local import LocalProtocols
from vectorplane.graph_nodes.tunnels.ip_tunnel import IpipTable

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

TTL = 64
_IP4, _IP6 = 4, 41


class IpipTunnel(IpTunnelDevice):
    """One tunnel."""

    kind = "IPIP tunnel device"
    prefix = "ipip"
    output_node = "tunnel-output"
    protocol = _IP4
    input_node = "ipip4-input"
    table_class = IpipTable
    link_mtu = LONGEST_FRAME - 20

    def __init__(self, src: IPv4Address, dst: IPv4Address, **options: Any) -> None:
        super().__init__(src, dst, **options)
        self.outer_header = self.header(TTL, b"")

    def key(self, fib: int) -> tuple[int, int]:
        """Addresses and FIB."""
        return self.addresses_key(), fib

    def attach(self, engine: Engine, sw_if_index: int) -> None:
        """Join the tunnels of the engine; IPv6 packets come to the same node."""
        super().attach(engine, sw_if_index)
        engine.plane.shared(LocalProtocols).register(_IP6, self.input_node)


class IpipTunnels(IpTunnelSet[IpipTunnel]):
    """The IPIP tunnels of one engine."""

    device = IpipTunnel

    def add(self, src: IPv4Address, dst: IPv4Address, **options: Any) -> IpipTunnel:
        """A new tunnel; ``options`` as of `IpTunnelDevice`. Raises as `IpTunnelSet.check`, and `ValueError`."""
        tunnel = IpipTunnel(src, dst, **options)
        self.add_device(tunnel)
        return tunnel

    def remove(self, sw_if_index: int) -> None:
        """Remove a tunnel with its interface. Raises `KeyError`."""
        self.remove_index(sw_if_index)
