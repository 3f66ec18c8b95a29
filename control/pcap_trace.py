"""`pcap trace`: a capture of what interfaces receive and transmit, as VPP's dispatch capture takes it.

While it is on, a node of plain Python stands between the input nodes and `ethernet-input`, and between each
``NAME-output`` and ``NAME-tx``: one word in a next table leads to it, and leads past it again when it is off, so
that it costs nothing then. Packets without an Ethernet header (packet-generator interfaces of the modes ip4 and ip6) do
not pass `ethernet-input` and are not seen when they are received, as in VPP.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vectorplane.backends.engine.interfaces import ADDED
from vectorplane.dataplane.abi import INPUT
from vectorplane.dataplane.graph import Node
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.python_node import PythonPacket
from vectorplane.pcap.writer import CaptureWriter

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

NODE = "pcap-trace"
_RX_TARGET = "ethernet-input"
MAX_PACKETS = 1 << 20
ANY = 0
"""As interface: all of them."""


class PcapTraceState(ValueError):
    """It is on already, or off already."""


@dataclass(frozen=True)
class Settings:
    """What is captured: directions, the file, most packets, most bytes of each, one interface or `ANY`."""

    path: str
    rx: bool
    tx: bool
    most: int = 1000
    most_bytes: int = 512
    sw_if_index: int = ANY

    def __post_init__(self) -> None:
        if not 32 <= self.most_bytes <= 9000:
            raise ValueError("Max bytes per pkt must be > 32, < 9000...")
        if not 1 <= self.most <= MAX_PACKETS:
            raise ValueError(f"the number of packets must be within 1 to {MAX_PACKETS}")


class PcapTrace:
    """The capture of one engine; change it only while no worker runs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._spliced: list[tuple[Node, int, int]] = []
        self._packets: list[tuple[int, bytes, int]] = []
        self.settings: Settings | None = None
        """What is being captured; None: it is off."""
        engine.plane.graph.registry.add(NodeType(NODE, python=self._record, doc=__doc__ or ""))
        engine.interfaces.on_change.append(self._interface_changed)

    @property
    def captured(self) -> int:
        """Packets so far."""
        return len(self._packets)

    def start(self, settings: Settings) -> None:
        """Begin.

        Raises:
            PcapTraceState: it is on.
        """
        if self.settings is not None:
            raise PcapTraceState("dispatch trace already enabled...")
        self._packets.clear()
        self.settings = settings
        graph = self._engine.plane.graph
        if settings.rx:
            graph.add("pg-input")  # its streams may come later
            for node in [n for n in graph if n.type.kind == INPUT and _RX_TARGET in n.slots]:
                self._splice(node, _RX_TARGET, f"{NODE}-rx")
        if settings.tx:
            for interface in self._engine.interfaces.by_index.values():
                if not interface.is_sub:
                    self._splice_output(interface.sw_if_index)
        self._engine.link()

    def stop(self) -> tuple[int, str]:
        """End it and write the file, if anything was captured; gives the number of packets and the path.

        Raises:
            PcapTraceState: it is off.
            OSError, CaptureError: the file cannot be written.
        """
        settings = self.settings
        if settings is None:
            raise PcapTraceState("dispatch trace already disabled...")
        self.settings = None
        for node, slot, target in self._spliced:
            node.nexts[slot] = target
        self._spliced.clear()
        packets, self._packets = self._packets, []
        if packets:
            if os.path.lexists(settings.path):
                os.unlink(settings.path)  # VPP writes over it; a link must not lead elsewhere
            with CaptureWriter(settings.path) as writer:
                for time, data, size in sorted(packets, key=lambda p: p[0]):
                    writer.write(time, data, size)
        return len(packets), settings.path

    # --- inner works

    def _interface_changed(self, sw_if_index: int, what: str) -> None:
        wanted = what == ADDED and self.settings is not None and self.settings.tx
        if wanted and not self._engine.interfaces[sw_if_index].is_sub:
            self._splice_output(sw_if_index)

    def _splice_output(self, sw_if_index: int) -> None:
        graph = self._engine.plane.graph
        output = graph.nodes[int(self._engine.interfaces.record(sw_if_index)["output_node"])]
        target = next((n for n in output.slots if n.endswith("-tx")), None)
        if target is not None:
            self._splice(output, target, f"{NODE}-{target}")

    def _splice(self, node: Node, target: str, name: str) -> None:
        graph = self._engine.plane.graph
        between = graph.add(name, NODE)
        graph.add_next(between, target)
        slot = node.slots[target]
        self._spliced.append((node, slot, int(node.nexts[slot])))
        node.nexts[slot] = between.index

    def _record(self, packets: list[PythonPacket]) -> None:
        settings = self.settings
        if settings is None:
            return
        interfaces = self._engine.plane.interfaces.records
        with self._lock:  # several workers may be here
            for p in packets:
                if len(self._packets) >= settings.most:
                    return
                index = p.rx_sw_if if p.next == _RX_TARGET else p.tx_sw_if
                sup = int(interfaces[index]["sup"]) if index >= 0 else -1
                if settings.sw_if_index in (ANY, index, sup):
                    self._packets.append((p.time, p.data[: settings.most_bytes], len(p.data)))
