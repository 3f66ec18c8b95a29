"""The Ethernet header of a bridged frame, and giving the frame to L3 (``vnet_update_l2_len`` and ``l2_to_bvi``)."""

from __future__ import annotations

from typing import NamedTuple

VLAN, QINQ = b"\x81\x00", b"\x88\xa8"
ARP, IP4, IP6 = b"\x08\x06", b"\x08\x00", b"\x86\xdd"
L3_NODES = {IP4: "ip4-input", ARP: "arp-input", IP6: "ip6-input"}


def header_length(frame: bytes) -> int:
    """Bytes in front of what the frame carries, with up to two tags; 0: the frame is shorter than that."""
    size = 14
    if frame[12:14] in (VLAN, QINQ):
        size = 22 if frame[16:18] == VLAN else 18
    return size if len(frame) >= size else 0


def is_group(frame: bytes) -> bool:
    """Is its destination a group address?"""
    return bool(frame[0] & 1)


class ToL3(NamedTuple):
    """The node that gets the packet, and the packet; or what is wrong with it: ``mac`` or ``ethertype``."""

    next: str | None
    data: bytes
    wrong: str | None = None


def to_bvi(frame: bytes, length: int, mac: bytes) -> ToL3:
    """A frame with a header of that length, for the BVI with this address."""
    if not is_group(frame) and frame[:6] != mac:
        return ToL3(None, frame, "mac")
    kind = frame[length - 2 : length]
    if kind not in L3_NODES:
        return ToL3(None, frame, "ethertype")
    return ToL3(L3_NODES[kind], frame[length:])
