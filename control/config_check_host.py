"""Devices whose other end is an interface of the host: its name, who else has it, and what needs what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.backends.devices import host_of, is_host_name
from vectorplane.control.config_device import AfPacketSettings, TapSettings
from vectorplane.control.config_error import Path

if TYPE_CHECKING:
    from vectorplane.control.config_check import Checker


def check_host_devices(c: Checker) -> None:
    """Report what is wrong to the checker."""
    taken: dict[tuple[str | None, str], Path] = {}
    for name, interface in c.config.interfaces.items():
        path: Path = ("interfaces", name, "device")
        device = interface.device
        if not isinstance(device, TapSettings | AfPacketSettings):
            continue
        host = device.host.name or (name if isinstance(device, TapSettings) else host_of(name))
        if not is_host_name(host):
            c.fail((*path, "host", "name"), f"is missing: {host} is no name that an interface of Linux can have")
        other = taken.setdefault((device.host.namespace, host), path)
        if other != path:
            c.fail((*path, "host"), f"{host} is already {c.where(other)}")
        if isinstance(device, TapSettings) and device.gro and not device.gso:
            c.fail((*path, "gro"), "needs gso: true")
        if isinstance(device, AfPacketSettings) and device.gso and not device.checksum_offload:
            c.fail((*path, "gso"), "needs checksum_offload: true")
