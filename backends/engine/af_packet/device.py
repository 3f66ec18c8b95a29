"""An interface of the host as an interface's device, by packet sockets: VPP's host-interfaces.

What the host's interface receives is received here (and by the host, unless it has nothing to do with it), what is sent
here it sends. It is brought up; its link and its MTU are followed. When it is deleted, or its namespace is, it is
waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vectorplane.backends.engine.af_packet.host_interface import Found, LinkWatch, bring_up
from vectorplane.backends.engine.af_packet.packet_socket import (
    ALL_MULTICAST,
    BLOCK_SIZE,
    BLOCKS,
    PROMISCUOUS,
    STATION,
    PacketSocket,
    open_sockets,
)
from vectorplane.backends.engine.host.device import HostDevice
from vectorplane.backends.engine.host.namespace import identity, inside
from vectorplane.dataplane import interface as records
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.af_packet_queue import MESSAGE, PIECES, SCRATCH, AfPacketQueues
from vectorplane.graph_nodes.host_queue import IOVEC, OPEN
from vectorplane.graph_nodes.vnet_header import VNET_SHORT

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


class AfPacketDevice(HostDevice):
    """The interface ``host_name`` of the host, or of its network namespace ``namespace`` (a name, or a path).

    ``checksum_offload``: frames have vnet headers, so that checksums and segmentation that the host leaves to its cards
    are known of (they are done here). ``gso``: TCP over IPv4 that is to be cut stays whole, here and on transmit.
    ``qdisc_bypass``: what is sent does not queue in the host.

    Raises:
        ValueError: a number out of range, a name that no interface of Linux has, or ``gso`` without vnet headers.
    """

    kind = "af-packet"
    title = "an af_packet interface"
    tx_node = "af-packet-tx"
    input_node = "af-packet-input"
    queue_tables = AfPacketQueues

    def __init__(
        self,
        host_name: str,
        *,
        namespace: str | None = None,
        queues: int = 1,
        checksum_offload: bool = True,
        gso: bool = False,
        qdisc_bypass: bool = True,
    ) -> None:
        super().__init__(host_name, queues)
        if gso and not checksum_offload:
            raise ValueError(f"{self.kind}: gso needs checksum_offload")
        self.namespace, self.gso, self.qdisc_bypass = namespace, gso, qdisc_bypass
        self.cuts_tcp = gso
        self._vnet = VNET_SHORT if checksum_offload else 0
        self._sockets: list[PacketSocket] = []
        self._watch: LinkWatch | None = None
        self._found: Found | None = None
        self._identity: object = None
        self._scratch: Region | None = None
        self._in_l2 = False
        self._taken: tuple[int, bytes] | None = None

    def carrier(self) -> bool:
        """Has the host's interface a link?"""
        return self._found is not None and self._found.carrier

    def attach(self, engine: Engine, sw_if_index: int) -> None:
        """Bring the host's interface up and join `af-packet-input`.

        Raises:
            BackendError: the engine's time is not real, as the host's is.
            OSError: the host's interface can't be had.
        """
        self.join(engine, sw_if_index)
        self._scratch = Region(len(self.tx_records) * SCRATCH, name="messages of packet sockets")
        for worker, record in enumerate(self.tx_records):
            record["messages"] = self._scratch.address + worker * SCRATCH
            record["iov"] = int(record["messages"]) + 256 * MESSAGE.itemsize
            record["headers"] = int(record["iov"]) + PIECES * IOVEC.itemsize
        self.tell_kernels()
        engine.poll_node(self._input)

    def open_host(self) -> None:
        """Bring it up, and have its sockets."""

        def make() -> None:
            found = bring_up(self.host_name)
            watch = LinkWatch(found)
            try:
                self._sockets = open_sockets(self.host_name, self.queues, vnet=self._vnet > 0, bypass=self.qdisc_bypass)
            except BaseException:
                watch.close()
                raise
            self._found, self._watch, self._taken = found, watch, None

        self._identity = identity(self.namespace)
        inside(self.namespace, make)

    def let_go(self) -> None:
        """Close the sockets; the host's interface stays as it is."""
        for each in self._sockets:
            each.close()
        if self._watch is not None:
            self._watch.close()
        self._sockets, self._watch, self._found = [], None, None

    def tell_kernels(self) -> None:
        """The sockets and rings, from their beginning."""
        for record, each in zip(self.rx_records, self._sockets, strict=True):
            record["ring"], record["block_size"], record["blocks"] = each.address, BLOCK_SIZE, BLOCKS
            record["block"] = record["left"] = record["at"] = record["done"] = 0
            record["fd"] = each.fileno()
        for worker, record in enumerate(self.tx_records):
            record["fd"] = self._sockets[worker % self.queues].fileno()
        for record in (*self.rx_records, *self.tx_records):
            record["sw_if_index"], record["vnet"], record["gso"] = self.sw_if_index, self._vnet, self.gso
            record["state"] = OPEN
        self._take_frames()
        if self._found is not None:
            self._engine.interfaces.follow_link_mtu(self.sw_if_index, self._found.mtu)
        if self.namespace is not None:
            self.wait(self._look_for_namespace)

    def _look_for_namespace(self, _: int) -> None:
        """A namespace lives on while we have sockets in it: that its name is gone, or another's, tells nobody."""
        if identity(self.namespace) != self._identity:
            self.lose(f"network namespace {self.namespace} is gone")
        else:
            self.wait(self._look_for_namespace)

    def _take_frames(self) -> None:
        """Have the host's interface take the frames that are for us: what `ethernet-input` drops need not come."""
        if not self._sockets or self._found is None:
            return
        first, index = self._sockets[0], self._found.index
        record = self._engine.interfaces.record(self.sw_if_index)
        mac = int(record["mac"]).to_bytes(8, "little")[:6]
        everything = self._in_l2 or bool(int(record["flags"]) & records.PROMISCUOUS)
        wanted = (PROMISCUOUS, b"") if everything else (STATION, mac)
        if self._taken is None:
            first.ask(index, ALL_MULTICAST)
        elif self._taken != wanted:
            first.ask(index, *self._taken, add=False)
        if self._taken != wanted:
            first.ask(index, *wanted)
        self._taken = wanted

    def mac_changed(self, mac: bytes) -> None:
        """Take frames for another address."""
        self._take_frames()

    def promiscuous_changed(self) -> None:
        """Take frames for all addresses, or no more."""
        self._take_frames()

    def joins_l2(self) -> None:
        """A bridge's port takes everything."""
        self._in_l2 = True
        self._take_frames()

    def wait_fds(self) -> Sequence[int]:
        """The sockets, readable when a block is ours (and when the interface goes down), and the watch."""
        watch = [self._watch.fileno()] if self._watch is not None else []
        return [*(each.fileno() for each in self._sockets), *watch]

    def service(self) -> None:
        """Follow the host's interface; count what found a ring full."""
        if self._watch is None:
            return
        for each in self._sockets:
            each.clear_error()
            missed = each.missed()
            if missed:
                self._engine.plane.if_stats["rx-miss"].thread(0)[self.sw_if_index] += missed
        found, before = self._watch.look(), self._found
        if found is None or self.is_lost():
            self.lose(f"host interface {self.host_name} is gone")
        elif found != before:
            self._found = found
            interfaces = self._engine.interfaces
            if before is None or found.mtu != before.mtu:
                interfaces.follow_link_mtu(self.sw_if_index, found.mtu)
            interfaces.set_link(self.sw_if_index, interfaces.is_up(self.sw_if_index) and found.carrier)

    def close(self) -> None:
        """Leave the host's interface."""
        super().close()
        if self._scratch is not None:
            self._scratch.close()
            self._scratch = None
