"""The device of a packet-generator interface: what it transmits is kept, or goes into a capture file."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING

from vectorplane.backends.engine.device import Device
from vectorplane.backends.engine.pg_capture import PgCapture
from vectorplane.dataplane.buffer import OFFLOAD_IP_CHECKSUM, OFFLOAD_L4_CHECKSUM
from vectorplane.graph_nodes.capture_tx import TxChunks
from vectorplane.pcap.record import HEADER

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

ETHERNET, IP4, IP6 = MODES = ("ethernet", "ip4", "ip6")
_INPUT = {ETHERNET: "ethernet-input", IP4: "ip4-input", IP6: "ip6-input"}


class PgDevice(Device):
    """A packet-generator interface; `transmitted` gives what went out of it while nothing was captured into a file.

    In the modes ``ip4`` and ``ip6`` its packets have no Ethernet header. With ``checksum_offload`` the packets that it
    receives leave the IPv4, TCP and UDP checksums to whoever transmits them; with ``gso_size`` also the cutting of TCP
    into segments of that size, for which it can then be used itself. ``keep``: how many packets `transmitted` remembers
    (the oldest are forgotten first).

    Raises:
        ValueError: there is no such mode.
    """

    kind = "pg"
    tx_node = "pg-tx"

    def __init__(
        self, mode: str = ETHERNET, *, checksum_offload: bool = False, gso_size: int = 0, keep: int = 1 << 20
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"packet generator: mode {mode!r} is not one of {', '.join(MODES)}")
        self.mode = mode
        self.ethernet = mode == ETHERNET
        self.default_mtu = Device.default_mtu if self.ethernet else 0
        self.gso_size, self.cuts_tcp = gso_size, gso_size > 0
        self.offloads = OFFLOAD_IP_CHECKSUM | OFFLOAD_L4_CHECKSUM if checksum_offload else 0
        """Buffer flags of what it receives."""
        self.input_node = _INPUT[mode]
        self.capture: PgCapture | None = None
        self._chunks: TxChunks | None = None
        self._sent: deque[tuple[int, bytes]] = deque(maxlen=keep)

    def attach(self, engine: Engine, sw_if_index: int) -> None:
        """Give the transmit node its memory."""
        node = engine.plane.graph[f"{engine.interfaces[sw_if_index].name}-tx"]
        self._chunks = TxChunks(node)
        node.data["gso"] = int(self.gso_size > 0)

    def start_capture(self, path: str | os.PathLike[str], count: int = 0) -> None:
        """Write what is transmitted from now on to ``path`` (at most ``count`` packets, 0: all), made with the first.

        Raises:
            FileExistsError: it is there.
        """
        if os.path.lexists(path):
            raise FileExistsError(f"pcap file '{os.fspath(path)}' already exists.")
        self.stop_capture()
        self._sent.clear()
        self.capture = PgCapture(path, linktype=1 if self.ethernet else 12, count=count)

    def stop_capture(self) -> None:
        """Write out what is left and close the file."""
        self.flush()
        if self.capture is not None:
            self.capture.close()
            self.capture = None

    def flush(self) -> None:
        """Take over what was transmitted."""
        if self._chunks is None:
            return
        data, count = self._chunks.take()
        if not count:
            return
        if self.capture is not None:
            self.capture.write(data)
            return
        if not self._sent.maxlen:
            return
        raw = data.tobytes()
        at = 0
        for _ in range(count):
            seconds, ns, size = (int.from_bytes(raw[at + k : at + k + 4], "little") for k in (0, 4, 8))
            self._sent.append((seconds * 1_000_000_000 + ns, raw[at + HEADER : at + HEADER + size]))
            at += HEADER + size

    def transmitted(self) -> list[tuple[int, bytes]]:
        """(time in ns, frame) of everything sent since the last call."""
        self.flush()
        sent = list(self._sent)
        self._sent.clear()
        return sent

    def close(self) -> None:
        """Give files and memory back."""
        if self._chunks is not None:
            self.stop_capture()
            self._chunks.close()
            self._chunks = None
