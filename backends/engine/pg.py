"""Packet-generator interfaces: streams of given packets in, what is transmitted out as a list (or a capture)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.backends.engine.device import Device
from vectorplane.dataplane.abi import NEVER
from vectorplane.graph_nodes.capture_tx import TxChunks
from vectorplane.graph_nodes.packet_source import ENDED, MAX_SOURCES, READY
from vectorplane.graph_nodes.pg_input import PgStreams
from vectorplane.jit import twin
from vectorplane.jit.kernel import JIT
from vectorplane.pcap.index import RECORD
from vectorplane.pcap.record import HEADER

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

_SLACK = 64  # receive copies in steps of 32 bytes


@dataclass
class Stream:
    """Packets that pg-input sends into an interface, over and over until `limit` are sent."""

    name: str
    sw_if_index: int
    limit: int
    record: Any
    data: npt.NDArray[np.uint8] = field(repr=False)
    records: npt.NDArray[Any] = field(repr=False)

    @property
    def sent(self) -> int:
        """Packets sent since the stream was enabled last."""
        return self.limit - int(self.record["remaining"])


class PacketGenerator:
    """The streams of an engine (``packet-generator new / enable / delete``)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.streams: dict[str, Stream] = {}
        self._slots: dict[str, tuple[int, int]] = {}

    def add(
        self,
        name: str,
        sw_if_index: int,
        packets: Sequence[bytes],
        *,
        limit: int | None = None,
        max_frame: int = 0,
        worker: int = 0,
    ) -> Stream:
        """A stream, not enabled yet. ``limit``: packets in all (default: each packet once; 0: without end).

        Raises:
            ValueError: a stream of that name exists, or there are no packets.
        """
        if name in self.streams:
            raise ValueError(f"packet generator stream {name} exists")
        if not packets:
            raise ValueError(f"packet generator stream {name} has no packets")
        plane = self._engine.plane
        node = plane.graph.add("pg-input")
        self._engine.poll_node(node)
        table = plane.shared(PgStreams).tables[worker]
        used = {s for w, s in self._slots.values() if w == worker}
        slot = next(i for i in range(MAX_SOURCES) if i not in used)
        self._slots[name] = (worker, slot)
        node.data["n_sources"][worker] = max(int(node.data["n_sources"][worker]), slot + 1)
        data = np.frombuffer(b"".join(packets) + bytes(_SLACK), np.uint8).copy()
        records = np.zeros(len(packets), RECORD)
        sizes = np.array([len(p) for p in packets], np.int64)
        records["caplen"] = records["wirelen"] = sizes
        records["offset"] = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        if not JIT:
            twin.register(data.ctypes.data, data.nbytes, f"stream {name}")
            twin.register(records.ctypes.data, records.nbytes, f"stream {name} records")
        s = table[slot]
        s["data"], s["records"], s["count"] = data.ctypes.data, records.ctypes.data, len(packets)
        s["sw_if_index"], s["state"], s["loop"], s["queue"] = sw_if_index, ENDED, 1, -1
        s["max_frame"], s["burst"] = max_frame, 0
        s["position"] = s["remaining"] = 0
        total = len(packets) if limit is None else (limit or NEVER)
        self.streams[name] = stream = Stream(name, sw_if_index, total, s, data, records)
        return stream

    def enable(self, name: str | None = None) -> None:
        """Start one stream, or all."""
        for stream in [self.streams[name]] if name else list(self.streams.values()):
            stream.record["position"] = 0
            stream.record["remaining"] = stream.limit
            stream.record["state"] = READY
        now = self._engine.now
        node = self._engine.plane.graph["pg-input"]
        for w in range(len(self._engine.plane.workers)):
            node.record(w)["next_time"] = now

    def interleave(self, names: Sequence[str], burst: int = 1) -> None:
        """Let these streams take turns within a vector, ``burst`` packets at a time."""
        for name in names:
            self.streams[name].record["burst"] = burst

    def disable(self, name: str | None = None) -> None:
        """Stop one stream, or all."""
        for stream in [self.streams[name]] if name else list(self.streams.values()):
            stream.record["state"] = ENDED

    def delete(self, name: str) -> None:
        """Forget a stream."""
        stream = self.streams.pop(name)
        stream.record["state"] = ENDED
        del self._slots[name]


class PgDevice(Device):
    """A packet-generator interface; `transmitted` gives what went out of it."""

    tx_node = "capture-tx"

    def __init__(self) -> None:
        self._chunks: TxChunks | None = None
        self._sent: list[tuple[int, bytes]] = []

    def attach(self, engine: Engine, sw_if_index: int) -> None:
        """Give the transmit node its memory."""
        self._chunks = TxChunks(engine.plane.graph[f"{engine.interfaces[sw_if_index].name}-tx"])

    def flush(self) -> None:
        """Take over what was transmitted."""
        assert self._chunks is not None
        data, count = self._chunks.take()
        raw = data.tobytes()
        at = 0
        for _ in range(count):
            seconds, ns, size = (int.from_bytes(raw[at + k : at + k + 4], "little") for k in (0, 4, 8))
            self._sent.append((seconds * 1_000_000_000 + ns, raw[at + HEADER : at + HEADER + size]))
            at += HEADER + size

    def transmitted(self) -> list[tuple[int, bytes]]:
        """(time in ns, frame) of everything sent since the last call."""
        self.flush()
        sent, self._sent = self._sent, []
        return sent

    def close(self) -> None:
        """Give the memory back."""
        if self._chunks is not None:
            self._chunks.close()
