"""GENEVE tunnels ``geneve_tunnelN`` (RFC 8926), as VPP's geneve plugin has them."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from vectorplane.backends.engine.tunnels.tunnel import in_packet, numbered_mac
from vectorplane.backends.engine.tunnels.udp_tunnels import UdpTunnelDevice, UdpTunnelSet
from vectorplane.graph_nodes.tunnels.udp_tunnel import GeneveTable

PORT = 6081


class GeneveTunnel(UdpTunnelDevice):
    """One tunnel. As in VPP frames go in and come out also with ``is_l3``, which gives its interface a MAC address."""

    kind = "GENEVE"
    prefix = "geneve_tunnel"
    output_node = "geneve4-encap"
    input_node = "geneve4-input"
    table_class = GeneveTable

    def __init__(self, src: IPv4Address, dst: IPv4Address, vni: int, **options: Any) -> None:
        super().__init__(src, dst, vni, **options)
        self.default_mtu = 9000 if self.is_l3 else 0
        self.src_port = self.dst_port = PORT

    def default_mac(self, sw_if_index: int, name: str) -> bytes:
        """VPP's for such tunnels; none for those that are only bridged."""
        return numbered_mac(self.slot) if self.is_l3 else bytes(6)

    def tunnel_header(self) -> bytes:
        """Version 0, no options, Ethernet, VNI."""
        return b"\0\0\x65\x58" + self.vni.to_bytes(3, "big") + b"\0"

    def key(self, fib: int) -> tuple[int, int]:
        """The other end and the VNI; as in VPP the FIB is compared later."""
        return in_packet(self.dst), int.from_bytes(self.vni.to_bytes(3, "big"), "little")


class GeneveTunnels(UdpTunnelSet[GeneveTunnel]):
    """The GENEVE tunnels of one engine."""

    device = GeneveTunnel

    def add(self, local: IPv4Address, remote: IPv4Address, vni: int, **options: Any) -> GeneveTunnel:
        """A new tunnel, up; ``options`` as of `GeneveTunnel`. Raises as `UdpTunnelSet.check`, and `ValueError`."""
        tunnel = GeneveTunnel(local, remote, vni, **options)
        self.add_device(tunnel)
        return tunnel

    def remove(self, local: IPv4Address, remote: IPv4Address, vni: int, *, table: int = 0) -> int:
        """Remove a tunnel with its interface, whose number is given.

        Raises:
            KeyError: no such tunnel or table.
        """
        wanted = GeneveTunnel(local, remote, vni, table=table)
        index = self._table.map.get(wanted.key(self._engine.routes.control.fib_index(table)))
        if index is None:
            raise KeyError(f"no tunnel from {local} to {remote} with VNI {vni}")
        self._engine.interfaces.remove(index)
        return index
