"""ip4-icmp-input: ICMPv4 messages to this router, to the node of their type (RFC 792, RFC 1122 3.2.2).

As in VPP nodes register with `IcmpTypes`; echo requests and replies have nodes. All other types are punted as
"unknown type", as is a message cut off before its checksum ("payload length too small for type").
`ip4-icmp-echo-reply` has no program to hand a reply to, and punts it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import pass_on
from vectorplane.graph_nodes.errors_icmp4 import (
    ECHO_REPLY,
    ECHO_REQUEST,
    ERRORS,
    LENGTH_TOO_SMALL_FOR_TYPE,
    UNKNOWN_TYPE,
)
from vectorplane.graph_nodes.next_by_number import NextByNumber
from vectorplane.graph_nodes.trace_packet import IP4_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import ld8, ld16s, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip4-punt", "ip4-icmp-echo-request", "ip4-icmp-echo-reply")
PUNT = 0

RUNTIME = np.dtype([("slots", "i8")])


@kernel
def ip4_icmp_input(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    slots = rec(d.data, RUNTIME).slots
    err = d.err_base
    for i in range(frame_n(frame)):
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        ip = b + DATA + m.current_data
        slot = PUNT
        m.error = err + LENGTH_TOO_SMALL_FOR_TYPE
        if m.current_length >= 20:
            header = (ld8(ip) & 15) * 4
            if m.current_length >= header + 4:
                m.error = err + UNKNOWN_TYPE
                slot = ld16s(slots + 2 * ld8(ip + header))
        set_next(frame, i, slot)
    return frame_n(frame)


class IcmpTypes(NextByNumber):
    """Which node takes which ICMPv4 type."""

    owner = "ip4-icmp-input"
    default = PUNT


def bind(plane: Dataplane, node: Node) -> None:
    """The table of types, with what is built in."""
    types = plane.shared(IcmpTypes)
    node.data["slots"] = types.address
    types.register(ECHO_REQUEST, "ip4-icmp-echo-request")
    types.register(ECHO_REPLY, "ip4-icmp-echo-reply")


IP4_ICMP_INPUT = NodeType(
    name="ip4-icmp-input",
    kernel=ip4_icmp_input,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=IP4_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
IP4_ICMP_ECHO_REPLY = NodeType(
    name="ip4-icmp-echo-reply", kernel=pass_on, nexts=("ip4-punt", "ip4-drop"), trace=IP4_TRACE
)
