"""The card of a node in another process, as a port in the cluster's network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from vectorplane.backends.engine.sim_tap import Tap
from vectorplane.control.cluster.simulated.remote.frames import Outbox, each, unpack
from vectorplane.dataplane.region import lent

if TYPE_CHECKING:
    from vectorplane.backends.engine.sim_link import Cable
    from vectorplane.control.cluster.simulated.remote.engine import RemoteEngine


class RemotePort:
    """A `Port`. Captures are written here, so they survive the process."""

    def __init__(self, engine: RemoteEngine, name: str) -> None:
        self.engine, self.name = engine, name
        self.sw_if_index = 0
        self.link: Cable | None = None
        self.arriving = Outbox()
        """What the process has to be given."""
        self._departed: list[tuple[int, bytes]] = []
        self._taps: list[Tap] = []

    def receive(self, data: int, records: npt.NDArray[Any], latency: int = 0) -> int:
        """Frames (`RECORD`, offsets from address ``data``) arrive, ``latency`` ns after their times."""
        if self._taps and len(records):
            seen = Outbox()
            seen.add(data, records, latency)
            frames = each(*unpack(*seen.take()))
            for tap in self._taps:
                tap.add(frames)
        self.arriving.add(data, records, latency)
        return 0

    def departed(self, count: int, data: bytes) -> None:
        """The process says what has left by the card."""
        if count:
            self._departed.append((count, data))

    def depart(self, until: int) -> None:
        """Give the link what was sent up to ``until`` ns; waits for the process."""
        self.engine.collect()
        departed, self._departed = self._departed, []
        for count, data in departed:
            records, frames = unpack(count, data)
            for tap in self._taps:
                tap.add(each(records, frames))
            if self.link is not None:
                with lent(frames) as (address,):
                    records["offset"] += address
                    self.link.carry(self, records)
        for tap in self._taps:
            tap.write(until)

    def tap(self, path: Any) -> Tap:
        """Record into a capture all that arrives and departs, from now on. Raises CaptureError."""
        made = Tap(path)
        self._taps.append(made)
        return made

    def close(self) -> None:
        """Write the captures out."""
        for tap in self._taps:
            tap.close()
        self._taps.clear()
