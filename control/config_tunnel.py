"""Tunnels as what an interface is attached to: ``device: {type: vxlan, src: 10.0.0.1, dst: 10.0.0.2, vni: 42}``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from vectorplane.control.config_types import Address, InterfaceName, Model, TableId

Vni = Annotated[int, Field(ge=0, lt=1 << 24)]
UdpPort = Annotated[int, Field(ge=1, le=65535)]


class TunnelSettings(Model):
    """What all tunnels have: an address of the router as ``src``, the other end as ``dst``, and their table."""

    src: Address
    dst: Address
    table: TableId = 0

    @model_validator(mode="after")
    def _ends(self) -> TunnelSettings:
        if self.src.version != self.dst.version:
            raise ValueError(f"src and dst differ in their IP version: {self.src} and {self.dst}")
        if self.src == self.dst:
            raise ValueError(f"src and dst are the same: {self.src}")
        if self.src.is_multicast:
            raise ValueError(f"src is the group {self.src}: expected an address of the router")
        return self

    @property
    def frames(self) -> bool:
        """Does it carry Ethernet frames? Else IP packets."""
        raise NotImplementedError

    def identity(self) -> tuple[object, ...]:
        """What its packets are told by from those of other tunnels of its kind."""
        raise NotImplementedError


class _GroupTunnelSettings(TunnelSettings):
    """A tunnel that may lead to a multicast group, out of ``multicast_interface``."""

    vni: Vni
    multicast_interface: InterfaceName | None = None
    l3: bool = False

    @model_validator(mode="after")
    def _group(self) -> _GroupTunnelSettings:
        if self.dst.is_multicast and self.multicast_interface is None:
            raise ValueError(f"dst is the group {self.dst}: say by which interface with multicast_interface")
        if not self.dst.is_multicast and self.multicast_interface is not None:
            raise ValueError(f"multicast_interface is for groups, and dst {self.dst} is none")
        return self


class VxlanSettings(_GroupTunnelSettings):
    """A VXLAN tunnel. ``l3``: it carries IP packets without Ethernet headers.

    ``src_port`` is the UDP port that its packets come to, ``dst_port`` the one that they go to.
    """

    type: Literal["vxlan"]
    src_port: UdpPort = 4789
    dst_port: UdpPort = 4789
    instance: Annotated[int, Field(ge=0, lt=16384)] | None = None

    @property
    def frames(self) -> bool:
        return not self.l3

    def identity(self) -> tuple[object, ...]:
        source = None if self.dst.is_multicast else self.src
        return source, self.dst, self.vni, self.src_port, self.table


class GeneveSettings(_GroupTunnelSettings):
    """A Geneve tunnel. ``l3``: its frames are routed, none are bridged."""

    type: Literal["geneve"]

    @property
    def frames(self) -> bool:
        return not self.l3

    def identity(self) -> tuple[object, ...]:
        return self.dst, self.vni


class _UnicastTunnelSettings(TunnelSettings):
    """A tunnel to one other end."""

    @model_validator(mode="after")
    def _one_end(self) -> _UnicastTunnelSettings:
        if self.dst.is_multicast:
            raise ValueError(f"dst is the group {self.dst}: expected an address of one host")
        return self


class GreSettings(_UnicastTunnelSettings):
    """A GRE tunnel. ``kind``: it carries IP packets (l3), Ethernet frames (teb), or mirrored frames (erspan)."""

    type: Literal["gre"]
    kind: Literal["l3", "teb", "erspan"] = "l3"
    key: Annotated[int, Field(ge=0, lt=1 << 32)] = 0
    session: Annotated[int, Field(ge=0, lt=1024)] = 0

    @model_validator(mode="after")
    def _of_its_kind(self) -> GreSettings:
        if self.session and self.kind != "erspan":
            raise ValueError("session is for kind erspan")
        if self.key and self.kind == "erspan":
            raise ValueError("a tunnel of kind erspan has no key")
        return self

    @property
    def frames(self) -> bool:
        return self.kind != "l3"

    def identity(self) -> tuple[object, ...]:
        return self.src, self.dst, self.kind, self.key, self.session, self.table


class IpipSettings(_UnicastTunnelSettings):
    """A tunnel of IP packets in IP packets."""

    type: Literal["ipip"]

    @property
    def frames(self) -> bool:
        return False

    def identity(self) -> tuple[object, ...]:
        return self.src, self.dst, self.table
