"""Reading a capture for the packet generator: all its packets at once."""

from __future__ import annotations

import ctypes
import os

from vectorplane.pcap.reader import CaptureReader


def read_packets(path: str | os.PathLike[str], mac: bytes | None) -> list[bytes]:
    """The packets of a capture. ``mac``: IP packets get an Ethernet header to this address in front; None: they don't.

    Raises:
        CaptureError: it cannot be read, or is damaged.
        ValueError: it has no packets.
    """
    packets = []
    with CaptureReader(os.path.abspath(path), strict=True) as reader:
        while (window := reader.next_window()) is not None:
            for r in window.records:
                data = ctypes.string_at(window.address + int(r["offset"]), int(r["caplen"]))
                kind = int(r["ethertype"])
                if kind and mac is not None:
                    data = mac + bytes(6) + (kind & 0xFFFF).to_bytes(2, "big") + data
                packets.append(data)
    if not packets:
        raise ValueError(f"{os.fspath(path)}: there are no packets in it")
    return packets
