"""A device whose other end is an interface of the host, which may go away and come back.

When it goes, the link goes down and a line in the log says so; once a second it is tried again until it is there. The
queues of such a device are records that an input node of its kind looks through (`HostQueues`).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.devices import is_host_name
from vectorplane.backends.engine.device import Device
from vectorplane.graph_nodes.host_queue import GONE

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.timers import Timer
    from vectorplane.graph_nodes.host_queue import HostQueues

log = logging.getLogger(__name__)
RETRY = 1_000_000_000
"""Time between two attempts to have the host's interface again, ns."""


class HostDevice(Device):
    """The base. ``queues``: receive queues; worker ``q % workers`` reads queue q, worker w sends by ``w % queues``.

    Raises:
        ValueError: a number out of range, or a name that no interface of Linux has.
    """

    numbered_mac = False  # other routers may be in the same Ethernet, and the host's own stack is
    title = "a device of the host"
    """What it is, in a sentence."""
    input_node = ""
    """The input node that reads its queues."""
    queue_tables: type[Any]
    """Where they are: a `HostQueues` that takes the dataplane only."""

    def __init__(self, host_name: str, queues: int) -> None:
        if not 1 <= queues <= 64:
            raise ValueError(f"{self.kind}: queues {queues} is not within 1 to 64")
        if not is_host_name(host_name):
            raise ValueError(f"{self.kind}: {host_name!r} is no name that an interface of Linux can have")
        self.host_name, self.queues = host_name, queues
        self.rx_records: list[Any] = []
        self.tx_records: list[Any] = []
        """What the kernels see: the receive queues, and what each worker sends by."""
        self._slots: list[tuple[int, int]] = []
        self._timer: Timer | None = None

    # --- what each kind does its own way

    def open_host(self) -> None:
        """Have the host's interface. Raises OSError, the message says why not; nothing is left open then."""
        raise NotImplementedError

    def let_go(self) -> None:
        """Close what `open_host` opened, if anything."""
        raise NotImplementedError

    def tell_kernels(self) -> None:
        """Write what `open_host` opened into the records, and mark them `OPEN`."""
        raise NotImplementedError

    # --- what all share

    def join(self, engine: Engine, sw_if_index: int) -> None:
        """Have the host's interface and places in the input node's tables.

        Raises:
            BackendError: the engine's time is not real, as the host's is.
            OSError: the host's interface can't be had.
        """
        if engine.clock != "real":
            raise BackendError(f"{self.title} needs real time: use `vectorplane run`")
        self._engine, self.sw_if_index = engine, sw_if_index
        self.open_host()
        try:
            self._take_places(engine)
        except BaseException:
            self.close()
            raise
        self.tx_records = list(engine.plane.graph[f"{self.name()}-tx"].data[: len(engine.plane.workers)])

    def _take_places(self, engine: Engine) -> None:
        """Places for the receive queues, which are not read yet."""
        workers = len(engine.plane.workers)
        self._input = engine.plane.graph.add(self.input_node)
        self._tables: HostQueues = engine.plane.shared(self.queue_tables)
        for q in range(self.queues):
            worker = q % workers
            slot = self._tables.free_slot(worker)
            self._slots.append((worker, slot))
            record = self._tables.tables[worker][slot]
            record["state"] = GONE  # taken, and not to be read yet
            self.rx_records.append(record)
            self._input.data[worker]["n_queues"] = self._tables.count(worker)

    def name(self) -> str:
        """The interface's name here."""
        return self._engine.interfaces[self.sw_if_index].name

    def is_lost(self) -> bool:
        """Did a kernel find the host's interface gone?"""
        return any(int(r["state"]) == GONE for r in (*self.rx_records, *self.tx_records))

    def lose(self, fault: str) -> None:
        """The host's interface is gone: link down, and try again."""
        for record in (*self.rx_records, *self.tx_records):
            record["state"] = GONE
        self.let_go()
        self.fault = fault
        log.warning("%s: %s; its link is down", self.name(), fault)
        self._engine.interfaces.set_link(self.sw_if_index, False)
        self.wait(self._retry)

    def wait(self, then: Any) -> None:
        """Have ``then`` called in a second, instead of what was waited for."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._engine.timers.at(self._engine.now + RETRY, then)

    def _retry(self, _: int) -> None:
        try:
            self.open_host()
        except OSError as error:
            fault = error.strerror or str(error)
            if fault != self.fault:
                self.fault = fault
                log.warning("%s: %s", self.name(), fault)
            self.wait(self._retry)
            return
        self.fault = None
        self.tell_kernels()
        log.warning("%s: host interface %s is back", self.name(), self.host_name)
        up = self._engine.interfaces.is_up(self.sw_if_index) and self.carrier()
        self._engine.interfaces.set_link(self.sw_if_index, up)

    def close(self) -> None:
        """Let go of the host's interface, and of the places in the tables."""
        if self._timer is not None:
            self._timer.cancel()
        for record in (*self.rx_records, *self.tx_records):
            record["state"] = GONE
        self.let_go()
        for worker, slot in self._slots:
            self._tables.tables[worker][slot] = 0
            self._input.data[worker]["n_queues"] = self._tables.count(worker)
        self._slots, self.rx_records, self.tx_records = [], [], []
