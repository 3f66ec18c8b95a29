"""The packet generator: streams of given packets into interfaces, and the interfaces made for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.backends.engine.pg_device import ETHERNET, PgDevice
from vectorplane.backends.engine.pg_file import read_packets
from vectorplane.dataplane.abi import FRAME_SIZE, NEVER
from vectorplane.graph_nodes.packet_source import ENDED, MAX_SOURCES, READY
from vectorplane.graph_nodes.pg_input import PgStreams
from vectorplane.jit import twin
from vectorplane.jit.kernel import JIT
from vectorplane.pcap.index import RECORD

if TYPE_CHECKING:
    import os

    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.interfaces import Interface

__all__ = ["PacketGenerator", "PgDevice", "Stream"]

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
    worker: int = 0

    @property
    def sent(self) -> int:
        """Packets sent since the stream was enabled last."""
        return self.limit - int(self.record["remaining"])

    @property
    def active(self) -> bool:
        """Are packets still to come?"""
        return int(self.record["state"]) == READY

    @property
    def sizes(self) -> tuple[int, int]:
        """Bytes of the shortest and of the longest packet."""
        return int(self.records["caplen"].min()), int(self.records["caplen"].max())


class PacketGenerator:
    """The streams of an engine (``packet-generator new / enable / delete``) and its interfaces ``pgN``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.streams: dict[str, Stream] = {}
        self._slots: dict[str, tuple[int, int]] = {}

    # --- interfaces

    def create_interface(self, number: int, mode: str = ETHERNET, **options: Any) -> Interface:
        """The interface ``pgN``; when it is there already that one, whatever its mode (as in VPP).

        ``options``: those of `PgDevice` (by default nothing is kept for `transmitted`); ``mac``.

        Raises:
            ValueError: no such mode, or an interface of another kind has the name.
        """
        name, mac = f"pg{number}", options.pop("mac", None)
        interfaces = self._engine.interfaces
        if name in self._engine.plane.interfaces.by_name:
            found = interfaces[name]
            if isinstance(found.device, PgDevice):
                return found
        return interfaces.add(name, mac=mac, device=PgDevice(mode, **{"keep": 0, **options}))

    def delete_interface(self, sw_if_index: int) -> None:
        """Remove an interface ``pgN`` (a sub-interface stands for it, as in VPP). Raises `KeyError`: it is none."""
        self.device(sw_if_index)
        self._engine.interfaces.remove(self._engine.interfaces[sw_if_index].sup)

    def device(self, sw_if_index: int) -> PgDevice:
        """The device of an interface ``pgN``. Raises `KeyError`: it is none."""
        device = self._engine.interfaces[sw_if_index].device
        if not isinstance(device, PgDevice):
            raise KeyError(f"interface {self._engine.interfaces[sw_if_index].name} is no packet-generator interface")
        return device

    def capture(self, sw_if_index: int, path: str | os.PathLike[str], count: int = 0) -> None:
        """Write what the interface transmits into a capture file; see `PgDevice.start_capture`.

        Raises:
            KeyError: it is no packet-generator interface.
            FileExistsError: the file is there.
        """
        self.device(sw_if_index).start_capture(path, count)

    def capture_stop(self, sw_if_index: int) -> None:
        """No longer; the file is complete and closed. Raises `KeyError`: it is no packet-generator interface."""
        self.device(sw_if_index).stop_capture()

    def interface_removed(self, sw_if_index: int) -> None:
        """The interface goes: its streams do too."""
        for name in [n for n, s in self.streams.items() if s.sw_if_index == sw_if_index]:
            self.delete(name)

    # --- streams

    def add(
        self,
        name: str,
        sw_if_index: int,
        packets: Sequence[bytes],
        *,
        limit: int | None = None,
        max_frame: int = 0,
        worker: int = 0,
        node: str | None = None,
    ) -> Stream:
        """A stream, not enabled yet; one of the same name goes. ``limit``: packets in all (default: each packet once;
        0: without end). ``node`` gets the packets (default: what takes the packets of the interface).

        Raises:
            KeyError: no such interface or node.
            ValueError: there are no packets, or too many streams.
        """
        if not packets:
            raise ValueError(f"packet generator stream {name} has no packets")
        device = self._engine.interfaces[sw_if_index].device
        if name in self.streams:
            self.delete(name)
        worker = worker if worker < len(self._engine.plane.workers) else 0
        plane = self._engine.plane
        input_node = plane.graph.add("pg-input")
        node = node or (device.input_node if isinstance(device, PgDevice) else "ethernet-input")
        following = plane.graph.add_next(input_node, node)
        self._engine.poll_node(input_node)
        slot = self._free_slot(worker)
        self._slots[name] = (worker, slot)
        input_node.data["n_sources"][worker] = max(int(input_node.data["n_sources"][worker]), slot + 1)
        data = np.frombuffer(b"".join(packets) + bytes(_SLACK), np.uint8).copy()
        records = np.zeros(len(packets), RECORD)
        sizes = np.array([len(p) for p in packets], np.int64)
        records["caplen"] = records["wirelen"] = sizes
        records["offset"] = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        if not JIT:
            twin.register(data.ctypes.data, data.nbytes, f"stream {name}")
            twin.register(records.ctypes.data, records.nbytes, f"stream {name} records")
        s = plane.shared(PgStreams).tables[worker][slot]
        s["data"], s["records"], s["count"] = data.ctypes.data, records.ctypes.data, len(packets)
        s["sw_if_index"], s["state"], s["loop"], s["queue"] = sw_if_index, ENDED, 1, -1
        s["max_frame"], s["burst"] = min(max_frame, FRAME_SIZE), 0
        total = len(packets) if limit is None else (limit or NEVER)
        s["position"], s["remaining"] = 0, total
        s["next"] = following
        s["offload"], s["gso_size"] = (device.offloads, device.gso_size) if isinstance(device, PgDevice) else (0, 0)
        self.streams[name] = stream = Stream(name, sw_if_index, total, s, data, records, worker)
        return stream

    def add_pcap(
        self,
        name: str,
        source_sw_if_index: int,
        path: str | os.PathLike[str],
        *,
        limit: int = 0,
        max_frame: int = 0,
        worker: int = 0,
        node: str | None = None,
    ) -> Stream:
        """A stream of a capture file's packets. ``limit``: packets in all (0: each once).

        Raises:
            KeyError: no such interface or node.
            CaptureError: the file cannot be read.
            ValueError: it has no packets.
        """
        interface = self._engine.interfaces[source_sw_if_index]
        packets = read_packets(path, interface.mac if interface.device.ethernet else None)
        return self.add(
            name, source_sw_if_index, packets, limit=limit or None, max_frame=max_frame, worker=worker, node=node
        )

    def enable(self, name: str | None = None) -> None:
        """Start one stream, or all; their packet-generator interfaces go up (as in VPP). Raises `KeyError`."""
        interfaces = self._engine.interfaces
        for stream in self._named(name):
            if stream.active:
                continue
            device = interfaces[stream.sw_if_index].device
            if isinstance(device, PgDevice):
                interfaces.set_up(interfaces[stream.sw_if_index].sup)
                interfaces.set_link(stream.sw_if_index, True)
            stream.record["position"] = 0
            stream.record["remaining"] = stream.limit
            stream.record["state"] = READY
        if not self.streams:
            return
        now = self._engine.now
        node = self._engine.plane.graph["pg-input"]
        for w in range(len(self._engine.plane.workers)):
            node.record(w)["next_time"] = now

    def interleave(self, names: Sequence[str], burst: int = 1) -> None:
        """Let these streams take turns within a vector, ``burst`` packets at a time."""
        for name in names:
            self.streams[name].record["burst"] = burst

    def disable(self, name: str | None = None) -> None:
        """Stop one stream, or all. Raises `KeyError`."""
        for stream in self._named(name):
            stream.record["state"] = ENDED

    def active(self, name: str | None = None) -> bool:
        """Has a stream (or any) packets to send? When all are done, capture files have what was transmitted.

        Raises:
            KeyError: no such stream.
        """
        found = any(s.active for s in self._named(name))
        if not any(s.active for s in self.streams.values()):
            for device in self._engine.devices():
                if isinstance(device, PgDevice):
                    device.flush()
        return found

    def delete(self, name: str) -> None:
        """Forget a stream. Raises `KeyError`."""
        stream = self.streams.pop(name)
        stream.record["state"] = ENDED
        stream.record["count"] = 0
        if not JIT:
            twin.unregister(stream.data.ctypes.data)
            twin.unregister(stream.records.ctypes.data)
        del self._slots[name]

    # --- inner works

    def _named(self, name: str | None) -> list[Stream]:
        return [self.streams[name]] if name is not None else list(self.streams.values())

    def _free_slot(self, worker: int) -> int:
        used = {s for w, s in self._slots.values() if w == worker}
        if len(used) == MAX_SOURCES:
            raise ValueError(f"more than {MAX_SOURCES} packet generator streams")
        return next(i for i in range(MAX_SOURCES) if i not in used)
