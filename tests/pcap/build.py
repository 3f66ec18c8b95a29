"""Capture files made byte by byte, independent of the writers under test."""

from __future__ import annotations

import struct
from collections.abc import Iterable


def classic(
    packets: Iterable[tuple[int, int, bytes]] = (),
    *,
    order: str = "<",
    nano: bool = False,
    link: int = 1,
    version: tuple[int, int] = (2, 4),
    snaplen: int = 65535,
) -> bytes:
    """A pcap of (seconds, fraction, data)."""
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    made = struct.pack(order + "IHHiIII", magic, *version, 0, 0, snaplen, link)
    records = [struct.pack(order + "IIII", s, f, len(data), len(data)) + data for s, f, data in packets]
    return b"".join([made, *records])


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """Any pcapng block; the body is padded."""
    body += b"\0" * (-len(body) % 4)
    size = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + size + body + size


def section(order: str = "<", version: tuple[int, int] = (1, 0), options: bytes = b"") -> bytes:
    """A section header block."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, *version, -1) + options, order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """One option, padded."""
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def interface(
    link: int = 1,
    *,
    order: str = "<",
    snaplen: int = 0,
    resolution: int | None = None,
    offset: int | None = None,
    name: str = "",
) -> bytes:
    """An interface description block."""
    options = option(2, name.encode(), order) if name else b""
    options += b"" if resolution is None else option(9, bytes([resolution]), order)
    options += b"" if offset is None else option(14, struct.pack(order + "q", offset), order)
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options, order)


def enhanced(data: bytes, stamp: int = 0, number: int = 0, *, order: str = "<", wire: int | None = None) -> bytes:
    """An enhanced packet block."""
    wire = len(data) if wire is None else wire
    fixed = struct.pack(order + "5I", number, stamp >> 32, stamp & 0xFFFFFFFF, len(data), wire)
    return block(6, fixed + data, order)


def obsolete(data: bytes, stamp: int = 0, number: int = 0, *, order: str = "<") -> bytes:
    """An obsolete packet block."""
    fixed = struct.pack(order + "HHIIII", number, 0, stamp >> 32, stamp & 0xFFFFFFFF, len(data), len(data))
    return block(2, fixed + data, order)


def simple(data: bytes, *, order: str = "<", wire: int | None = None) -> bytes:
    """A simple packet block."""
    return block(3, struct.pack(order + "I", len(data) if wire is None else wire) + data, order)
