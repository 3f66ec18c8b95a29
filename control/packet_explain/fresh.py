"""An engine of a configuration, made to explain a packet: its interfaces have no devices but captures played before."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vectorplane.backends.engine.capture_device import CaptureDevice
from vectorplane.backends.engine.device import Device
from vectorplane.backends.engine.loopback import LoopbackDevice
from vectorplane.backends.engine.replay import replay
from vectorplane.control.apply import apply, make_engine
from vectorplane.control.packet_explain.given import Captured, GivenError
from vectorplane.pcap.writer import CaptureWriter

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.control.config import Config
    from vectorplane.control.config_interface import Interface
    from vectorplane.control.transactions.history import Record

_ETHERNET, _RAW_IP = 1, 101


def fresh_engine(
    config: Config,
    file: str = "config",
    before: Mapping[str, Sequence[str]] | None = None,
    packets: tuple[str, Sequence[Captured]] | None = None,
) -> tuple[Engine, Record]:
    """An engine as configured, in virtual time with one worker; what is played on it has been played.

    ``before``: captures by interface; ``packets``: an interface, and packets that arrive there too.

    Raises:
        ConfigError, CaptureError, OSError: as `vectorplane.control.apply.apply`.
        GivenError: nothing can be played on an interface.
    """
    played: dict[str, list[str | io.BytesIO]] = {name: [*files] for name, files in (before or {}).items()}
    if packets is not None and packets[1]:
        played.setdefault(packets[0], []).extend(_captures(packets[1]))
    for name in played:
        if name not in config.interfaces:
            raise GivenError(f"before: there is no interface {name} that could receive a capture")

    def device(name: str, interface: Interface) -> Device:
        if interface.device.type == "loopback":
            return LoopbackDevice()
        return CaptureDevice(played[name]) if name in played else Device()

    one = config.engine.model_copy(update={"clock": "virtual", "workers": 1})
    config = config.model_copy(update={"engine": one})
    engine = make_engine(config)
    try:
        record = apply(config, engine, device, file)
        if played:
            replay(engine)
        return engine, record
    except BaseException:
        engine.close()
        raise


def _captures(packets: Sequence[Captured]) -> list[io.BytesIO]:
    """Packets as captures in memory: one of frames, one of IP packets without Ethernet header."""
    files = []
    for linktype, some in (
        (_ETHERNET, [p for p in packets if not p.ethertype]),
        (_RAW_IP, [p for p in packets if p.ethertype]),
    ):
        if some:
            files.append(io.BytesIO())
            with CaptureWriter(files[-1], linktype=linktype) as writer:
                for packet in some:
                    writer.write(packet.time, packet.data)
            files[-1].seek(0)
    return files


def wait_until(engine: Engine, time: int) -> None:
    """Let time go on to ``time`` (ns); what is due by then is done. It never goes back; from 0 it begins there."""
    if engine.now == 0:
        engine.advance(time)
    elif time > engine.now:
        engine.run_until(time)
