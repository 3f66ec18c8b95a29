"""A DPDK port as an interface's device: a card by its PCI address, or one of DPDK's virtual devices.

The port is made by hotplug when the interface is added (bad parameters are an error then, with what DPDK logged), and
removed with it. Worker ``q % workers`` serves receive queue q; each worker has a transmit queue, or shares one where
the driver has fewer. Link state and what the driver lost are looked at in `service`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.device import NAP, Device
from vectorplane.backends.engine.dpdk import eal
from vectorplane.backends.engine.dpdk.interrupts import Interrupts
from vectorplane.backends.engine.dpdk.library import address_of, load
from vectorplane.backends.engine.dpdk.pool import DpdkPools
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.dpdk_queue import CLOSED, OPEN, DpdkQueues
from vectorplane.graph_nodes.mbuf import ARRAY
from vectorplane.jit.kernel import JIT

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

_ROOM = ARRAY + 64
_TAKE_SEGMENTS = ("net_af_packet", "net_memif", "net_null", "net_pcap", "net_ring")
"""Drivers that take packets of several segments, though (in some versions) they do not say so."""
_KEEP_PACKETS = ("net_ring",)
"""Drivers that forget what waits in them when they are closed."""
_LONGEST_NAP, _LOOK = 0.05, 0.1
"""Seconds: `DpdkPort.nap`."""
_QUEUES_ARE_FILES = ("net_pcap",)
"""Drivers whose queues are given by their parameters: all are served."""


@dataclass(frozen=True)
class Wish:
    """Settings of a port: queues None: one a worker; mtu None: the driver's; zero_copy False: packets are copied."""

    queues: int | None = None
    rx_ring: int = 1024
    tx_ring: int = 1024
    mtu: int | None = None
    zero_copy: bool = True


