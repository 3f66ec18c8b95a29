"""ip4-udp-lookup: UDP datagrams to this router, to the node of their destination port (RFC 768, RFC 1122 4.1).

Nodes register with `UdpPorts` and get the payload. A port that nobody has taken is answered by ICMP port
unreachable ("No listener for dst port"), as VPP does by default; it can be punted ("No listener punt") or just
dropped instead. A datagram without its 8-byte header in the first buffer, or with a length beyond its packet:
"Packets with length errors".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, length_in_chain
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.errors_icmp4 import DESTINATION_UNREACHABLE, PORT_UNREACHABLE
from vectorplane.graph_nodes.next_by_number import NextByNumber
from vectorplane.graph_nodes.trace_ip4 import UDP_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import be16, ld8, ld16s, prefetch, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip4-punt", "ip4-drop", "ip4-icmp-error")
PUNT, DROP, ICMP_ERROR = range(3)

ERRORS = (
    ("none", "No error"),
    ("no_listener", "No listener for dst port"),
    ("length_error", "Packets with length errors"),
    ("punt", "No listener punt"),
    ("enqueued", "Packets enqueued"),
    ("fifo_full", "Fifo full"),
    ("fifo_nomem", "Fifo no mem"),
    ("not_ready", "Connection not ready"),
    ("accept", "Accepted session"),
    ("create_session", "Failed to create session"),
    ("mq_full", "Application msg queue full"),
    ("invalid_connection", "Invalid connection"),
    ("pkts_sent", "Packets sent"),
    ("connected", "Connected session"),
    ("create_exists", "Connection already exists"),
    ("wrong_thread", "Wrong worker thread"),
)
E_NONE, E_NO_LISTENER, E_LENGTH_ERROR, E_PUNT = range(4)

RUNTIME = np.dtype([("slots", "i8"), ("unknown", "i8")])
NO_NODE = -1


@kernel
def ip4_udp_lookup(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    for i in range(frame_n(frame)):
        prefetch(pool + buffer_index(frame, i + 4) * CELL)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        ip = b + DATA + m.current_data
        slot = NO_NODE
        header = 20
        if m.current_length >= 20:
            header = (ld8(ip) & 15) * 4
        udp = ip + header
        if m.current_length < header + 8 or be16(udp + 4) > length_in_chain(b) - header:
            m.error = d.err_base + E_LENGTH_ERROR
            slot = DROP
        else:
            slot = ld16s(r.slots + 2 * be16(udp + 2))
            if slot != NO_NODE:
                m.error = d.err_base + E_NONE
                m.l4_offset = m.current_data + header
                m.current_data = m.current_data + header + 8
                m.current_length = m.current_length - header - 8
            else:
                slot = r.unknown
                m.error = d.err_base + (E_PUNT if slot == PUNT else E_NO_LISTENER)
                m.icmp_type = DESTINATION_UNREACHABLE
                m.icmp_code = PORT_UNREACHABLE
                m.icmp_data = 0
        set_next(frame, i, slot)
    return frame_n(frame)


class UdpPorts(NextByNumber):
    """Which node takes which UDP port's datagrams to this router."""

    owner = "ip4-udp-lookup"
    count = 65536
    default = NO_NODE

    def unknown_to(self, slot: int) -> None:
        """What becomes of datagrams to other ports: `ICMP_ERROR` (the default), `PUNT` or `DROP`."""
        self._plane.graph.add(self.owner).data["unknown"] = slot


def bind(plane: Dataplane, node: Node) -> None:
    """The table of ports."""
    node.data["slots"] = plane.shared(UdpPorts).address
    node.data["unknown"] = ICMP_ERROR


IP4_UDP_LOOKUP = NodeType(
    name="ip4-udp-lookup",
    kernel=ip4_udp_lookup,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=UDP_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
