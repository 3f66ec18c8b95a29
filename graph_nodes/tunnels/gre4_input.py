"""gre4-input: GRE packets to this router, to the tunnel that they came by (RFC 2784, RFC 2890 for keys).

The tunnel is found by the outer addresses, the FIB, what the tunnel carries and the key. IPv4 and IPv6 packets go to
their input nodes, Ethernet frames (TEB) to `ethernet-input`. So do ERSPAN's, whose tunnel is found by the session (in
VPP: only session 0) and whose own 8 bytes are passed over if they are there (type II, which has a sequence number).
Drops: "unsupported version", "unknown protocol", "GRE input packets dropped due to missing tunnel", and (VPP reads on)
"packets too short".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, length_in_chain
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.tables.hash_map import search_16
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.ip4_header import DESTINATION, SOURCE
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.tunnels.ip_tunnel import ERSPAN, L3, NONE, TEB, GreTable, addresses_key
from vectorplane.graph_nodes.tunnels.trace_ip_tunnel import received
from vectorplane.graph_nodes.tunnels.vxlan4_input import OUTER_FLAGS
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import add, be16, be32, ld8, ld32, ld64, prefetch, rec, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-punt", "error-drop", "ethernet-input", "ip4-input", "ip6-input")
PUNT, DROP, ETHERNET, IP4, IP6 = range(5)
ERRORS = named_by_text(
    "no error",
    "unknown protocol",
    "unsupported version",
    "GRE input packets decapsulated",
    "GRE output packets encapsulated",
    "GRE input packets dropped due to missing tunnel",
    "packets too short",
    "no room for another header",
)
E_NONE, E_UNKNOWN_PROTOCOL, E_VERSION, E_DECAP, E_ENCAP, E_NO_SUCH_TUNNEL, E_TOO_SHORT, E_NO_ROOM = range(8)

RUNTIME = np.dtype([("map", "i8")])

KEY_FLAG, SEQUENCE_FLAG, CHECKSUM_FLAG, VERSION = 0x2000, 0x1000, 0x8000, 0x7
IP4_TYPE, IP6_TYPE, TEB_TYPE, ERSPAN_TYPE = 0x0800, 0x86DD, 0x6558, 0x88BE
ERSPAN_HEADER = 8
SESSION = 0x3FF


@kernel
def gre4_input(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    pool = w.pool
    counters = w.if_rx
    d = rec(node, NODE)
    err = d.err_base
    table = rec(d.data, RUNTIME).map
    n = frame_n(frame)
    done = 0
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        ip = b + DATA + m.current_data
        length = m.current_length
        header = 0
        if length >= 20:
            header = (ld8(ip) & 15) * 4
        gre = ip + header
        size = header + 4
        error = E_TOO_SHORT
        slot = DROP
        kind = L3
        key = 0
        if header >= 20 and length >= size:
            flags = be16(gre)
            protocol = be16(gre + 2)
            if flags & CHECKSUM_FLAG:
                size += 4
            if flags & KEY_FLAG:
                if length >= size + 4:
                    key = be32(ip + size)
                size += 4
            if flags & SEQUENCE_FLAG:
                size += 4
            error = E_NONE
            if protocol == IP4_TYPE:
                slot = IP4
            elif protocol == IP6_TYPE:
                slot = IP6
            elif protocol == TEB_TYPE or protocol == ERSPAN_TYPE:
                slot = ETHERNET
                kind = TEB
                if protocol == ERSPAN_TYPE:
                    kind = ERSPAN if key == 0 else NONE  # no such tunnel has a key
                    if flags & SEQUENCE_FLAG:
                        size += ERSPAN_HEADER
                        if length >= size:
                            key = be16(ip + size - 6) & SESSION
            else:
                error = E_UNKNOWN_PROTOCOL
            if flags & VERSION:
                error = E_VERSION
            elif error == E_NONE and length < size:
                error = E_TOO_SHORT
        if error == E_NONE:
            first = addresses_key(ld32(ip + SOURCE), ld32(ip + DESTINATION))
            found = search_16(table, first, add(key << 32, m.fib_index | kind << 16))
            if found < 0:
                error = E_NO_SUCH_TUNNEL
            else:
                m.current_data = m.current_data + size
                m.current_length = length - size
                m.flags &= ~OUTER_FLAGS
                m.rx_sw_if = found
                m.tx_sw_if = -1
                c = counters + 16 * found
                st64(c, ld64(c) + 1)
                st64(c + 8, ld64(c + 8) + length_in_chain(b))
                done += 1
        if error != E_NONE:
            m.error = err + error
            slot = PUNT if error == E_UNKNOWN_PROTOCOL else DROP
        set_next(frame, i, slot)
    count(worker, err + E_DECAP, done)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The tunnels."""
    node.data["map"] = plane.shared(GreTable).map.address


GRE4_INPUT = NodeType(
    name="gre4-input",
    kernel=gre4_input,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=received("GRE"),
    bind=bind,
    doc=__doc__ or "",
)
