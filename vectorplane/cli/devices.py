"""The engine's devices for what a configuration and the command line say about each interface."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vectorplane.backends.base import BackendError
from vectorplane.backends.devices import options
from vectorplane.backends.engine.device import Device
from vectorplane.backends.engine.devices import DeviceMaker
from vectorplane.backends.items import Interface as Item
from vectorplane.cli.errors import fail
from vectorplane.control.config_device import CaptureSettings, DpdkSettings, SimSettings

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.network import Network
    from vectorplane.control.config_interface import Interface


class Devices:
    """Makes the device of each interface when called with its name and settings."""

    def __init__(
        self,
        rx: dict[str, list[str]],
        tx: dict[str, Path],
        out: Path | None,
        strict: bool,
        loops: int,
        eal: Sequence[str] | None,
        dpdk: bool,
        ports: bool,
    ) -> None:
        self._rx, self._tx, self._out = rx, tx, out
        self._strict, self._loops, self._ports = strict, loops, ports
        self._make = DeviceMaker(eal=eal, dpdk=dpdk)

    def __call__(self, name: str, interface: Interface) -> Device:
        settings = interface.device
        given: dict[str, object] = {}
        if isinstance(settings, CaptureSettings):
            given = {"rx": tuple(self._rx.get(name, ())), "tx": self._tx.get(name)}
            given |= {"strict": self._strict, "loops": self._loops}
        elif isinstance(settings, SimSettings):
            given = settings.model_dump(exclude={"type", "tap", "link"})
            given["tap"] = str(self._out / settings.tap) if settings.tap is not None and self._out else None
            given["link"] = (settings.link.peer, settings.link.latency) if settings.link is not None else None
        elif isinstance(settings, DpdkSettings):
            if not self._ports:
                return Device()
            given = settings.model_dump(exclude={"type"})
        return self._make(Item(name, settings.type, options(settings.type, **given)))

    def network(self, engine: Engine) -> Network | None:
        """What runs the engine when its ports are linked; None when there is no link."""
        try:
            return self._make.network(engine)
        except BackendError as error:
            fail(str(error), 2)


def factory(
    rx: dict[str, list[str]],
    tx: dict[str, Path],
    *,
    out: Path | None = None,
    strict: bool = False,
    loops: int = 1,
    eal: Sequence[str] | None = None,
    dpdk: bool = False,
    ports: bool = False,
) -> Devices:
    """What makes an engine's devices. ``rx``, ``tx``: capture files by interface name; ``out``: where taps go.

    ``eal``, ``dpdk``: see `DeviceMaker`. ``ports``: open DPDK ports; else nothing comes from them.
    """
    return Devices(rx, tx, out, strict, loops, eal, dpdk, ports)
