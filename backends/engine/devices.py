"""Makes the engine's devices from what an item says about them (`vectorplane.backends.devices`).

Those that are part of an engine, tunnels and BVIs, are made by `vectorplane.backends.engine.virtual_devices`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.devices import settings
from vectorplane.backends.engine.device import Device
from vectorplane.backends.engine.host.makers import HOST_MAKERS

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.network import Network
    from vectorplane.backends.engine.sim_nic import SimNic
    from vectorplane.backends.items import Interface

KINDS = ("capture", "dpdk", "loopback", "null", "pg", "sim", *HOST_MAKERS)
"""Devices that are made here."""


class DeviceMaker:
    """Makes the device of each interface when called with its item; remembers the cables between simulated ports.

    ``eal``: EAL arguments for DPDK ports (None: what fits). ``dpdk``: captures and simulated cards become DPDK ports.
    """

    def __init__(self, *, eal: Sequence[str] | None = None, dpdk: bool = False) -> None:
        self._eal, self._dpdk = eal, dpdk
        self.ports: dict[str, SimNic] = {}
        """The simulated ports made so far."""
        self.cables: dict[tuple[str, str], int] = {}
        """Latency in ns by the names of both ends."""

    def __call__(self, item: Interface) -> Device:
        """A new device.

        Raises:
            BackendError: the engine has no such device, or one of its settings is out of range.
            OSError, CaptureError (when it is attached): a file cannot be opened.
        """
        if item.device not in KINDS:
            raise BackendError(f"interface {item.name}: the engine has no device {item.device}: {_ADVICE}")
        s = settings(item)
        if item.device == "dpdk" or self._dpdk:
            port = self._dpdk_port(item, s)
            if port is not None:
                return port
        if item.device == "capture":
            from vectorplane.backends.engine.capture_device import CaptureDevice

            tx: Any = s["tx"]
            rx: Any = s["rx"]
            return CaptureDevice([*rx], tx, strict=bool(s["strict"]), loops=_number(s["loops"]))
        if item.device == "sim":
            return self._port(item.name, s)
        if item.device in HOST_MAKERS:
            try:
                return HOST_MAKERS[item.device](item.name, s)
            except ValueError as error:
                raise BackendError(f"interface {item.name}: {error}") from error
        if item.device == "pg":
            from vectorplane.backends.engine.pg import PgDevice

            return PgDevice()
        if item.device == "loopback":
            from vectorplane.backends.engine.loopback import LoopbackDevice

            return LoopbackDevice()
        return Device()

    def _dpdk_port(self, item: Interface, s: dict[str, Any]) -> Device | None:
        from vectorplane.backends.engine.dpdk.nics import vdev_of
        from vectorplane.backends.engine.dpdk.port import DpdkPort, Wish

        if item.device == "dpdk":
            name = s["pci"] or s["vdev"]
            if name is None:
                raise BackendError(f"interface {item.name}: a dpdk device needs pci or vdev")
            wish = Wish(s["queues"], s["rx_ring"], s["tx_ring"], s["mtu"], s["zero_copy"])
            return DpdkPort(name, wish, self._eal)
        vdev = vdev_of(item.name, item.device, s, f"{id(self):x}_{item.name[:20].replace('/', '_')}")
        return None if vdev is None else DpdkPort(vdev, None, self._eal)

    def _port(self, name: str, s: dict[str, Any]) -> Device:
        from vectorplane.backends.engine.sim_nic import SimNic

        try:
            port = SimNic(
                queues=s["queues"],
                rx_ring=s["rx_ring"],
                tx_ring=s["tx_ring"],
                line_rate=s["line_rate"],
                service=s["service"],
                checksum_offload=s["checksum_offload"],
                trust_checksums=s["trust_checksums"],
            )
        except ValueError as error:
            raise BackendError(f"interface {name}: {error}") from error
        if s["tap"] is not None:
            path = Path(s["tap"])
            path.parent.mkdir(parents=True, exist_ok=True)
            port.tap(path)
        self.ports[name] = port
        if s["link"] is not None:
            peer, latency = s["link"]
            self.cables[min(name, peer), max(name, peer)] = latency
        return port

    def network(self, engine: Engine) -> Network | None:
        """What runs the engine when its ports are linked; None when there is no link.

        Raises:
            BackendError: an end of a cable is missing, or the engine's clock is real.
        """
        from vectorplane.backends.engine.network import Network
        from vectorplane.backends.engine.sim_link import Link

        if not self.cables:
            return None
        if engine.clock == "real":
            raise BackendError("linked ports need the clock virtual (or fast), not real")
        for end in (name for cable in self.cables for name in cable):
            if end not in self.ports:
                raise BackendError(f"a link leads to {end}, which is no simulated port")
        return Network([engine], [Link(self.ports[a], self.ports[b], ns) for (a, b), ns in self.cables.items()])


_ADVICE = f"it has {', '.join(KINDS)} (and tunnels)"


def _number(value: Any) -> int:
    return int(value)
