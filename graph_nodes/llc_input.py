"""llc-input: IEEE 802.2 LLC frames (802.3 frames with a length) to the node of their destination SAP.

`snap-input` takes those with a SNAP header (IEEE 802, 9.2): with OUI 00-00-00 an Ethernet type follows and
`ethernet-input-type` takes over (RFC 1042); any other is dropped as "unknown oui/snap protocol". `osi-input`
takes the OSI SAPs (IS-IS, CLNS) and knows no protocol yet: "unknown osi protocol". Other SAPs (spanning tree,
NetBIOS, IPX ...) are dropped as "unknown llc ssap/dsap", as is a frame too short for its LLC header.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.ethernet_input import E_UNKNOWN_TYPE
from vectorplane.graph_nodes.ethernet_input import ERRORS as ETHERNET_ERRORS
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.next_by_number import NextByNumber
from vectorplane.graph_nodes.trace_packet import HEX_TRACE, LLC_TRACE, SNAP_TRACE
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import be16, ld8, ld16, ld16s, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-punt", "error-drop", "snap-input", "osi-input")
DROP, SNAP, OSI = 1, 2, 3
ERRORS = named_by_text(
    "no error",
    "unknown llc ssap/dsap",
    "control != 0x3",
)
SNAP_ERRORS = named_by_text(
    "no error",
    "unknown oui/snap protocol",
)
OSI_ERRORS = named_by_text(
    "no error",
    "unknown osi protocol",
)
E_NONE, E_UNKNOWN_PROTOCOL = range(2)

SNAP_SAP = 0xAA
OSI_SAPS = (0x14, 0x20, 0x34, 0x54, 0xFE)

RUNTIME = np.dtype([("slots", "i8")])


@helper
def advance(b: int, size: int) -> None:
    """Step over ``size`` bytes."""
    m = rec(b, BUFFER)
    m.current_data = m.current_data + size
    m.current_length = m.current_length - size


@kernel
def llc_input(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    slots = rec(d.data, RUNTIME).slots
    for i in range(frame_n(frame)):
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        p = b + DATA + m.current_data
        slot = DROP
        if m.current_length >= 3:
            header = 3 if (ld8(p + 2) & 3) == 3 else 4
            if m.current_length >= header:
                slot = ld16s(slots + 2 * ld8(p))
                advance(b, header)
        m.error = d.err_base + (E_UNKNOWN_PROTOCOL if slot == DROP else E_NONE)
        set_next(frame, i, slot)
    return frame_n(frame)


@kernel
def snap_input(worker: int, node: int, frame: int) -> int:
    """By the OUI: an Ethernet type, or nothing known."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    for i in range(frame_n(frame)):
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        p = b + DATA + m.current_data
        m.error = d.err_base + E_UNKNOWN_PROTOCOL
        slot = 0
        if m.current_length >= 5 and ld8(p) == 0 and ld16(p + 1) == 0:
            advance(b, 3)
            slot = 2
        set_next(frame, i, slot)
    return frame_n(frame)


@kernel
def osi_input(worker: int, node: int, frame: int) -> int:
    """No OSI protocol has a node."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    for i in range(frame_n(frame)):
        rec(pool + buffer_index(frame, i) * CELL, BUFFER).error = d.err_base + E_UNKNOWN_PROTOCOL
        set_next(frame, i, 1)
    return frame_n(frame)


@kernel
def ethernet_input_type(worker: int, node: int, frame: int) -> int:
    """By the Ethernet type that comes first, as ethernet-input would."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    for i in range(frame_n(frame)):
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        slot = 0
        m.error = d.err_base + E_UNKNOWN_TYPE
        if m.current_length >= 2:
            kind = be16(b + DATA + m.current_data)
            advance(b, 2)
            m.l3_offset = m.current_data
            if kind == 0x0800:
                slot = 2
            elif kind == 0x0806:
                slot = 3
        set_next(frame, i, slot)
    return frame_n(frame)


class LlcSaps(NextByNumber):
    """Which node takes which destination SAP's frames."""

    owner = "llc-input"
    default = DROP


def bind(plane: Dataplane, node: Node) -> None:
    """The table of SAPs, with what is built in."""
    saps = plane.shared(LlcSaps)
    node.data["slots"] = saps.address
    saps.register(SNAP_SAP, "snap-input")
    for sap in OSI_SAPS:
        saps.register(sap, "osi-input")


LLC_INPUT = NodeType(
    name="llc-input",
    kernel=llc_input,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=LLC_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
SNAP_INPUT = NodeType(
    name="snap-input",
    kernel=snap_input,
    nexts=("error-drop", "error-punt", "ethernet-input-type"),
    errors=SNAP_ERRORS,
    trace=SNAP_TRACE,
    doc=__doc__ or "",
)
OSI_INPUT = NodeType(
    name="osi-input", kernel=osi_input, nexts=("error-punt", "error-drop"), errors=OSI_ERRORS, trace=HEX_TRACE
)
ETHERNET_INPUT_TYPE = NodeType(
    name="ethernet-input-type",
    kernel=ethernet_input_type,
    nexts=("error-punt", "error-drop", "ip4-input", "arp-input"),
    errors=ETHERNET_ERRORS,
    trace=HEX_TRACE,
)
