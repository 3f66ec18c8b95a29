"""A tap as an interface's device: what is sent here, an interface of the host receives, and the other way round.

The host interface lives as long as the device. When somebody deletes it, or its namespace, the link goes down, a line
in the log says so, and once a second it is made anew until that works.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.devices import is_host_name
from vectorplane.backends.engine.device import Device
from vectorplane.backends.engine.tap.host_link import HostLink, configure
from vectorplane.backends.engine.tap.namespace import inside
from vectorplane.backends.engine.tap.tun import close_queues, open_queues
from vectorplane.dataplane.buffer import DATA_SIZE
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.tap_queue import GONE, IOVEC, MAX_IOV, OPEN, SPILL_BYTES, TapQueues
from vectorplane.graph_nodes.vnet_header import VNET_SIZE

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.timers import Timer

log = logging.getLogger(__name__)
_RETRY = 1_000_000_000
_SCRATCH = MAX_IOV * IOVEC.itemsize + 64
"""Memory of a queue in one direction: its iovec, its vnet header."""


_F_GSO, _F_CHECKSUMS, _F_GRO = 1, 2, 32
"""Of VPP's API."""


class TapDevice(Device):
    """A tap. ``queues`` pairs of queues (worker ``q % workers`` reads queue q, worker w sends by ``w % queues``).

    Raises:
        ValueError: a number out of range, or a host name that Linux does not take.
    """

    kind = "tap"
    tx_node = "tap-tx"
    frame_size_can_change = True

    def __init__(
        self,
        link: HostLink,
        *,
        queues: int = 1,
        checksum_offload: bool = False,
        gso: bool = False,
        gro: bool = False,
    ) -> None:
        if not 1 <= queues <= 64:
            raise ValueError(f"tap: queues {queues} is not within 1 to 64")
        if not is_host_name(link.name):
            raise ValueError(f"tap: {link.name!r} is no name that an interface of Linux can have")
        self.host = link
        if gro and not gso:
            raise ValueError("tap: gro needs gso: a host that cuts TCP")
        self.queues, self.offloads_checksums, self.gso, self.gro = queues, checksum_offload, gso, gro
        self.cuts_tcp = gso
        flags = (_F_GSO if gso else _F_CHECKSUMS if checksum_offload else 0) | (_F_GRO if gro else 0)
        self.asked: dict[str, int] = {"tx_ring_sz": 256, "rx_ring_sz": 256, "tap_flags": flags}
        """What VPP's API tells of it and we have no use for."""
        self._fds: list[int] = []
        self._slots: list[tuple[int, int]] = []
        self._timer: Timer | None = None
        self._mac = bytes.fromhex("02fe") + os.urandom(4)

    def default_mac(self, sw_if_index: int, name: str) -> bytes:
        """By chance, as in VPP: other routers may be in the same Ethernet, and have counted their interfaces, too."""
        return self._mac

    def carrier(self) -> bool:
        """Is the host interface there?"""
        return bool(self._fds)

    def attach(self, engine: Engine, sw_if_index: int) -> None:
        """Make the host interface and join `tap-input`.

        Raises:
            BackendError: the engine's time is not real, as the host's is.
            OSError: the host interface can't be had.
        """
        if engine.clock != "real":
            raise BackendError("a tap needs real time: use `vectorplane run`")
        self._engine, self.sw_if_index = engine, sw_if_index
        self._fds = self._open()
        self._workers = len(engine.plane.workers)
        self._region = Region(
            (self.queues + self._workers) * _SCRATCH + self.queues * SPILL_BYTES, name="tap queues of an interface"
        )
        self._input = engine.plane.graph.add("tap-input")
        self._tables = engine.plane.shared(TapQueues)
        spills = self._region.address + (self.queues + self._workers) * _SCRATCH
        for q in range(self.queues):
            worker = q % self._workers
            slot = self._tables.free_slot(worker)
            self._slots.append((worker, slot))
            record = self._tables.tables[worker][slot]
            record["spill"] = spills + q * SPILL_BYTES
            pieces = self._fill(record, q, q)
            pieces[:] = [(0, VNET_SIZE + DATA_SIZE), (record["spill"], SPILL_BYTES)]
            self._input.data[worker]["n_queues"] = self._tables.count(worker)
        node = engine.plane.graph[f"{engine.interfaces[sw_if_index].name}-tx"]
        self._tx = node.data
        for worker in range(self._workers):
            record = self._tx[worker]
            pieces = self._fill(record, worker % self.queues, self.queues + worker)
            pieces[0] = (record["header"], VNET_SIZE)
        engine.poll_node(self._input)

    def _open(self) -> list[int]:
        def make() -> list[int]:
            fds = open_queues(self.host.name, self.queues, checksum_offload=self.offloads_checksums, gso=self.gso)
            try:
                # made anew it keeps its address: nobody who knows it need learn another
                self.host = replace(self.host, mac=configure(self.host))
            except BaseException:
                close_queues(fds)
                raise
            return fds

        return inside(self.host.namespace, make)

    def _fill(self, record: Any, queue: int, place: int) -> Any:
        """What a kernel sees of a queue, but its spill area; gives the first two pieces (`IOVEC`) of its transfers."""
        at = place * _SCRATCH
        record["fd"], record["sw_if_index"], record["gso"] = self._fds[queue], self.sw_if_index, self.gso
        record["gro"] = self.gro
        record["iov"] = self._region.address + at
        record["header"] = int(record["iov"]) + MAX_IOV * IOVEC.itemsize
        record["state"] = OPEN
        return self._region.view(IOVEC, at, 2)

    def wait_fds(self) -> Sequence[int]:
        """The queues, readable when the host has sent something (and when the host interface goes away)."""
        return self._fds

    def _records(self) -> list[Any]:
        return [self._tables.tables[w][s] for w, s in self._slots] + list(self._tx)

    def service(self) -> None:
        """Notice that the host interface is gone."""
        if self._fds and any(int(r["state"]) == GONE for r in self._records()):
            self._lose()

    def _lose(self) -> None:
        for record in self._records():
            record["state"] = GONE
        close_queues(self._fds)
        self._fds = []
        self.fault = f"host interface {self.host.name} is gone"
        log.warning("%s: %s; its link is down", self._engine.interfaces[self.sw_if_index].name, self.fault)
        self._engine.interfaces.set_link(self.sw_if_index, False)
        self._wait()

    def _wait(self) -> None:
        self._timer = self._engine.timers.at(self._engine.now + _RETRY, self._retry)

    def _retry(self, _: int) -> None:
        try:
            self._fds = self._open()
        except OSError as error:
            if str(error) != self.fault:
                self.fault = str(error)
                log.warning("%s: %s", self._engine.interfaces[self.sw_if_index].name, error.strerror or error)
            self._wait()
            return
        self.fault = None
        for number, record in enumerate(self._records()):
            queue = number if number < self.queues else (number - self.queues) % self.queues
            record["fd"], record["state"] = self._fds[queue], OPEN
        log.warning("%s: host interface %s is back", self._engine.interfaces[self.sw_if_index].name, self.host.name)
        self._engine.interfaces.set_link(self.sw_if_index, self._engine.interfaces.is_up(self.sw_if_index))

    def close(self) -> None:
        """The host interface goes, and is not made anew."""
        if self._timer is not None:
            self._timer.cancel()
        close_queues(self._fds)
        self._fds = []
        if not self._slots:
            return
        self._engine.gate.wake()  # while the packet thread sleeps on them, they are not quite closed
        for record in self._records():
            record["state"] = GONE
        for worker, slot in self._slots:
            self._tables.tables[worker][slot] = 0
            self._input.data[worker]["n_queues"] = self._tables.count(worker)
        self._slots = []
        self._region.close()
