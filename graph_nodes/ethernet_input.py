"""ethernet-input: Ethernet frames to the node of their protocol (IEEE 802.3, 802.1Q, 802.1ad).

* Untagged frames of an interface in L3 mode whose destination is the interface's address, a group address,
  or anything when the interface is promiscuous, go to `ip4-input`, `ip6-input` or `arp-input` by their type; others are
  dropped as "l3 mac mismatch".
* Tagged frames: up to two tags choose a sub-interface (exact, inner "any", default); none: "unknown vlan", unless the
  interface itself is in L2 mode, which takes them all.
* Frames of an interface or sub-interface in L2 mode go to `l2-input`, header and all, whatever their destination.
* A frame shorter than its headers: "llc length > packet length".
* Other types: "unknown ethernet type".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, L2_OFFSET, VLAN_1_DEEP, VLAN_2_DEEP
from vectorplane.dataplane.interface import (
    ADMIN_UP,
    EXACT_MATCH,
    INTERFACE,
    INTERFACE_SIZE,
    L2_MODE,
    PROMISCUOUS,
    SUB_INTERFACE,
)
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.l2.buffer import LENGTH_WORD
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.trace_packet import ETHERNET_TRACE
from vectorplane.jit.kernel import helper, kernel, routine
from vectorplane.jit.ops import be16, bswap16, ld8, ld16, ld32s, ld64, prefetch, rec, st32, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-punt", "error-drop", "llc-input", "ip4-input", "arp-input", "ip6-input")
PUNT, DROP, LLC, IP4, ARP, IP6 = range(6)

ERRORS = named_by_text(
    "no error",
    "llc length > packet length",
    "unknown ethernet type",
    "unknown vlan",
    "l3 mac mismatch",
    "subinterface down",
)
E_NONE, E_BAD_LLC_LENGTH, E_UNKNOWN_TYPE, E_UNKNOWN_VLAN, E_L3_MAC_MISMATCH, E_DOWN = range(6)

RUNTIME = np.dtype([("l2_input", "i8")])
"""The slot of l2-input: it joins the graph, and this, when the first interface goes into L2 mode."""

_MAC = 0xFFFFFFFFFFFF
# types as a little-endian load sees them
_IP4_LE, _IP6_LE, _ARP_LE, _VLAN_LE, _QINQ_LE = 0x0008, 0xDD86, 0x0608, 0x0081, 0xA888


@helper
def sub_interface(parent: int, interfaces: int, outer: int, inner: int, tags: int, outer_type: int) -> int:
    """The sub-interface (sw_if_index) for a frame with these tags; -1 when there is none.

    ``outer`` and ``inner`` are VLAN ids; ``parent`` the address of the super-interface's record. The table
    by outer id holds a sub-interface; those that share an outer id are linked through `device`.
    """
    p = rec(parent, INTERFACE)
    any_inner = -1
    single = -1
    if p.vlans != 0:
        candidate = ld32s(p.vlans + 4 * outer)
        while candidate > 0:
            s = rec(interfaces + candidate * INTERFACE_SIZE, INTERFACE)
            if s.outer_type == outer_type:
                if s.tag_count == 1:
                    if tags == 1 or (s.flags & EXACT_MATCH) == 0:
                        single = candidate
                elif tags == 2:
                    wanted = s.tags >> 16
                    if wanted == inner:
                        return candidate
                    if wanted == 4095:
                        any_inner = candidate
            candidate = s.device
    # VPP's order: both tags, any inner tag, the outer tag alone, the default
    if any_inner >= 0:
        return any_inner
    if single >= 0:
        return single
    return int(p.default)


@routine
def take_tags(worker: int, b: int, d: int, parent: int, error_base: int) -> int:
    """The tagged frame at ``d`` goes to its sub-interface; gives the length of its header and the type behind the tags.

    As ``type << 16 | length``; -1 when the frame is to be dropped, its error then being set.
    """
    w = rec(worker, WORKER)
    m = rec(b, BUFFER)
    length = m.current_length
    if length < 18:
        m.error = error_base + E_BAD_LLC_LENGTH
        return -1
    outer_type = be16(d + 12)
    outer = be16(d + 14) & 0xFFF
    inner = 0
    tags = 1
    kind = ld16(d + 16)
    header = 18
    if kind == _VLAN_LE and length >= 22:
        tags = 2
        inner = be16(d + 18) & 0xFFF
        kind = ld16(d + 20)
        header = 22
    sub = m.rx_sw_if  # a priority tag: the frame belongs to the untagged interface (802.1Q 6.9)
    if outer != 0 or tags == 2:
        sub = sub_interface(parent, w.interfaces, outer, inner, tags, outer_type)
    if sub < 0 and rec(parent, INTERFACE).flags & L2_MODE:
        sub = m.rx_sw_if
    if sub < 0:
        m.error = error_base + E_UNKNOWN_VLAN
        return -1
    s = rec(w.interfaces + sub * INTERFACE_SIZE, INTERFACE)
    if (s.flags & ADMIN_UP) == 0:
        m.error = error_base + E_DOWN
        return -1
    if s.flags & SUB_INTERFACE:
        c = w.if_rx + 16 * sub
        st64(c, ld64(c) + 1)
        st64(c + 8, ld64(c + 8) + length + m.total_rest)
    m.rx_sw_if = sub
    m.flags |= VLAN_1_DEEP if tags == 1 else VLAN_2_DEEP
    return kind << 16 | header


@kernel
def ethernet_input(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    pool = w.pool
    interfaces = w.interfaces
    err = rec(node, NODE).err_base
    l2_input = rec(rec(node, NODE).data, RUNTIME).l2_input
    n = frame_n(frame)
    last = -1
    parent = 0
    flags = 0
    mac = 0
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        at = m.current_data
        length = m.current_length
        d = b + DATA + at
        if m.rx_sw_if != last:
            last = m.rx_sw_if
            parent = interfaces + last * INTERFACE_SIZE
            flags = rec(parent, INTERFACE).flags
            mac = rec(parent, INTERFACE).mac
        if length < 14 or (flags & ADMIN_UP) == 0:
            m.error = err + (E_BAD_LLC_LENGTH if length < 14 else E_DOWN)
            set_next(frame, i, DROP)
            continue
        kind = ld16(d + 12)
        header = 14
        owner = flags
        if kind == _VLAN_LE or kind == _QINQ_LE:
            taken = take_tags(worker, b, d, parent, err)
            if taken < 0:
                set_next(frame, i, DROP)
                continue
            header = taken & 0xFFFF
            kind = taken >> 16
            owner = rec(interfaces + m.rx_sw_if * INTERFACE_SIZE, INTERFACE).flags
        if owner & L2_MODE:
            st32(b + LENGTH_WORD, header)
            st32(b + L2_OFFSET, (at & 0xFFFF) | ((at + header) << 16))
            set_next(frame, i, l2_input)
            continue
        # the address is checked against the port's own, also for a sub-interface
        if (ld64(d) & _MAC) != mac and (flags & PROMISCUOUS) == 0 and (ld8(d) & 1) == 0:
            m.error = err + E_L3_MAC_MISMATCH
            set_next(frame, i, DROP)
            continue
        # two fields with each store: current_data and current_length, l2_offset and l3_offset
        st32(b, ((at + header) & 0xFFFF) | ((length - header) << 16))
        st32(b + L2_OFFSET, (at & 0xFFFF) | ((at + header) << 16))
        if kind == _IP4_LE:
            set_next(frame, i, IP4)
        elif kind == _ARP_LE:
            set_next(frame, i, ARP)
        elif kind == _IP6_LE:
            set_next(frame, i, IP6)
        elif bswap16(kind) < 0x600:
            set_next(frame, i, LLC)
        else:
            m.error = err + E_UNKNOWN_TYPE
            set_next(frame, i, PUNT)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """No interface is in L2 mode."""
    node.data["l2_input"] = DROP


def join_l2_input(plane: Dataplane) -> None:
    """An interface goes into L2 mode: its frames find l2-input."""
    node = plane.graph.add("ethernet-input")
    node.data["l2_input"] = plane.graph.add_next(node, "l2-input")


ETHERNET_INPUT = NodeType(
    name="ethernet-input",
    kernel=ethernet_input,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    bind=bind,
    trace=ETHERNET_TRACE,
    doc=__doc__ or "",
)
