"""The engine's devices for what a configuration says about each interface, and the cables between simulated ports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vectorplane.cli.errors import fail
from vectorplane.control.config_device import CaptureSettings, PgSettings, SimSettings

if TYPE_CHECKING:
    from vectorplane.backends.engine.device import Device
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.network import Network
    from vectorplane.backends.engine.sim_nic import SimNic
    from vectorplane.control.config import Config
    from vectorplane.control.config_interface import Interface


class Devices:
    """Makes the device of each interface when called with its name and settings."""

    def __init__(
        self, rx: dict[str, list[str]], tx: dict[str, Path], out: Path | None, strict: bool, loops: int
    ) -> None:
        self._rx, self._tx, self._out = rx, tx, out
        self._strict, self._loops = strict, loops
        self.ports: dict[str, SimNic] = {}
        """The simulated ports made so far."""

    def __call__(self, name: str, interface: Interface) -> Device:
        settings = interface.device
        if isinstance(settings, CaptureSettings):
            from vectorplane.backends.engine.capture_device import CaptureDevice

            return CaptureDevice([*self._rx.get(name, [])], self._tx.get(name), strict=self._strict, loops=self._loops)
        if isinstance(settings, SimSettings):
            return self._port(name, settings)
        if isinstance(settings, PgSettings):
            from vectorplane.backends.engine.pg import PgDevice

            return PgDevice()
        from vectorplane.backends.engine.device import Device

        return Device()

    def _port(self, name: str, s: SimSettings) -> Device:
        from vectorplane.backends.engine.sim_nic import SimNic

        self.ports[name] = port = SimNic(
            queues=s.queues,
            rx_ring=s.rx_ring,
            tx_ring=s.tx_ring,
            line_rate=s.line_rate,
            service=s.service,
            checksum_offload=s.checksum_offload,
        )
        if s.tap is not None and self._out is not None:
            path = self._out / s.tap
            path.parent.mkdir(parents=True, exist_ok=True)
            port.tap(path)
        return port

    def network(self, config: Config, engine: Engine) -> Network | None:
        """What runs the engine when its ports are linked; None when there is no link."""
        from vectorplane.backends.engine.network import Network
        from vectorplane.backends.engine.sim_link import Link

        cables: dict[tuple[str, str], int] = {}
        for name, interface in config.interfaces.items():
            if isinstance(interface.device, SimSettings) and interface.device.link is not None:
                link = interface.device.link
                cables[min(name, link.peer), max(name, link.peer)] = link.latency
        if cables and engine.clock == "real":
            fail("linked ports need the clock virtual (or fast), not real", 2)
        links = [Link(self.ports[a], self.ports[b], latency) for (a, b), latency in cables.items()]
        return Network([engine], links) if links else None


def factory(
    rx: dict[str, list[str]],
    tx: dict[str, Path],
    *,
    out: Path | None = None,
    strict: bool = False,
    loops: int = 1,
) -> Devices:
    """What makes an engine's devices. ``rx``, ``tx``: capture files by interface name; ``out``: where taps go."""
    return Devices(rx, tx, out, strict, loops)
