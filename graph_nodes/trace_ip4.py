"""Traces of IPv4 nodes beside the common way: header options, fragmentation, null routes, UDP to this router.

Those that hold, free or move what they work on are traced before they run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import WORKER, buffer_index, frame_n
from vectorplane.dataplane.buffer import BUFFER, CELL, length_in_chain
from vectorplane.dataplane.node import Trace
from vectorplane.dataplane.trace import add_trace, is_traced
from vectorplane.graph_nodes.trace_formats import ip4_header
from vectorplane.graph_nodes.trace_forward import FORWARD, trace_forward
from vectorplane.graph_nodes.trace_packet import PACKET, kept_bytes, packet_trace, snapshot, trace_packet
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import offsets, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

FRAGMENT_BYTES = 60
FRAGMENT = np.dtype(
    [("mtu", "i4"), ("length", "i4"), ("size", "i4"), ("data", "i1", (FRAGMENT_BYTES,))],
    align=True,
)
_DATA = offsets(FRAGMENT, "data")[0]


@kernel
def trace_fragment(worker: int, node: int, frame: int) -> int:
    """A `FRAGMENT` for each traced packet."""
    pool = rec(worker, WORKER).pool
    n = frame_n(frame)
    for i in range(n):
        bi = buffer_index(frame, i)
        b = pool + bi * CELL
        if is_traced(b):
            t = add_trace(worker, node, b, bi, -1)
            if t != 0:
                r = rec(t, FRAGMENT)
                r.mtu = rec(b, BUFFER).icmp_data
                r.length = length_in_chain(b)
                r.size = snapshot(t + _DATA, b, FRAGMENT_BYTES)
    return n


def fragment_text(record: Any, plane: Dataplane) -> str:
    """``mtu: 1500 pkt-size: 2000`` and the header of the packet that is to be cut."""
    return f"mtu: {record['mtu']} pkt-size: {record['length']}\n{ip4_header(kept_bytes(record))}"


def options_text(record: Any, plane: Dataplane) -> str:
    """The first four bytes of the options."""
    option = kept_bytes(record)[20:24]
    return f"  option:[{','.join(f'0x{b:x}' for b in option)}]"


def null_text(record: Any, plane: Dataplane) -> str:
    """``ip4-null action:send-unreachable``."""
    action = int(record["dpo_index"])
    names = ("discard", "send-unreachable", "send-prohibited")
    return f"ip4-null action:{names[action] if 0 <= action < len(names) else action}"


def udp_text(data: bytes) -> str:
    """``UDP: src-port 53 dst-port 53`` of an IPv4 packet."""
    at = (data[0] & 15) * 4 if data else 0
    if len(data) < at + 4:
        return "UDP header truncated"
    source, target = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
    return f"UDP: src-port {source} dst-port {target}"


IP4_BEFORE_TRACE = packet_trace(ip4_header, before=True)
OPTIONS_TRACE = Trace(PACKET, trace_packet, options_text)
UDP_TRACE = packet_trace(udp_text, before=True)
FRAGMENT_TRACE = Trace(FRAGMENT, trace_fragment, fragment_text, before=True)
NULL_TRACE = Trace(FORWARD, trace_forward, null_text)
