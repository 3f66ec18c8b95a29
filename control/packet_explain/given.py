"""The packet to be explained, from what a user gives: hexadecimal, a capture and a number, a flow."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from vectorplane.backends.engine.interface import mac_bytes
from vectorplane.backends.engine.sub_interfaces import INNER_ANY
from vectorplane.control.packet_explain.flow import Flow
from vectorplane.control.packet_explain.flow_text import parse_flow
from vectorplane.pcap.memory import peek
from vectorplane.pcap.reader import CaptureReader

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.interface import Interface

MOST_BYTES = 65535
STRANGER = bytes.fromhex("02feff000001")
"""Source of a made-up frame whose IP source is no neighbour of ours."""


class GivenError(ValueError):
    """What was given is no packet; the text says why."""


class Captured(NamedTuple):
    """A packet of a capture. ``ethertype``: 0 of a frame, else of an IP packet that came without Ethernet header."""

    time: int
    data: bytes
    ethertype: int


def from_hex(text: str) -> bytes:
    """Bytes from hexadecimal digits; spaces, colons, commas, line breaks and ``0x`` are left out.

    Raises:
        GivenError: it is something else.
    """
    digits = re.sub(r"0x|[\s:,.-]", "", text, flags=re.IGNORECASE)
    wrong = re.search(r"[^0-9a-fA-F]", digits)
    if wrong:
        raise GivenError(f"hex: {wrong[0]!r} is no hexadecimal digit")
    if not digits or len(digits) % 2:
        raise GivenError(f"hex: {len(digits)} digits: expected two for each byte, and one byte at least")
    if len(digits) > 2 * MOST_BYTES:
        raise GivenError(f"hex: {len(digits) // 2} bytes: a packet has at most {MOST_BYTES}")
    return bytes.fromhex(digits)


def from_capture(path: str | os.PathLike[str], number: int) -> tuple[Captured, list[Captured]]:
    """Packet ``number`` (from 1) of a capture, and all that come before it in the file.

    Raises:
        CaptureError, OSError: it cannot be read.
        GivenError: it has not so many packets.
    """
    before: list[Captured] = []
    with CaptureReader(path) as reader:
        while (window := reader.next_window()) is not None:
            for r in window.records:
                data = peek(window.address + int(r["offset"]), int(r["caplen"]))
                packet = Captured(int(r["time"]), data, int(r["ethertype"]))
                if len(before) + 1 == number:
                    return packet, before
                before.append(packet)
        damage = f" ({reader.damage})" if reader.damage else ""
    raise GivenError(f"{os.fspath(path)}: there is no packet {number}: it has {len(before)}{damage}")


def framed(captured: Captured, interface: Interface) -> bytes:
    """A captured packet as a frame for an interface: one that came without an Ethernet header gets one."""
    if not captured.ethertype or not interface.device.ethernet:
        return captured.data
    return interface.mac + bytes(6) + captured.ethertype.to_bytes(2, "big") + captured.data


def from_flow(engine: Engine, interface: Interface, flow: Flow, mac: bytes | None = None) -> bytes:
    """The frame of a flow that arrives on an interface, with its tags. ``mac``: its destination, if not the interface.

    It comes from the neighbour that has the flow's source address, if there is one. Raises `GivenError`.
    """
    packet = flow.packet()
    if not interface.device.ethernet:
        return packet
    store = engine.neighbours if flow.version == 4 else engine.neighbours6
    source = store.mac_of(interface.sw_if_index, int(flow.source)) or STRANGER
    kind = (0x0800 if flow.version == 4 else 0x86DD).to_bytes(2, "big")
    return (mac or interface.mac) + source + _tags(engine, interface) + kind + packet


def _tags(engine: Engine, interface: Interface) -> bytes:
    """The VLAN tags of an interface's frames; of one that takes what no other does, a tag that no other has."""
    if not interface.is_sub:
        return b""
    if interface.default_subif:
        used = {tag for sub in engine.interfaces.subs.of(interface.sup) for tag in sub.tags[:1]}
        tags: tuple[int, ...] = (next(tag for tag in range(1, 4095) if tag not in used),)
    else:
        tags = tuple(1 if tag == INNER_ANY else tag for tag in interface.tags)
    kinds = (interface.outer_type, 0x8100)
    return b"".join(kind.to_bytes(2, "big") + tag.to_bytes(2, "big") for kind, tag in zip(kinds, tags, strict=False))


def parse_mac(text: str | None) -> bytes | None:
    """A MAC address. Raises `GivenError`."""
    if text is None:
        return None
    try:
        return mac_bytes(text)
    except ValueError as error:
        raise GivenError(f"mac: {error}") from None


__all__ = ["Captured", "GivenError", "framed", "from_capture", "from_flow", "from_hex", "parse_flow", "parse_mac"]
