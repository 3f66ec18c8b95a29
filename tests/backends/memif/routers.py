"""Engines with one memif interface each, cross-connected to a packet-generator interface; run by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.memif.device import MemifDevice
from vectorplane.backends.engine.pg import PgDevice

MEMIF, PG = 1, 2


class Router:
    """``memif0/0`` and ``pg0``, both up; what one receives the other sends."""

    def __init__(self, device: MemifDevice, workers: int = 1) -> None:
        self.engine = engine = Engine(clock="real", workers=workers)
        engine.start_real_clock()
        self.device, self.pg = device, PgDevice()
        for name, each in (("memif0/0", device), ("pg0", self.pg)):
            engine.interfaces.set_up(engine.interfaces.add(name, device=each).sw_if_index)
        engine.bridges.xconnect(MEMIF, PG)
        engine.bridges.xconnect(PG, MEMIF)
        engine.link()

    @property
    def link(self) -> bool:
        """Is the memif interface's link up?"""
        return self.engine.interfaces.link_is_up(MEMIF)

    def turn(self) -> None:
        """What a running engine does, once."""
        for device in self.engine.devices():
            device.service()
        self.engine._runner.turn()
        for device in self.engine.devices():
            device.flush()

    def send(self, packets: Sequence[bytes], worker: int = 0) -> None:
        """Have pg0 receive these packets, so that memif0/0 sends them."""
        self.engine.pg.add("stream", PG, packets, worker=worker)
        self.engine.pg.enable("stream")

    def received(self) -> list[bytes]:
        """What memif0/0 has received since the last call: what pg0 has sent."""
        return [data for _, data in self.pg.transmitted()]

    def errors(self) -> dict[tuple[str, str], int]:
        """Error counters that are not zero, those that only inform left out."""
        names, counters = self.engine.plane.graph.error_names, self.engine.plane.errors
        found = {name: int(counters.total(i)) for i, name in enumerate(names)}
        return {name: n for name, n in found.items() if n and name[0] not in ("l2-input", "l2-output")}

    def count(self, name: str) -> int:
        """Packets in an interface counter of memif0/0."""
        total = self.engine.plane.if_stats[name].total(MEMIF)
        return int(total[0] if name in ("rx", "tx") else total)

    def balanced(self) -> bool:
        """Is every packet accounted for?"""
        from vectorplane.backends.engine.report import report

        return report(self.engine.plane).missing == 0


@contextmanager
def routers(*devices: MemifDevice, workers: int = 1) -> Iterator[list[Router]]:
    """A router for each device."""
    made: list[Router] = []
    try:
        made += [Router(device, workers) for device in devices]
        yield made
    finally:
        for router in made:
            router.engine.close()


def until(condition: Callable[[], object], *made: Router, seconds: float = 10.0) -> None:
    """Let the routers run until it is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        for router in made:
            router.turn()


def pair(path: Path, **client: Any) -> tuple[MemifDevice, MemifDevice]:
    """A server and a client."""
    return MemifDevice(str(path / "m.sock")), MemifDevice(str(path / "m.sock"), server=False, **client)


def packet(size: int, mark: int = 0) -> bytes:
    """An Ethernet frame of ``size`` bytes that is like no other with another mark."""
    header = bytes.fromhex("02fe00000009 02fe0000000a 88b5")
    return header + bytes((mark * 31 + i * 7) % 256 for i in range(size - len(header)))
