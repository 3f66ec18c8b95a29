"""Two dataplanes that packets can be played through in the same way: an engine of our own, and any VPP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from vectorplane.backends.base import Backend
from vectorplane.backends.engine.backend import EngineBackend
from vectorplane.backends.engine.devices import DeviceMaker
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.items import Interface
from vectorplane.backends.vpp.backend import VppBackend
from vectorplane.backends.vpp.replay import replay
from vectorplane.control.scheduler import Scheduler
from vectorplane.pcap.frames import frames
from vectorplane.pcap.writer import CaptureWriter

PATIENCE = 120.0
"""Seconds: a server in the test's process compiles kernels when they are first needed."""
_SECOND = 1_000_000_000

Frames = Sequence[tuple[str, bytes]]
"""Each with the interface where it is received or was sent."""


class Plane(Protocol):
    """What a node of the test has below it."""

    scheduler: Scheduler

    @property
    def backend(self) -> Backend:
        """What holds the items."""
        ...

    def play(self, received: Frames) -> list[tuple[str, bytes]]:
        """Frames arrive; what is sent, by interface and in the order of each."""
        ...


class EnginePlane:
    """An engine in virtual time, driven directly."""

    def __init__(self) -> None:
        self.engine = Engine(clock="virtual", buffers=8192)
        self._devices = DeviceMaker()
        self.backend = EngineBackend(self.engine, self._devices)
        self.scheduler = Scheduler(self.backend, clock=lambda: self.engine.now / _SECOND)

    def play(self, received: Frames) -> list[tuple[str, bytes]]:
        """Each a microsecond after the one before."""
        for number, (name, frame) in enumerate(received):
            self._devices.ports[name].inject([(self.engine.now + 1000 * number, frame)])
        self.engine.run_until(self.engine.now + _SECOND // 10)
        return [(name, frame) for name, port in self._devices.ports.items() for _, frame in port.transmitted()]

    def close(self) -> None:
        """No buffer is lost."""
        assert self.engine.plane.free_buffers() == self.engine.plane.pool.count
        self.engine.close()


class VppPlane:
    """A VPP behind its socket, with pg interfaces for links."""

    def __init__(self, socket: str, api_dir: str | None, folder: Path) -> None:
        self._socket, self._api_dir, self._folder = socket, api_dir, folder
        self.connect()

    def connect(self) -> None:
        """A new controller, which knows nothing."""
        self.backend = VppBackend(self._socket, self._api_dir, timeout=PATIENCE)
        self.scheduler = Scheduler(self.backend)

    def play(self, received: Frames) -> list[tuple[str, bytes]]:
        """By VPP's packet generator, link by link."""
        into: dict[str, list[bytes]] = {}
        for name, frame in received:
            into.setdefault(name, []).append(frame)
        captures = {}
        for number, (name, each) in enumerate(into.items()):
            captures[name] = [str(self._folder / f"in-{number}.pcap")]
            writer = CaptureWriter(captures[name][0])
            for time, frame in enumerate(each):
                writer.write(number * _SECOND + 1000 * time, frame)
            writer.close()
        ports = [i.name for i in self.backend.dump(Interface) if i.device == "sim"]
        out = {name: self._folder / f"out-{number}.pcap" for number, name in enumerate(ports)}
        replay(self.backend, captures, out)
        return [(name, frame.data) for name, path in out.items() for frame in frames(path)]


@contextmanager
def engine_plane() -> Iterator[EnginePlane]:
    """One for a while."""
    made = EnginePlane()
    yield made
    made.close()
