"""ipip4-input: IP packets in IPv4 packets to this router, to the tunnel that they came by (RFC 2003, RFC 4213).

The tunnel is found by the outer addresses and the FIB. Drops: "no tunnel", "fragmented outer packet", and for what is
neither IPv4 nor IPv6, or ends in its outer header, "bad protocol".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, length_in_chain
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.tables.hash_map import search_16
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.ip4_header import DESTINATION, FRAGMENT, PROTOCOL, SOURCE, set_checksum
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.tunnels.ip_tunnel import (
    DECAP_COPY_ECN,
    IP_TUNNEL,
    IP_TUNNEL_SIZE,
    IpipTable,
    addresses_key,
)
from vectorplane.graph_nodes.tunnels.trace_ip_tunnel import received
from vectorplane.graph_nodes.tunnels.vxlan4_input import OUTER_FLAGS
from vectorplane.jit.kernel import kernel, routine
from vectorplane.jit.ops import ld8, ld16, ld32, ld64, prefetch, rec, st8, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "ip4-input", "ip6-input")
DROP, IP4, IP6 = range(3)
ERRORS = named_by_text("packets decapsulated", "bad protocol", "no tunnel", "fragmented outer packet")
E_DECAP, E_BAD_PROTOCOL, E_NO_TUNNEL, E_FRAGMENTED = range(4)

RUNTIME = np.dtype([("map", "i8"), ("tunnels", "i8")])

_IPIP, _IP6 = 4, 41
_MORE_FRAGMENTS_LE = 0x0020


@routine
def copy_ecn(outer: int, inner: int, length: int, is_ip6: bool) -> None:
    """The congestion bits of the outer header go into the inner one, if that can carry them."""
    ecn = ld8(outer + 1) & 3
    if is_ip6:
        if length >= 40:
            st8(inner + 1, (ld8(inner + 1) & 0xCF) | ecn << 4)
    elif length >= 20 and length >= (ld8(inner) & 15) * 4 and ld8(inner) == 0x45:
        st8(inner + 1, (ld8(inner + 1) & 0xFC) | ecn)
        set_checksum(inner)


@kernel
def ipip4_input(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    pool = w.pool
    counters = w.if_rx
    d = rec(node, NODE)
    err = d.err_base
    r = rec(d.data, RUNTIME)
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
        error = E_DECAP
        slot = DROP
        found = -1
        if header < 20 or length < header:
            error = E_BAD_PROTOCOL
        elif ld16(ip + FRAGMENT) & _MORE_FRAGMENTS_LE:
            error = E_FRAGMENTED
        else:
            protocol = ld8(ip + PROTOCOL)
            found = search_16(r.map, addresses_key(ld32(ip + SOURCE), ld32(ip + DESTINATION)), m.fib_index)
            if found < 0:
                error = E_NO_TUNNEL
            elif protocol == _IPIP:
                slot = IP4
            elif protocol == _IP6:
                slot = IP6
            else:
                error = E_BAD_PROTOCOL
        if error == E_DECAP:
            m.current_data = m.current_data + header
            m.current_length = length - header
            if rec(r.tunnels + found * IP_TUNNEL_SIZE, IP_TUNNEL).flags & DECAP_COPY_ECN:
                copy_ecn(ip, ip + header, length - header, slot == IP6)
            m.flags &= ~OUTER_FLAGS
            m.rx_sw_if = found
            m.tx_sw_if = -1
            c = counters + 16 * found
            st64(c, ld64(c) + 1)
            st64(c + 8, ld64(c + 8) + length_in_chain(b))
            done += 1
        else:
            m.error = err + error
        set_next(frame, i, slot)
    count(worker, err + E_DECAP, done)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The tunnels."""
    table = plane.shared(IpipTable)
    node.data["map"], node.data["tunnels"] = table.map.address, table.address


IPIP4_INPUT = NodeType(
    name="ipip4-input",
    kernel=ipip4_input,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=received("IPIP"),
    bind=bind,
    doc=__doc__ or "",
)
