"""The engine's devices for what a configuration says about each interface."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vectorplane.control.config_device import CaptureSettings, PgSettings, SimSettings

if TYPE_CHECKING:
    from vectorplane.backends.engine.device import Device
    from vectorplane.control.config_interface import Interface


def factory(
    rx: dict[str, list[str]], tx: dict[str, Path], *, strict: bool = False, loops: int = 1
) -> Callable[[str, Interface], Device]:
    """A function that makes the device of an interface. ``rx``, ``tx``: its capture files by interface name."""

    def make(name: str, interface: Interface) -> Device:
        settings = interface.device
        if isinstance(settings, CaptureSettings):
            from vectorplane.backends.engine.capture_device import CaptureDevice

            return CaptureDevice(list(rx.get(name, [])), tx.get(name), strict=strict, loops=loops)
        if isinstance(settings, PgSettings):
            from vectorplane.backends.engine.pg import PgDevice

            return PgDevice()
        if isinstance(settings, SimSettings):
            from vectorplane.cli.sim import sim_nic

            return sim_nic(settings)
        from vectorplane.backends.engine.device import Device

        return Device()

    return make
