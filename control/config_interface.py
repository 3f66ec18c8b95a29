"""Interfaces and sub-interfaces of a configuration."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from vectorplane.control.config_acl import AclLists, AclName, EtypeLists
from vectorplane.control.config_bridge import BridgeMembership, PortTagRewrite
from vectorplane.control.config_device import CaptureSettings, DeviceSettings
from vectorplane.control.config_nat44 import NatRole
from vectorplane.control.config_path import Path
from vectorplane.control.config_types import (
    InterfaceAddress,
    InterfaceName,
    Model,
    StationMac,
    TableId,
    Vlan,
    as_list,
)

SubId = Annotated[int, Field(ge=0, le=4294967294)]
Mtu = Annotated[int, Field(ge=68, le=16110)]


def _one_path(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


class Port(Model):
    """What interfaces and sub-interfaces have in common.

    ``ip4`` lets an interface without an address take IPv4 packets (it is always on with an address). ``unnumbered``
    names the interface whose addresses it uses. ``proxy_arp``: answer ARP requests for the ranges that are proxied.

    ``bridge``: it is a port of that bridge domain. ``xconnect`` names the interface by which all its frames leave.
    ``tag_rewrite``: what either does to VLAN tags. ``l3_xconnect``: the paths that all its IPv4 packets take.

    ``acl``: the ACLs that its packets must pass, ``macip``: the MACIP list, ``etype_whitelist``: what passes beside IP.

    ``reassembly``: fragments that it receives are put together (full), or told their datagram's ports (virtual).

    ``nat``: what it is to NAT44: inside, outside, both, or output (NAT is then a feature of what leaves by it).
    """

    addresses: Annotated[list[InterfaceAddress], BeforeValidator(as_list)] = Field(default_factory=list)
    table: TableId = 0
    mtu: Mtu | None = None
    up: bool = True
    ip4: bool = False
    unnumbered: InterfaceName | None = None
    proxy_arp: bool = False
    bridge: BridgeMembership | None = None
    xconnect: InterfaceName | None = None
    tag_rewrite: PortTagRewrite | None = None
    l3_xconnect: Annotated[list[Path], BeforeValidator(_one_path)] = Field(default_factory=list)
    acl: AclLists | None = None
    macip: AclName | None = None
    etype_whitelist: EtypeLists | None = None
    nat: NatRole | None = None
    reassembly: Annotated[list[Literal["full", "virtual"]], BeforeValidator(as_list)] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_mode(self) -> Port:
        if self.bridge is not None and self.xconnect is not None:
            raise ValueError("a port is in a bridge domain or cross-connected: leave out bridge or xconnect")
        return self


class SubInterface(Port):
    """A VLAN sub-interface. Without ``vlan`` its number is the VLAN's; ``inner`` makes it QinQ.

    ``default`` takes what no other sub-interface takes (frames without a tag are always the interface's own, as in
    VPP); ``exact`` (always on for routed interfaces in VPP) refuses frames with more tags than were named.
    """

    vlan: Vlan | None = None
    inner: Vlan | Literal["any"] | None = None
    tag: Literal["dot1q", "dot1ad"] = "dot1q"
    exact: bool = True
    default: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> SubInterface:
        if self.default and (self.vlan is not None or self.inner is not None):
            raise ValueError("a default sub-interface has no tags of its own: leave out vlan and inner")
        return self

    def tags(self, sub_id: int) -> tuple[int, ...]:
        """VLAN ids, outer first; 4095 stands for any inner one; () for the default sub-interface."""
        if self.default:
            return ()
        outer = self.vlan if self.vlan is not None else sub_id
        if self.inner is None:
            return (outer,)
        return (outer, 4095 if self.inner == "any" else self.inner)


class Interface(Port):
    """An interface and the device behind it."""

    mac: StationMac | None = None
    promiscuous: bool = False
    device: DeviceSettings = Field(default_factory=CaptureSettings)
    sub_interfaces: dict[SubId, SubInterface] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, value: Any) -> Any:
        return {} if value is None else value
