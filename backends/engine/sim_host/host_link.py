"""A cable between a simulated host and a port, or between two hosts."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from vectorplane.backends.engine.sim_nic import SimNic

if TYPE_CHECKING:
    from vectorplane.backends.engine.member import Port
    from vectorplane.backends.engine.sim_host.agenda import Agenda
    from vectorplane.backends.engine.sim_host.host_stack import HostStack


class HostLink:
    """Carries what the host sends to the other end, ``latency_ns`` later, and back; in order, and without loss.

    It works while it is in a `Network` (``Network(..., host_links=...)`` or ``network.add_host_link``).

    Raises:
        ValueError: the latency is not positive, an end has a cable already, both are one, or the port has no interface.
    """

    def __init__(self, host: HostStack, end: SimNic | HostStack, latency_ns: int = 1000) -> None:
        if latency_ns < 1:
            raise ValueError(f"a host's link needs a latency of at least 1 ns, not {latency_ns}")
        if end is host:
            raise ValueError(f"host {host.name} cannot be linked to itself")
        if isinstance(end, SimNic) and end.sw_if_index < 0:
            raise ValueError("a port must be given to an interface before a host is linked to it")
        for one in (host, end):
            if one.link is not None:
                raise ValueError(f"{'port' if isinstance(one, SimNic) else 'host'} {one.name} has a link already")
        self.host, self.end, self.latency_ns = host, end, latency_ns
        self.port = end if isinstance(end, SimNic) else None
        self.peer = None if isinstance(end, SimNic) else end
        self.agenda: Agenda | None = None
        self.loses: Callable[[bytes], bool] | None = None
        """For faults: is asked about each frame in either direction; what it says True to never arrives."""
        self.lost = 0
        """Frames that `loses` took, and those that were under way when the cable was pulled."""
        self._sent: list[tuple[int, bytes]] = []
        host.link = self
        end.link = self

    def unplug(self) -> None:
        """Pull the cable: both ends are free for others, and what the hosts had under way ends.

        Of a link that is in a network `Network.remove_host_link` does it.
        """
        if self.agenda is not None:
            self.host.unplugged()
            if self.peer is not None:
                self.peer.unplugged()
        self.agenda = None
        self.host.link = None
        self.end.link = None

    def send(self, sender: HostStack, frame: bytes) -> None:
        """A frame leaves the host now."""
        agenda = self.agenda
        if agenda is None:
            raise RuntimeError(f"host {sender.name} is in no network: it cannot send")
        if self.loses is not None and self.loses(frame):
            self.lost += 1
        elif self.peer is not None:
            other = self.peer if sender is self.host else self.host
            agenda.at(agenda.now + self.latency_ns, partial(self._arrive, other, frame))
        else:
            self._sent.append((agenda.now + self.latency_ns, frame))
            agenda.unsent[self] = None

    def hand_over(self) -> None:
        """Give the port the frames that the host has sent."""
        sent, self._sent = self._sent, []
        if self.port is not None and self.agenda is not None:
            self.port.inject(sent)
        else:
            self.lost += len(sent)

    def carry(self, sender: Port, records: npt.NDArray[Any]) -> None:
        """Bring the host what departed at the port (`RECORD`, offsets are addresses)."""
        if not len(records):
            return
        agenda = self.agenda
        if agenda is None:
            self.lost += len(records)
            return
        sizes, times = records["caplen"].tolist(), records["time"].tolist()
        for address, size, time in zip(records["offset"].tolist(), sizes, times, strict=True):
            frame = ctypes.string_at(address, size)
            if self.loses is not None and self.loses(frame):
                self.lost += 1
            else:
                agenda.at(time + self.latency_ns, partial(self._arrive, self.host, frame))

    def _arrive(self, host: HostStack, frame: bytes, now: int) -> None:
        if self.agenda is None:
            self.lost += 1
        else:
            host.receive(frame)
