"""gre-teb-encap, gre-erspan-encap: what an Ethernet GRE tunnel sends, to `adj-l2-midchain`, which puts the header on.

For ERSPAN (type II, session of the tunnel) its 8 bytes and GRE's sequence number come first; without room for them:
"no room for another header".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.interface import INTERFACE, INTERFACE_SIZE
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.trace_formats import ethernet_header
from vectorplane.graph_nodes.trace_packet import packet_trace
from vectorplane.graph_nodes.tunnels.gre4_input import E_ENCAP, E_NO_ROOM, ERRORS
from vectorplane.graph_nodes.tunnels.ip_tunnel import IP_TUNNEL, IP_TUNNEL_SIZE, GreTable
from vectorplane.graph_nodes.tunnels.underlay import ROOM
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import bswap16, bswap32, fetch_add, prefetch, rec, st16, st32

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("adj-l2-midchain", "error-drop")
L2_MIDCHAIN, DROP = range(2)
RUNTIME = np.dtype([("tunnels", "i8")])
SEQUENCE_AND_ERSPAN = 12
_VERSION_LE = 0x0010  # version 1, VLAN 0
_TRUNKED = 0x1800  # the frame's own tags, if any, are in it


@helper
def encap(worker: int, node: int, frame: int, erspan: bool) -> int:
    """The body of both nodes."""
    w = rec(worker, WORKER)
    pool = w.pool
    interfaces = w.interfaces
    d = rec(node, NODE)
    tunnels = rec(d.data, RUNTIME).tunnels
    n = frame_n(frame)
    done = 0
    for i in range(n):
        prefetch(pool + buffer_index(frame, i + 4) * CELL)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        sup = rec(interfaces + m.tx_sw_if * INTERFACE_SIZE, INTERFACE).sup
        tunnel = rec(tunnels + sup * IP_TUNNEL_SIZE, IP_TUNNEL)
        m.adj = tunnel.adj
        if erspan and m.current_data < SEQUENCE_AND_ERSPAN - ROOM:
            m.error = d.err_base + E_NO_ROOM
            set_next(frame, i, DROP)
            continue
        if erspan:
            head = b + DATA + m.current_data - SEQUENCE_AND_ERSPAN
            st32(head, bswap32(fetch_add(tunnel.sequence, 1)))
            st16(head + 4, _VERSION_LE)
            st16(head + 6, bswap16(_TRUNKED | tunnel.session))
            st32(head + 8, 0)
            m.current_data = m.current_data - SEQUENCE_AND_ERSPAN
            m.current_length = m.current_length + SEQUENCE_AND_ERSPAN
        set_next(frame, i, L2_MIDCHAIN)
        done += 1
    count(worker, d.err_base + E_ENCAP, done)
    return n


@kernel
def gre_teb_encap(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    return encap(worker, node, frame, False)


@kernel
def gre_erspan_encap(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    return encap(worker, node, frame, True)


def bind(plane: Dataplane, node: Node) -> None:
    """The tunnels."""
    node.data["tunnels"] = plane.shared(GreTable).address


GRE_TEB_ENCAP = NodeType(
    name="gre-teb-encap",
    kernel=gre_teb_encap,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=packet_trace(ethernet_header),
    bind=bind,
    doc=__doc__ or "",
)
GRE_ERSPAN_ENCAP = NodeType(
    name="gre-erspan-encap",
    kernel=gre_erspan_encap,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=packet_trace(ethernet_header, before=True),
    bind=bind,
)
