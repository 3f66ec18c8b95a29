"""A simulated network card as an interface's device: rings, queues, a line rate, and a wire that a `Link` continues."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import numpy.typing as npt

from vectorplane.backends.engine.device import Device
from vectorplane.backends.engine.rss import Rss
from vectorplane.backends.engine.sim_rx_ring import RxRings
from vectorplane.backends.engine.sim_tap import Kept, Tap
from vectorplane.backends.engine.sim_tx_ring import TxRings
from vectorplane.dataplane.abi import FAST, NEVER
from vectorplane.dataplane.region import lent
from vectorplane.graph_nodes.sim_tx import E_NO_FREE_SLOTS, TxStage
from vectorplane.pcap.index import RECORD

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.sim_link import Cable


class SimNic(Device):
    """A port. Give it to `Interfaces.add`, then join it to another one by a `Link`, or feed and read it from Python.

    ``queues`` receive queues (worker ``q % workers`` serves queue q) and as many transmit queues, with rings of
    ``rx_ring`` and ``tx_ring`` descriptors each; ``line_rate`` in bits a second, None for endless; ``service`` is the
    time in ns that the host needs for a packet of a queue before it takes the next one (what makes a receive
    ring fill up in virtual time); ``rss`` chooses the queue of a frame (default: Microsoft's key, queues in turn).
    ``trust_checksums``: TCP and UDP checksums of what arrives count as right. ``keep``: how many frames `transmitted`
    remembers of a port without a link (the oldest are forgotten first).

    Raises:
        ValueError: a number out of range, or an indirection table that names queues that are not there.
    """

    kind = "sim"
    tx_node = "sim-tx"
    frame_size_can_change = True

    def __init__(
        self,
        *,
        queues: int = 1,
        rx_ring: int = 1024,
        tx_ring: int = 1024,
        line_rate: int | None = None,
        service: int = 0,
        checksum_offload: bool = True,
        trust_checksums: bool = False,
        rss: Rss | None = None,
        keep: int = 1 << 20,
    ) -> None:
        for name, value, most in (("queues", queues, 64), ("rx_ring", rx_ring, 65536), ("tx_ring", tx_ring, 65536)):
            if not 1 <= value <= most:
                raise ValueError(f"simulated NIC: {name} {value} is not within 1 to {most}")
        if line_rate is not None and not 1 <= line_rate <= 10**13:
            raise ValueError(f"simulated NIC: a line rate of {line_rate} bits a second is not within 1 to 10 Tbit/s")
        if service < 0:
            raise ValueError(f"simulated NIC: service {service} ns is negative")
        if rss is not None and rss.queues > queues:
            raise ValueError(f"simulated NIC: the RSS table names {rss.queues} queues, there are {queues}")
        self.queues, self.rx_ring, self.tx_ring = queues, rx_ring, tx_ring
        self.line_rate, self.service_time, self.checksum_offload = line_rate, service, checksum_offload
        self.trust_checksums = trust_checksums
        self.rss = rss or Rss(queues)
        self._own_rss = rss is None
        self.link_speed = (line_rate or 0) // 1000
        self.link: Cable | None = None
        self.name = ""
        self.sw_if_index = -1
        self.closed = False
        """Its interface is gone: what still arrives is lost."""
        self.sent = 0
        """Frames that departed."""
        self._taps: list[Tap] = []
        self._kept = Kept(keep)

    def attach(self, engine: Engine, sw_if_index: int) -> None:
        """Make the rings and join `sim-input`."""
        self.engine, self.sw_if_index = engine, sw_if_index
        self.name = engine.interfaces[sw_if_index].name
        self._node = engine.plane.graph[f"{self.name}-tx"]
        self._clock = int(engine.plane.workers[0].record["clock"])
        self._stage = TxStage(self._node, self.queues, self.checksum_offload)
        self._tx = TxRings(
            self.name, queues=self.queues, slots=self.tx_ring, rate=self.line_rate or 0, clock=self._clock
        )
        self._rx = RxRings(
            engine,
            sw_if_index,
            queues=self.queues,
            slots=self.rx_ring,
            service=self.service_time,
            offload=self.checksum_offload,
            trust=self.trust_checksums,
            rss=self.rss,
        )

    @property
    def missed(self) -> int:
        """Frames that found their receive ring full (``/if/rx-miss``)."""
        return int(self.engine.plane.if_stats["rx-miss"].total(self.sw_if_index))

    def inject(self, frames: Iterable[tuple[int, bytes]]) -> int:
        """Let frames, each with its arrival in ns, arrive from the wire; gives how many found a full ring.

        The engine must not be running. A frame does not overtake one that arrived before; what is older than the
        engine's time arrives now.
        """
        ordered = sorted(frames, key=lambda f: f[0])
        records = np.zeros(len(ordered), RECORD)
        sizes = np.array([len(f) for _, f in ordered], np.int64)
        records["caplen"] = records["wirelen"] = sizes
        records["offset"] = np.cumsum(sizes) - sizes
        records["time"] = [t for t, _ in ordered]
        data = np.frombuffer(b"".join(f for _, f in ordered) + bytes(8), np.uint8).copy()
        with lent(data) as (address,):
            return self.receive(address, records)

    def receive(self, data: int, records: npt.NDArray[Any], latency: int = 0) -> int:
        """Frames (`RECORD`, offsets from address ``data``) arrive, ``latency`` ns after their times."""
        if self.closed:
            return len(records)
        for tap in self._taps:
            tap.add((int(r["time"]) + latency, _bytes(data, r)) for r in records)
        return self._rx.receive(data, records, latency)

    def flush(self) -> None:
        """Let the wire take over what was sent up to now."""
        if self.closed or (not self._taps and not len(self._stage)):
            return
        engine = self.engine
        until = NEVER if self._clock == FAST else min(engine.next_time(), engine.timers.next_time())
        if len(engine.plane.workers) > 1 and until != NEVER:
            until -= 1  # a worker that is still before this time may send something of it
        self.depart(until)
        for tap in self._taps:
            tap.write(min(engine.now, until))

    def depart(self, until: int) -> None:
        """Let the wire take over what was sent at times up to ``until`` ns; nothing that comes later may be older."""
        if self.closed or not len(self._stage):
            return
        staged = self._stage.take(until)
        records = self._tx.send(staged)
        self._count_drops(len(staged) - len(records))
        self.sent += len(records)
        for tap in self._taps:
            tap.add((int(r["time"]), _bytes(0, r)) for r in records)
        if self.link is not None:
            self.link.carry(self, records)
        else:
            self._kept.add(records)
        self._stage.release()

    def _count_drops(self, count: int) -> None:
        plane = self.engine.plane
        error = self._node.error_index(E_NO_FREE_SLOTS)
        for vector in (plane.errors, plane.drops):
            vector.thread(0)[error] += count
        plane.if_stats["tx-error"].thread(0)[self.sw_if_index] += count

    def transmitted(self) -> list[tuple[int, bytes]]:
        """(departure in ns, frame) of what left by this port, which has no link, since the last call."""
        return self._kept.take()

    def tap(self, path: str | os.PathLike[str] | BinaryIO) -> Tap:
        """Record into a capture all that arrives at this port (lost or not) and all that departs, from now on.

        Raises:
            CaptureError: it cannot be written.
        """
        tap = Tap(path)
        self._taps.append(tap)
        return tap

    @property
    def waiting(self) -> int:
        """Frames in the receive rings, or on the wire and known to arrive."""
        return self._rx.waiting

    def pending(self) -> bool:
        """Packets are left in the rings."""
        return self.waiting > 0 or len(self._stage) > 0

    def close(self) -> None:
        """Write the taps out and give the memory back."""
        self.closed = True
        for tap in self._taps:
            tap.close()
        self._taps.clear()
        self._stage.close()
        self._tx.close()
        self._rx.close()
        if self._own_rss:
            self.rss.close()


def _bytes(data: int, record: Any) -> bytes:
    return ctypes.string_at(data + int(record["offset"]), int(record["caplen"]))
