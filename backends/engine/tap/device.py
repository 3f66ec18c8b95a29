"""A tap as an interface's device: what is sent here, an interface of the host receives, and the other way round.

The host interface lives as long as the device; when somebody deletes it, or its namespace, it is made anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vectorplane.backends.engine.host.device import HostDevice
from vectorplane.backends.engine.host.namespace import inside
from vectorplane.backends.engine.tap.host_link import HostLink, configure
from vectorplane.backends.engine.tap.tun import close_queues, open_queues
from vectorplane.dataplane.buffer import DATA_SIZE
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.host_queue import IOVEC, OPEN
from vectorplane.graph_nodes.tap_queue import MAX_IOV, SPILL_BYTES, TapQueues
from vectorplane.graph_nodes.vnet_header import VNET_SIZE

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

_SCRATCH = MAX_IOV * IOVEC.itemsize + 64
"""Memory of a queue in one direction: its iovec, its vnet header."""


_F_GSO, _F_CHECKSUMS, _F_GRO = 1, 2, 32
"""Of VPP's API."""


class TapDevice(HostDevice):
    """A tap. ``queues`` pairs of queues.

    Raises:
        ValueError: a number out of range, or a host name that Linux does not take.
    """

    kind = "tap"
    title = "a tap"
    tx_node = "tap-tx"
    input_node = "tap-input"
    queue_tables = TapQueues
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
        super().__init__(link.name, queues)
        if gro and not gso:
            raise ValueError("tap: gro needs gso: a host that cuts TCP")
        self.host = link
        self.offloads_checksums, self.gso, self.gro = checksum_offload, gso, gro
        self.cuts_tcp = gso
        flags = (_F_GSO if gso else _F_CHECKSUMS if checksum_offload else 0) | (_F_GRO if gro else 0)
        self.asked: dict[str, int] = {"tx_ring_sz": 256, "rx_ring_sz": 256, "tap_flags": flags}
        """What VPP's API tells of it and we have no use for."""
        self._fds: list[int] = []
        self._region: Region | None = None

    def carrier(self) -> bool:
        """Is the host interface there?"""
        return bool(self._fds)

    def attach(self, engine: Engine, sw_if_index: int) -> None:
        """Make the host interface and join `tap-input`.

        Raises:
            BackendError: the engine's time is not real, as the host's is.
            OSError: the host interface can't be had.
        """
        self.join(engine, sw_if_index)
        places = self.queues + len(self.tx_records)
        self._region = Region(places * _SCRATCH + self.queues * SPILL_BYTES, name="tap queues of an interface")
        spills = self._region.address + places * _SCRATCH
        for q, record in enumerate(self.rx_records):
            record["spill"] = spills + q * SPILL_BYTES
            pieces = self._fill(self._region, record, q)
            pieces[:] = [(0, VNET_SIZE + DATA_SIZE), (record["spill"], SPILL_BYTES)]
        for worker, record in enumerate(self.tx_records):
            pieces = self._fill(self._region, record, self.queues + worker)
            pieces[0] = (record["header"], VNET_SIZE)
        self.tell_kernels()
        engine.poll_node(self._input)

    def open_host(self) -> None:
        """Make the host interface."""

        def make() -> list[int]:
            fds = open_queues(self.host.name, self.queues, checksum_offload=self.offloads_checksums, gso=self.gso)
            try:
                # made anew it keeps its address: nobody who knows it need learn another
                self.host = replace(self.host, mac=configure(self.host))
            except BaseException:
                close_queues(fds)
                raise
            return fds

        self._fds = inside(self.host.namespace, make)

    def let_go(self) -> None:
        """The host interface goes with its queues."""
        close_queues(self._fds)
        self._fds = []

    def tell_kernels(self) -> None:
        """The file descriptors: pairs of queues."""
        for records in (self.rx_records, self.tx_records):
            for number, record in enumerate(records):
                record["fd"], record["state"] = self._fds[number % self.queues], OPEN

    def _fill(self, region: Region, record: Any, place: int) -> Any:
        """What a kernel sees of a queue, but its spill area; gives the first two pieces (`IOVEC`) of its transfers."""
        at = place * _SCRATCH
        record["sw_if_index"], record["gso"], record["gro"] = self.sw_if_index, self.gso, self.gro
        record["iov"] = region.address + at
        record["header"] = int(record["iov"]) + MAX_IOV * IOVEC.itemsize
        return region.view(IOVEC, at, 2)

    def wait_fds(self) -> Sequence[int]:
        """The queues, readable when the host has sent something (and when the host interface goes away)."""
        return self._fds

    def service(self) -> None:
        """Notice that the host interface is gone."""
        if self._fds and self.is_lost():
            self.lose(f"host interface {self.host.name} is gone")

    def close(self) -> None:
        """The host interface goes, and is not made anew."""
        super().close()
        if self._region is not None:
            self._engine.gate.wake()  # while the packet thread sleeps on them, the queues are not quite closed
            self._region.close()
            self._region = None
