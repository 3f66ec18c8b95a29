"""The Ethernet header of a bridged frame: how long it is with its tags; giving the frame to L3 (VPP's l2_to_bvi)."""

from __future__ import annotations

from vectorplane.dataplane.abi import WORKER
from vectorplane.dataplane.buffer import BUFFER, DATA, VLAN_1_DEEP, VLAN_2_DEEP, length_in_chain
from vectorplane.dataplane.interface import INTERFACE, INTERFACE_SIZE
from vectorplane.graph_nodes.l2.buffer import L2_BUFFER, LENGTH_WORD
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import ld8, ld16, ld64, rec, st32, st64

MAC_MASK = (1 << 48) - 1
IP4_LE, IP6_LE, ARP_LE, VLAN_LE, QINQ_LE = 0x0008, 0xDD86, 0x0608, 0x0081, 0xA888
"""Types as a little-endian load sees them."""
CUT = ("bad_llc_length", "llc length > packet length")
"""Of frames that are shorter than their header: ethernet-input's reason."""
BAD_MAC, BAD_TYPE = -1, -2
"""What `to_bvi` gives instead of a type."""


@helper
def is_tag(kind: int) -> bool:
    """Does this type begin a VLAN tag?"""
    return (kind == VLAN_LE) | (kind == QINQ_LE)


@helper
def behind_tags(frame: int, at: int, room: int) -> int:
    """Where, of the ``room`` bytes at ``frame``, the type lies behind the up to two tags from byte ``at`` on."""
    for _ in range(2):
        if at + 2 <= room and is_tag(ld16(frame + at)):
            at += 4
    return at


@helper
def measure(b: int) -> int:
    """Find the length of the frame's header (up to two tags), keep it for L2 nodes, mark the tags; gives it.

    0: the frame is shorter than its header.
    """
    m = rec(b, BUFFER)
    d = b + DATA + m.current_data
    length = m.current_length
    size = 14
    tags = 0
    if length >= 14 and is_tag(ld16(d + 12)):
        size = 18
        tags = VLAN_1_DEEP
        if length >= 18 and ld16(d + 16) == VLAN_LE:
            size = 22
            tags = VLAN_2_DEEP
    m.flags = (m.flags & ~(VLAN_1_DEEP | VLAN_2_DEEP)) | tags
    st32(b + LENGTH_WORD, size)
    return size if length >= size else 0


@routine
def to_bvi(worker: int, b: int, bvi: int) -> int:
    """Give the frame to L3 as received on interface ``bvi``; gives its type (as loaded), `BAD_MAC` or `BAD_TYPE`."""
    w = rec(worker, WORKER)
    m = rec(b, BUFFER)
    d = b + DATA + m.current_data
    interface = rec(w.interfaces + bvi * INTERFACE_SIZE, INTERFACE)
    if (ld8(d) & 1) == 0 and (ld64(d) & MAC_MASK) != interface.mac:
        return BAD_MAC
    size = rec(b, L2_BUFFER).l2_len
    kind = ld16(d + size - 2)
    if kind != IP4_LE and kind != ARP_LE and kind != IP6_LE:
        return BAD_TYPE
    m.l2_offset = m.current_data
    m.current_data = m.current_data + size
    m.current_length = m.current_length - size
    m.l3_offset = m.current_data
    m.rx_sw_if = bvi
    m.tx_sw_if = -1
    c = w.if_rx + 16 * bvi
    st64(c, ld64(c) + 1)
    st64(c + 8, ld64(c + 8) + length_in_chain(b))
    return kind
