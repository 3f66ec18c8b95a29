"""Tunnels and BVIs: devices that belong to an engine, made from what an item says about them, and told as items do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.devices import TUNNELS, settings
from vectorplane.backends.engine.l2.bvi import BviDevice
from vectorplane.backends.engine.tunnels.geneve import GeneveTunnel
from vectorplane.backends.engine.tunnels.gre import GreTunnel
from vectorplane.backends.engine.tunnels.ipip import IpipTunnel
from vectorplane.backends.engine.tunnels.tunnel import TunnelDevice
from vectorplane.backends.engine.tunnels.udp_tunnels import UdpTunnelDevice
from vectorplane.backends.engine.tunnels.vxlan import VxlanTunnel

if TYPE_CHECKING:
    from vectorplane.backends.engine.device import Device
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.items import Interface

VIRTUAL = ("bvi", *TUNNELS)
"""Devices that are made here."""


def check(item: Interface) -> None:
    """Raises `BackendError`: a setting is missing or wrong, or it is a tunnel over IPv6."""
    if item.device in TUNNELS and not isinstance(settings(item)["src"], IPv4Address):
        raise BackendError("the engine has no tunnels over IPv6")


def make(engine: Engine, item: Interface) -> Device:
    """The device of a new interface of the engine.

    Raises:
        BackendError: as `check`; there is no interface to send multicasts by.
        ValueError: a setting is out of range.
    """
    check(item)
    return BviDevice() if item.device == "bvi" else _MAKERS[item.device](engine, settings(item))


def told(engine: Engine, device: Device) -> tuple[str, dict[str, object]] | None:
    """What an item says about a device, whoever made it: its kind and settings; None: it is none of these."""
    if isinstance(device, BviDevice):
        return "bvi", {}
    if not isinstance(device, TunnelDevice):
        return None
    ends: dict[str, object] = {"src": device.src, "dst": device.dst, "table": device.table}
    if isinstance(device, UdpTunnelDevice):
        interface = engine.interfaces.by_index.get(device.mcast_sw_if_index)
        multicast = interface.name if interface is not None and device.dst.is_multicast else None
        ends |= {"vni": device.vni, "l3": device.is_l3, "multicast_interface": multicast}
        if isinstance(device, VxlanTunnel):
            ports = {"src_port": device.src_port, "dst_port": device.dst_port}
            return "vxlan", ends | ports | {"instance": device.wanted_instance}
        return "geneve", ends
    if isinstance(device, GreTunnel):
        return "gre", ends | {"kind": device.carries, "key": device.gre_key, "session": device.session}
    return "ipip", ends


def _multicast(engine: Engine, s: dict[str, Any]) -> int:
    name = s["multicast_interface"]
    if name is None:
        return -1
    if name not in engine.plane.interfaces.by_name:
        raise BackendError(f"there is no interface {name}")
    return engine.interfaces[name].sw_if_index


def _vxlan(engine: Engine, s: dict[str, Any]) -> Device:
    return VxlanTunnel(
        s["src"],
        s["dst"],
        s["vni"],
        src_port=s["src_port"],
        dst_port=s["dst_port"],
        table=s["table"],
        mcast_sw_if_index=_multicast(engine, s),
        is_l3=s["l3"],
        instance=s["instance"],
    )


def _geneve(engine: Engine, s: dict[str, Any]) -> Device:
    return GeneveTunnel(
        s["src"], s["dst"], s["vni"], table=s["table"], mcast_sw_if_index=_multicast(engine, s), is_l3=s["l3"]
    )


def _gre(engine: Engine, s: dict[str, Any]) -> Device:
    return GreTunnel(s["src"], s["dst"], kind=s["kind"], key=s["key"], session=s["session"], table=s["table"])


def _ipip(engine: Engine, s: dict[str, Any]) -> Device:
    return IpipTunnel(s["src"], s["dst"], table=s["table"])


_MAKERS: Mapping[str, Callable[[Engine, dict[str, Any]], Device]] = MappingProxyType(
    {"vxlan": _vxlan, "geneve": _geneve, "gre": _gre, "ipip": _ipip}
)
