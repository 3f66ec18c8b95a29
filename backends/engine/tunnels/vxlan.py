"""VXLAN tunnels ``vxlan_tunnelN`` (RFC 7348), as VPP's vxlan plugin has them."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from vectorplane.backends.engine.tunnels.tunnel import in_packet
from vectorplane.backends.engine.tunnels.udp_tunnels import UdpTunnelDevice, UdpTunnelSet
from vectorplane.graph_nodes.tunnels.udp_tunnel import VxlanTable
from vectorplane.jit.words import signed

PORT = 4789


class VxlanTunnel(UdpTunnelDevice):
    """One tunnel. As in VPP ``src_port`` is the port that its packets come to, ``dst_port`` the one they go to."""

    kind = "VXLAN"
    prefix = "vxlan_tunnel"
    output_node = "vxlan4-encap"
    input_node = "vxlan4-input"
    table_class = VxlanTable

    def __init__(
        self, src: IPv4Address, dst: IPv4Address, vni: int, *, src_port: int = 0, dst_port: int = 0, **options: Any
    ) -> None:
        super().__init__(src, dst, vni, **options)
        self.ethernet = not self.is_l3
        self.default_mtu = 9000 if self.ethernet else 0
        self.src_port, self.dst_port = src_port or PORT, dst_port or PORT

    def tunnel_header(self) -> bytes:
        """Flags and VNI."""
        return b"\x08\0\0\0" + self.vni.to_bytes(3, "big") + b"\0"

    def key(self, fib: int) -> tuple[int, int]:
        """Addresses (of a group only its own), port, FIB and VNI."""
        if self.dst.is_multicast:
            first = in_packet(self.dst)
        else:
            first = in_packet(self.src) << 32 | in_packet(self.dst)
        port = int.from_bytes(self.src_port.to_bytes(2, "big"), "little")
        vni = int.from_bytes(self.vni.to_bytes(3, "big") + b"\0", "little")
        return signed(first), signed(port << 48 | fib << 32 | vni)


class VxlanTunnels(UdpTunnelSet[VxlanTunnel]):
    """The VXLAN tunnels of one engine."""

    device = VxlanTunnel

    def add(self, src: IPv4Address, dst: IPv4Address, vni: int, **options: Any) -> VxlanTunnel:
        """A new tunnel, up; ``options`` as of `VxlanTunnel`. Raises as `UdpTunnelSet.check`, and `ValueError`."""
        tunnel = VxlanTunnel(src, dst, vni, **options)
        self.add_device(tunnel)
        return tunnel

    def remove(self, src: IPv4Address, dst: IPv4Address, vni: int, *, table: int = 0, src_port: int = 0) -> int:
        """Remove a tunnel with its interface, whose number is given.

        Raises:
            KeyError: no such tunnel or table.
        """
        wanted = VxlanTunnel(src, dst, vni, table=table, src_port=src_port)
        index = self._table.map.get(wanted.key(self._engine.routes.control.fib_index(table)))
        if index is None:
            raise KeyError(f"no tunnel from {src} to {dst} with VNI {vni}")
        self._engine.interfaces.remove(index)
        return index
