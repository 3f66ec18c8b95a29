"""A capture file as a port: what it holds is received, what the interface transmits goes into another file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from vectorplane.backends.engine.device import Device
from vectorplane.backends.engine.rss import classify_window
from vectorplane.dataplane.abi import NEVER
from vectorplane.graph_nodes.capture_input import CaptureSources
from vectorplane.graph_nodes.capture_tx import TxChunks
from vectorplane.graph_nodes.packet_source import EMPTY, ENDED, MAX_SOURCES, READY
from vectorplane.pcap.reader import CaptureReader
from vectorplane.pcap.writer import CaptureWriter

if TYPE_CHECKING:
    import os

    from vectorplane.backends.engine.engine import Engine

_PAUSE = 1_000_000
"""Between two rounds of a looped capture, ns: the first packet follows the last one after this."""


class CaptureSource:
    """One capture file as a source of `capture-input`, refilled window by window."""

    def __init__(self, engine: Engine, open_reader: Callable[[], CaptureReader], sw_if_index: int, loops: int) -> None:
        self._engine = engine
        self._open = open_reader
        self._loops = loops
        self._offset = 0
        self._first: int | None = None
        self._last = 0
        self.reader = open_reader()
        self.readers = [self.reader]
        self.packets = 0
        node = engine.plane.graph["capture-input"]
        tables = engine.plane.shared(CaptureSources).tables
        number = int(node.data["n_sources"][0])
        if number >= MAX_SOURCES:
            raise OverflowError(f"more than {MAX_SOURCES} captures")
        node.data["n_sources"] = number + 1
        self._records = [t[number] for t in tables]
        several = len(tables) > 1
        for worker, s in enumerate(self._records):
            s["sw_if_index"] = sw_if_index
            s["state"] = EMPTY
            s["remaining"] = NEVER
            s["queue"] = worker if several else -1
            s["mac"] = engine.interfaces.record(sw_if_index)["mac"]
        # also for one worker: what is kept by flow must not depend on their number
        self._classified = several or engine.clock != "fast"
        self.refill()

    @property
    def ended(self) -> bool:
        """No more packets will come."""
        return int(self._records[0]["state"]) == ENDED

    def refill(self) -> None:
        """Give `capture-input` the next window, when it has used up the last one."""
        if any(int(s["state"]) != EMPTY for s in self._records):
            return
        window = self.reader.next_window()
        while window is None and self._loops > 1 and self._last and not self.reader.damage:
            self._loops -= 1
            self._offset += self._last + _PAUSE - (self._first or 0)
            self.reader.close()
            self.reader = self._open()
            self.readers[:] = [self.reader]
            window = self.reader.next_window()
        if window is None:
            for s in self._records:
                s["state"] = ENDED
            return
        records = window.records
        if self._first is None:
            self._first = int(records["time"][0])
        self._last = max(self._last, int(records["time"].max()))
        self.packets += len(records)
        if self._classified:
            classify_window(window.address, records, len(self._records))
        for s in self._records:
            s["data"] = window.address
            s["records"] = records.ctypes.data
            s["count"] = len(records)
            s["position"] = 0
            s["time_offset"] = self._offset
            s["state"] = READY

    @property
    def first_time(self) -> int:
        """Time of the first packet, ns; 0 when there is none."""
        return self._first or 0

    def delay(self, ns: int) -> None:
        """Move all times of this source by ``ns``."""
        self._offset += ns
        for s in self._records:
            s["time_offset"] = self._offset

    def set_mac(self, mac: bytes) -> None:
        """The destination of made-up Ethernet headers."""
        for s in self._records:
            s["mac"] = int.from_bytes(mac, "little")

    def close(self) -> None:
        """Close the file; no more packets come."""
        for s in self._records:
            s["state"] = ENDED
        self.reader.close()


class CaptureDevice(Device):
    """Receives from capture files, transmits into one.

    ``rx``: paths (or open binary files) of captures, merged by time with all other captures of the engine; ``tx``: a
    path, or None when what is sent is only counted. ``loops``: how often each file is played.

    Raises (from `attach`, when the interface is added):
        CaptureError: a file cannot be read, or is no capture that can be replayed.
        OSError: the output cannot be written.
    """

    kind = "capture"

    def __init__(
        self,
        rx: Sequence[str | os.PathLike[str] | BinaryIO] = (),
        tx: str | os.PathLike[str] | None = None,
        *,
        strict: bool = False,
        loops: int = 1,
    ) -> None:
        self._rx = rx
        self._tx = tx
        self._strict = strict
        self._loops = loops
        self.sources: list[CaptureSource] = []
        self._chunks: TxChunks | None = None
        self._writer: CaptureWriter | None = None
        self.tx_node = "capture-tx" if tx is not None else "null-tx"

    def attach(self, engine: Engine, sw_if_index: int) -> None:
        """Open the files and join `capture-input`."""
        try:
            self._open(engine, sw_if_index)
        except BaseException:
            self.close()
            raise

    def _open(self, engine: Engine, sw_if_index: int) -> None:
        graph = engine.plane.graph
        if self._tx is not None:
            self._writer = CaptureWriter(self._tx)
            self._chunks = TxChunks(graph[f"{engine.interfaces[sw_if_index].name}-tx"])
        if self._rx:
            node = graph.add("capture-input")
            engine.poll_node(node)
            for path in self._rx:
                opener = partial(CaptureReader, path, strict=self._strict)
                self.sources.append(CaptureSource(engine, opener, sw_if_index, self._loops))
            for w in range(len(engine.plane.workers)):
                node.record(w)["next_time"] = 0

    def mac_changed(self, mac: bytes) -> None:
        """Packets without an Ethernet header of their own go to the new address."""
        for source in self.sources:
            source.set_mac(mac)

    def refill(self) -> None:
        """Next windows."""
        for source in self.sources:
            source.refill()

    def flush(self) -> None:
        """Append what was transmitted to the output file, whole records only."""
        if self._chunks is not None and self._writer is not None:
            data, records = self._chunks.take()
            if records:
                self._writer.write_records(data)

    def pending(self) -> bool:
        """Packets are left in a file."""
        return not all(s.ended for s in self.sources)

    def close(self) -> None:
        """Close all files."""
        for source in self.sources:
            source.close()
        if self._writer is not None:
            self.flush()
            self._writer.close()
        if self._chunks is not None:
            self._chunks.close()