class DpdkPort(Device):
    """``name``: a PCI address, or a virtual device with its parameters (``net_pcap0,rx_pcap=in.pcap``).

    ``arguments``: EAL's; None: what fits (`eal.WITHOUT_CARDS`, `eal.WITH_CARDS`). They are the process's.

    Raises (from `attach`):
        BackendError: DPDK is missing or does not start, there is no such device, or it refuses a setting.
    """

    kind = "dpdk"
    tx_node = "dpdk-tx"

    def __init__(self, name: str, wish: Wish | None = None, arguments: Sequence[str] | None = None) -> None:
        self.device, _, self._parameters = name.partition(",")
        self.bus = "pci" if self.device.count(":") == 2 else "vdev"
        self.wish = wish or Wish()
        usual = eal.WITH_CARDS if self.bus == "pci" else eal.WITHOUT_CARDS
        self._arguments = usual if arguments is None else tuple(arguments)
        self.port = -1
        self.info: Any = None
        self.rx_queues = self.tx_queues = 0
        self.promiscuous = False
        self._slots: list[tuple[int, int]] = []
        self._seen: dict[str, int] = {}
        self._region: Region | None = None
        self._interrupts: Interrupts | None = None
        self._interrupted = 0

    def attach(self, engine: Engine, sw_if_index: int) -> None:
        """Make and start the port, join `dpdk-input`."""
        if not JIT:
            raise BackendError("DPDK: ports need compiled kernels: unset NUMBA_DISABLE_JIT")
        self.engine, self.sw_if_index = engine, sw_if_index
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        self._lib, self._ffi = load()
        eal.begin(self._arguments)
        eal.logged()
        port = int(self._lib.vp_port_add(self.bus.encode(), self.device.encode(), self._parameters.encode()))
        self._check(port, f"no port {self.device}" + (f" with {self._parameters}" if self._parameters else ""))
        self.port = port
        self.info = self._ffi.new("vp_info_t *")
        self._check(self._lib.vp_port_info(port, self.info), "it cannot be asked what it is")
        self._configure()
        self._fill_tx()
        self._check(self._lib.vp_port_start(port), "it does not start")
        if self.engine.clock == "real":
            self._interrupts = Interrupts.of(port, self.rx_queues)
            eal.logged()  # why there are none
        self._join()
        record = self.engine.interfaces.record(self.sw_if_index)
        self.set_promiscuous(True)  # an interface takes what is for it, as everywhere in the engine
        self.mac_changed(int(record["mac"]).to_bytes(8, "little")[:6])
        self._stats()

    def _check(self, result: int, what: str) -> None:
        if int(result) < 0:
            raise eal.explained(f"{self.device}: {what}", int(result))

    @property
    def driver(self) -> str:
        """Its driver's name."""
        return str(self._ffi.string(self.info.driver).decode())

    def _configure(self) -> None:
        info, wish, workers = self.info, self.wish, len(self.engine.plane.workers)
        if self.driver in _QUEUES_ARE_FILES:
            self.rx_queues, self.tx_queues = max(1, info.max_rx_queues), max(1, info.max_tx_queues)
        else:
            self.rx_queues = max(1, min(wish.queues or workers, info.max_rx_queues or 1))
            self.tx_queues = max(1, min(max(workers, self.rx_queues), info.max_tx_queues or 1))
        if wish.queues is not None and wish.queues > self.rx_queues:
            raise BackendError(f"DPDK: {self.device} has {self.rx_queues} receive queues, not {wish.queues}")
        pools = self.engine.plane.shared(DpdkPools)
        self.copies = not (wish.zero_copy and self._lib.vp_iova_is_va())
        self.pool = pools.own if self.copies else pools.cells
        if info.on_a_bus and not self.copies:
            memory = self.engine.plane.pool
            self._check(self._lib.vp_port_map(self.port, *memory.span), "buffers cannot be mapped for it")
        made = self._ffi.new("vp_wish_t *")
        made.rx_queues, made.tx_queues = self.rx_queues, self.tx_queues
        made.rx_ring, made.tx_ring = wish.rx_ring, wish.tx_ring
        made.rx_offloads = info.rx_offloads
        made.interrupts = self.engine.clock == "real"  # else nobody ever sleeps
        self._check(self._lib.vp_port_configure(self.port, made, self.pool), "it refuses its settings")
        if wish.mtu is not None:
            self._check(self._lib.vp_port_set_mtu(self.port, wish.mtu), f"it refuses the MTU {wish.mtu}")

    def _fill_tx(self) -> None:
        plane = self.engine.plane
        node = plane.graph[f"{self.engine.interfaces[self.sw_if_index].name}-tx"]
        workers = len(plane.workers)
        self._region = Region(workers * _ROOM + 64 * self.tx_queues, name=f"{node.name} mbufs")
        locks = self._region.address + workers * _ROOM
        chains = bool(self.info.tx_offloads & self._lib.VP_TX_SEGMENTS) or self.driver in _TAKE_SEGMENTS
        for w, r in enumerate(node.data):
            queue = w % self.tx_queues
            r["handle"] = self.port << 16 | queue
            r["lock"] = locks + 64 * queue if workers > self.tx_queues else 0
            r["mbufs"] = self._region.address + w * _ROOM
            r["pool"], r["copies"], r["chains"] = self.pool, int(self.copies), int(chains)
            for name in ("tx", "free", "alloc"):
                r[name] = address_of(f"vp_{name}")

    def _join(self) -> None:
        plane = self.engine.plane
        node = plane.graph.add("dpdk-input")
        queues = plane.shared(DpdkQueues)
        if not self.copies:
            node.data["pool"] = self.pool
        node.data["rx"], node.data["free"] = address_of("vp_rx"), address_of("vp_free")
        for q in range(self.rx_queues):
            worker = q % len(plane.workers)
            slot = queues.free_slot(worker)
            s = queues.tables[worker][slot]
            s["handle"], s["sw_if_index"], s["next"], s["tx_sw_if"] = self.port << 16 | q, self.sw_if_index, 0, -1
            s["state"] = OPEN
            self._slots.append((worker, slot))
            node.data["n_queues"][worker] = queues.count(worker)
        self.engine.poll_node(node)
        for w in range(len(plane.workers)):
            node.record(w)["next_time"] = 0

    def redirect(self, node: str | None, tx_sw_if: int = -1) -> None:
        """Send all that is received straight to a node, with this tx_sw_if (None: the usual way again)."""
        graph = self.engine.plane.graph
        slot = 0 if node is None else graph.add_next(graph["dpdk-input"], node)
        for worker, at in self._slots:
            s = self.engine.plane.shared(DpdkQueues).tables[worker][at]
            s["tx_sw_if"] = tx_sw_if
            s["next"] = slot

    # --- state

    def link(self) -> tuple[bool, int]:
        """Is there a link, and its speed in Mbit/s (0: unknown)."""
        made = self._ffi.new("vp_link_t *")
        self._lib.vp_port_link(self.port, made)
        return bool(made.up), int(made.mbps)

    def carrier(self) -> bool:
        """The driver's link."""
        if self.port < 0:
            return False
        up, mbps = self.link()
        self.link_speed = mbps * 1000
        return up

    def mac_changed(self, mac: bytes) -> None:
        """Tell the card, where it can have another address: the port is promiscuous, so nothing hangs on it."""
        if self.port >= 0 and any(mac):
            self._lib.vp_port_set_mac(self.port, mac)
            eal.logged()

    def set_promiscuous(self, on: bool) -> None:
        """Take frames for all addresses. Drivers that cannot choose take all."""
        self.promiscuous = self._lib.vp_port_set_promiscuous(self.port, int(on)) >= 0 and on

    def counters(self) -> dict[str, int]:
        """The driver's own."""
        made = self._ffi.new("vp_stats_t *")
        if self._lib.vp_port_stats(self.port, made) < 0:
            return {}
        return {name: int(getattr(made, name)) for name, _ in self._ffi.typeof("vp_stats_t").fields}

    def _stats(self) -> None:
        """Add what the driver lost since the last time to the interface's counters."""
        new = self.counters()
        grown = {k: max(0, n - self._seen.get(k, 0)) for k, n in new.items()}
        self._seen = new
        plane = self.engine.plane
        for name, lost in (
            ("rx-miss", grown.get("rx_missed", 0) + grown.get("rx_no_buffer", 0)),
            ("rx-error", grown.get("rx_errors", 0)),
            ("tx-error", grown.get("tx_errors", 0)),
        ):
            if lost:
                plane.if_stats[name].thread(0)[self.sw_if_index] += lost

    def service(self) -> None:
        """Counters and the link."""
        if self.port < 0:
            return
        self._stats()
        if self._interrupts is not None and self._interrupts.take():
            self._interrupted = self.engine.now
        interfaces = self.engine.interfaces
        if interfaces.is_up(self.sw_if_index):
            up = self.carrier()
            if up != interfaces.link_is_up(self.sw_if_index):
                interfaces.set_link(self.sw_if_index, up)

    def flush(self) -> None:
        """Counters, for runs that have no real time."""
        if self.port >= 0 and self.engine.clock != "real":
            self._stats()

    def wait_fds(self) -> Sequence[int]:
        """What tells of interrupts, where the driver has them."""
        return () if self._interrupts is None else (self._interrupts.fd,)

    def arm(self) -> bool:
        """Ask for interrupts; True when they were not asked for before: look once more, then sleep."""
        return self._interrupts is not None and self._interrupts.arm()

    def nap(self, idle: float) -> float | None:
        """Packets are looked for less and less often, without interrupts at least 20 times a second.

        With interrupts only the link and counters are left to be looked for; but net_tap's descriptor may be readable
        a little before its receive function believes it, so an interrupt begins it anew, too.
        """
        if self.port < 0:
            return None
        if self._interrupts is None:
            return min(_LONGEST_NAP, max(NAP, idle / 20))
        return min(_LOOK, max(NAP, min(idle, (self.engine.now - self._interrupted) / 1e9) / 4))

    def close(self) -> None:
        """Stop the port, free what waits in it, and remove it."""
        if self._slots:
            queues = self.engine.plane.shared(DpdkQueues)
            for worker, slot in self._slots:
                queues.tables[worker][slot] = np.zeros((), queues.tables[worker].dtype)
                queues.tables[worker][slot]["state"] = CLOSED
            self._slots = []
        if self._interrupts is not None:
            self._interrupts.close()
            self._interrupts = None
        if self.port >= 0:
            port, self.port = self.port, -1
            if self._lib.vp_eal_state() != self._lib.VP_FORKED:
                if self.driver in _KEEP_PACKETS:
                    self._lib.vp_port_drain(port, self.rx_queues)
                self._lib.vp_port_stop(port)
                self._lib.vp_port_remove(port, self.bus.encode(), self.device.encode())
                eal.logged()
        if self._region is not None:
            self._region.close()
            self._region = None
