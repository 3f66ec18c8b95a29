"""ip6-icmp-input: ICMPv6 messages to this router, to the node of their type (RFC 4443, RFC 4861).

As in VPP nodes register with `IcmpTypes6`. Of several faults the last in this order is reported: a type that nobody
takes ("unknown type"), a code that the type does not have ("invalid code for type"), a message of neighbour discovery
that came through a router ("hop_limit != 255"), one too short for its type. They are punted, as in VPP.
`ip6-icmp-echo-reply` has no program to hand a reply to, and punts it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import pass_on
from vectorplane.graph_nodes.errors_icmp6 import (
    ADVERTISEMENT_TYPE,
    ECHO_REPLY_TYPE,
    ECHO_REQUEST_TYPE,
    ERRORS,
    INVALID_CODE_FOR_TYPE,
    INVALID_HOP_LIMIT_FOR_TYPE,
    LENGTH_TOO_SMALL_FOR_TYPE,
    NONE,
    SOLICITATION_TYPE,
    UNKNOWN_TYPE,
)
from vectorplane.graph_nodes.ip6_header import HEADER, HOP_LIMIT, payload_length
from vectorplane.graph_nodes.next_by_number import NextByNumber
from vectorplane.graph_nodes.trace_ip6 import IP6_TRACE
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import ld8, ld16s, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = (
    "ip6-punt",
    "icmp6-neighbor-solicitation",
    "icmp6-neighbor-advertisement",
    "ip6-icmp-echo-request",
    "ip6-icmp-echo-reply",
)
PUNT = 0

RUNTIME = np.dtype([("slots", "i8")])
ND_LENGTH = 24
"""Bytes of a neighbour solicitation or advertisement without its options."""


@helper
def most_code(kind: int) -> int:
    """The highest code that VPP knows of a type."""
    if kind == 1:
        return 6
    if kind == 4:
        return 3
    if kind == 139 or kind == 140:
        return 2
    return 1 if kind == 3 or kind == 138 else 0


@helper
def least_length(kind: int) -> int:
    """The shortest message of a type, bytes (RFC 4861 4)."""
    if kind == SOLICITATION_TYPE or kind == ADVERTISEMENT_TYPE:
        return ND_LENGTH
    if kind == 137:
        return 40
    if kind == 134:
        return 16
    return 8 if kind == 133 else 4


@kernel
def ip6_icmp_input(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    slots = rec(d.data, RUNTIME).slots
    n = frame_n(frame)
    for i in range(n):
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        ip = b + DATA + m.current_data
        slot = PUNT
        error = LENGTH_TOO_SMALL_FOR_TYPE
        if m.current_length >= HEADER + 4:
            kind = ld8(ip + HEADER)
            slot = ld16s(slots + 2 * kind)
            error = UNKNOWN_TYPE if slot == PUNT else NONE
            if ld8(ip + HEADER + 1) > most_code(kind):
                error = INVALID_CODE_FOR_TYPE
            if 133 <= kind <= 137 and ld8(ip + HOP_LIMIT) != 255:
                error = INVALID_HOP_LIMIT_FOR_TYPE
            if payload_length(ip) < least_length(kind):
                error = LENGTH_TOO_SMALL_FOR_TYPE
        m.error = d.err_base + error
        set_next(frame, i, slot if error == NONE else PUNT)
    return n


class IcmpTypes6(NextByNumber):
    """Which node takes which ICMPv6 type."""

    owner = "ip6-icmp-input"
    default = PUNT


def bind(plane: Dataplane, node: Node) -> None:
    """The table of types, with what is built in."""
    types = plane.shared(IcmpTypes6)
    node.data["slots"] = types.address
    types.register(SOLICITATION_TYPE, "icmp6-neighbor-solicitation")
    types.register(ADVERTISEMENT_TYPE, "icmp6-neighbor-advertisement")
    types.register(ECHO_REQUEST_TYPE, "ip6-icmp-echo-request")
    types.register(ECHO_REPLY_TYPE, "ip6-icmp-echo-reply")


IP6_ICMP_INPUT = NodeType(
    name="ip6-icmp-input",
    kernel=ip6_icmp_input,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=IP6_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
IP6_ICMP_ECHO_REPLY = NodeType(
    name="ip6-icmp-echo-reply", kernel=pass_on, nexts=("ip6-punt", "ip6-drop"), trace=IP6_TRACE
)
