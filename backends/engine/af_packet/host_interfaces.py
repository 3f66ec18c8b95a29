"""Host-interfaces ``host-NAME`` as VPP's API makes them: names, and which there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vectorplane.backends.engine.af_packet.device import AfPacketDevice

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.interfaces import Interface


class HostInterfaceExists(ValueError):
    """There is one for that interface of the host: ``sw_if_index``."""

    def __init__(self, name: str, sw_if_index: int) -> None:
        super().__init__(f"{name} is there already")
        self.sw_if_index = sw_if_index


def host_interfaces(engine: Engine) -> Iterator[tuple[Interface, AfPacketDevice]]:
    """All of them, in the order of their sw_if_index."""
    for _, interface in sorted(engine.interfaces.by_index.items()):
        if isinstance(interface.device, AfPacketDevice) and not interface.is_sub:
            yield interface, interface.device


def create_host_interface(engine: Engine, device: AfPacketDevice, mac: bytes | None = None) -> Interface:
    """``host-NAME``, down.

    Raises:
        HostInterfaceExists: there is one for that interface already.
        OSError: the host's interface can't be had.
    """
    for interface, other in host_interfaces(engine):
        if (other.host_name, other.namespace) == (device.host_name, device.namespace):
            raise HostInterfaceExists(interface.name, interface.sw_if_index)
    return engine.interfaces.add(f"host-{device.host_name}", mac=mac, device=device)


def delete_host_interface(engine: Engine, host_name: str) -> None:
    """Remove it with its sub-interfaces. Raises KeyError: there is none for that interface of the host."""
    for interface, device in host_interfaces(engine):
        if device.host_name == host_name:
            engine.interfaces.remove(interface.sw_if_index)
            return
    raise KeyError(f"there is no host-{host_name}")
