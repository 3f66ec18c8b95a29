"""arp-input: checks of the ARP header (RFC 826), then the features of the arc "arp"; arp-disabled: their last one.

A packet must be for Ethernet and IPv4 and name its sender's address; of several faults the last in that order is
reported, as VPP does. RFC 5227 probes, whose sender is 0.0.0.0, are among the dropped ("IP4 destination address is
unset", VPP's words). The arc: arp-reply (interfaces with IPv4 on), arp-proxy, arp-disabled; what none of them wants
is dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, DATA, buffer_at
from vectorplane.dataplane.feature import ArcType, Feature, feature_start
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.arp_header import (
    ARP_NODE_TRACE,
    ARP_SIZE,
    ARP_TOO_SHORT,
    DISABLED,
    ERRORS,
    ETHERNET_LE,
    IP4_LE,
    L2_TYPE,
    L2_TYPE_NOT_ETHERNET,
    L3_DST_ADDRESS_UNSET,
    L3_TYPE,
    L3_TYPE_NOT_IP4,
    REPLIES_SENT,
    SENDER_IP,
)
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import ld16, ld32, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "arp-disabled")
DROP, TO_DISABLED = range(2)
RUNTIME = np.dtype([("arc", "i8")])
ARP = ArcType("arp", ("arp-input",), "error-drop")


@kernel
def arp_input(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    d = rec(node, NODE)
    arc = rec(d.data, RUNTIME).arc
    n = frame_n(frame)
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        m = rec(b, BUFFER)
        arp = b + DATA + m.current_data
        error = REPLIES_SENT
        if m.current_length < ARP_SIZE:
            error = ARP_TOO_SHORT
        elif ld32(arp + SENDER_IP) == 0:
            error = L3_DST_ADDRESS_UNSET
        elif ld16(arp + L3_TYPE) != IP4_LE:
            error = L3_TYPE_NOT_IP4
        elif ld16(arp + L2_TYPE) != ETHERNET_LE:
            error = L2_TYPE_NOT_ETHERNET
        if error != REPLIES_SENT:
            m.error = d.err_base + error
            set_next(frame, i, DROP)
            continue
        slot = feature_start(arc, m.rx_sw_if, b)
        set_next(frame, i, slot if slot >= 0 else TO_DISABLED)
    return n


@kernel
def arp_disabled(worker: int, node: int, frame: int) -> int:
    """The interface takes no IPv4: drop."""
    error = rec(node, NODE).err_base + DISABLED
    n = frame_n(frame)
    for i in range(n):
        rec(buffer_at(worker, buffer_index(frame, i)), BUFFER).error = error
        set_next(frame, i, 0)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The feature arc."""
    node.data["arc"] = plane.arcs["arp"].address


ARP_INPUT = NodeType(
    name="arp-input",
    kernel=arp_input,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=ARP_NODE_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
ARP_DISABLED = NodeType(
    name="arp-disabled",
    kernel=arp_disabled,
    nexts=("error-drop",),
    errors=ERRORS,
    trace=ARP_NODE_TRACE,
    features=(Feature("arp"),),
)
