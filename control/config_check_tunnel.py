"""What the tunnels of a configuration need of its other parts, and of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.control.config_error import Path
from vectorplane.control.config_tunnel import GeneveSettings, TunnelSettings, VxlanSettings

if TYPE_CHECKING:
    from vectorplane.control.config_check import Checker


def check_tunnels(c: Checker) -> None:
    """Tables and interfaces that they lead through; none whose packets could not be told from another's."""
    seen: dict[tuple[object, ...], Path] = {}
    instances: dict[int, Path] = {}
    for name, interface in c.config.interfaces.items():
        path: Path = ("interfaces", name, "device")
        device = interface.device
        if not isinstance(device, TunnelSettings):
            continue
        c.table((*path, "table"), device.table, device.src.version)
        key = (device.type, *device.identity())
        if key in seen:
            c.fail(path, f"it is the same tunnel as {c.where(seen[key])}")
        seen.setdefault(key, path)
        if isinstance(device, VxlanSettings | GeneveSettings) and device.multicast_interface is not None:
            here = (*path, "multicast_interface")
            if device.multicast_interface == name:
                c.fail(here, "expected another interface")
            c.interface(here, device.multicast_interface)
        if isinstance(device, VxlanSettings) and device.instance is not None:
            other = instances.setdefault(device.instance, path)
            if other != path:
                c.fail((*path, "instance"), f"{device.instance} is already that of {c.where(other)}")
        if interface.sub_interfaces and not device.frames:
            c.fail(("interfaces", name, "sub_interfaces"), f"{name} carries IP packets, which have no VLAN tags")
