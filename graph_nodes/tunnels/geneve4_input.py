"""geneve4-input: GENEVE packets to this router, to the tunnel that they came by (RFC 8926 3.4).

The tunnel is found by the sender and the VNI; FIB and destination must be the tunnel's, or the destination a group of
which there is a tunnel, which then counts the packet. Options are passed over. What is inside goes to `l2-input`, or
to the node that the tunnel names. Drops: "packets with bad flags field in geneve header" (another version, or options
that must be understood), "packets with invalid options length", "no such tunnel packets".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, get_next, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, NEXT_PRESENT
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.tables.hash_map import search_16
from vectorplane.dataplane.trace import add_trace, is_traced
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.ip4_header import DESTINATION, SOURCE
from vectorplane.graph_nodes.l2.header import measure
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.tunnels.udp_tunnel import NO_TUNNEL, TUNNEL_SIZE, UDP_TUNNEL, GeneveTable
from vectorplane.graph_nodes.tunnels.vxlan4_input import OUTER_FLAGS
from vectorplane.jit.kernel import kernel, routine
from vectorplane.jit.ops import ld8, ld32, ld64, prefetch, rec, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "l2-input")
DROP, L2_INPUT = range(2)
ERRORS = named_by_text(
    "good packets decapsulated",
    "no such tunnel packets",
    "packets with bad flags field in geneve header",
    "packets with invalid options length",
)
E_DECAPSULATED, E_NO_SUCH_TUNNEL, E_BAD_FLAGS, E_BAD_LENGTH = range(4)

RUNTIME = np.dtype([("map", "i8"), ("tunnels", "i8")])
TRACE = np.dtype([("instance", "i4"), ("vni", "i4"), ("next", "i4"), ("error", "i4")])

_CRITICAL = 0x40
VNI_LE = 0x00FFFFFF


@kernel
def trace(worker: int, node: int, frame: int) -> int:
    """Tunnel, VNI, next and error of each traced packet."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    tunnels = rec(d.data, RUNTIME).tunnels
    n = frame_n(frame)
    for i in range(n):
        bi = buffer_index(frame, i)
        b = pool + bi * CELL
        if is_traced(b):
            slot = get_next(frame, i)
            t = add_trace(worker, node, b, bi, slot)
            if t != 0:
                m = rec(b, BUFFER)
                r = rec(t, TRACE)
                r.next = slot
                r.vni = ld32(b + DATA + m.l4_offset + 12)
                r.error = m.error - d.err_base if slot == DROP else 0
                r.instance = -1
                if slot != DROP:
                    r.instance = rec(tunnels + m.rx_sw_if * TUNNEL_SIZE, UDP_TUNNEL).instance
    return n


def text(record: Any, plane: Dataplane) -> str:
    """``GENEVE decap from geneve_tunnel0 vni 13 next 1 error 0``."""
    vni = int.from_bytes(int(record["vni"]).to_bytes(4, "little", signed=True)[:3], "big")
    if int(record["instance"]) < 0:
        return f"GENEVE decap error - tunnel for vni {vni} does not exist"
    tunnel = f"geneve_tunnel{record['instance']}"
    return f"GENEVE decap from {tunnel} vni {vni} next {record['next']} error {record['error']}"


@routine
def find_geneve(table: int, tunnels: int, destination: int, source: int, vni: int, fib: int) -> int:
    """The tunnel of a packet: the one that counts it << 32 | the one it is received by; or `NO_TUNNEL`."""
    found = search_16(table, source, vni)
    if found == NO_TUNNEL:
        return NO_TUNNEL
    tunnel = rec(tunnels + found * TUNNEL_SIZE, UDP_TUNNEL)
    if tunnel.fib != fib:
        return NO_TUNNEL
    if tunnel.local & 0xFFFFFFFF == destination:
        return found | found << 32
    if destination & 0xF0 != 0xE0:
        return NO_TUNNEL
    counts = search_16(table, destination, vni)
    if counts == NO_TUNNEL:
        return NO_TUNNEL
    return found | counts << 32


@kernel
def geneve4_input(worker: int, node: int, frame: int) -> int:
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
        length = m.current_length
        geneve = b + DATA + m.current_data
        header = 8
        error = E_BAD_LENGTH
        found = NO_TUNNEL
        slot = DROP
        if length >= 8:
            header = 8 + (ld8(geneve) & 0x3F) * 4
            if header <= length:
                error = E_DECAPSULATED
                if ld8(geneve) >> 6 != 0 or ld8(geneve + 1) & _CRITICAL:
                    error = E_BAD_FLAGS
        if error == E_DECAPSULATED:
            ip = b + DATA + m.l3_offset
            vni = ld32(geneve + 4) & VNI_LE
            found = find_geneve(r.map, r.tunnels, ld32(ip + DESTINATION), ld32(ip + SOURCE), vni, m.fib_index)
            error = E_NO_SUCH_TUNNEL
            if found != NO_TUNNEL:
                slot = rec(r.tunnels + (found & 0xFFFFFFFF) * TUNNEL_SIZE, UDP_TUNNEL).next
                error = E_DECAPSULATED
                m.current_data = m.current_data + header
                m.current_length = length - header
                if measure(b) == 0 and slot == L2_INPUT:
                    error = E_BAD_LENGTH
        if error == E_DECAPSULATED:
            m.flags &= ~OUTER_FLAGS
            m.rx_sw_if = found & 0xFFFFFFFF
            m.tx_sw_if = -1
            whole = length - header
            if m.flags & NEXT_PRESENT:
                whole += m.total_rest
            c = counters + 16 * (found >> 32)
            st64(c, ld64(c) + 1)
            st64(c + 8, ld64(c + 8) + whole)
            set_next(frame, i, slot)
            done += 1
        else:
            m.error = err + error
            set_next(frame, i, DROP)
    count(worker, err + E_DECAPSULATED, done)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The tunnels."""
    table = plane.shared(GeneveTable)
    node.data["map"], node.data["tunnels"] = table.map.address, table.address


GENEVE4_INPUT = NodeType(
    name="geneve4-input",
    kernel=geneve4_input,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=Trace(TRACE, trace, text),
    bind=bind,
    doc=__doc__ or "",
)
