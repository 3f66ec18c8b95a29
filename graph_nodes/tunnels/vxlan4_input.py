"""vxlan4-input: VXLAN packets to this router, to the tunnel that they came by (RFC 7348 4.1).

The tunnel is found by both addresses, VNI, UDP port and FIB; of packets to a group first the group's tunnel, which
counts them, then the one from its address to the sender. What is inside goes on as received by the tunnel's interface:
to `l2-input`, or to the node that the tunnel names. Drops: "packets with bad flags field in vxlan header", "no such
tunnel packets", and (VPP reads on) a packet that ends in its headers: "packets too short".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, get_next, set_next
from vectorplane.dataplane.buffer import (
    BUFFER,
    CELL,
    DATA,
    L4_CHECKSUM_COMPUTED,
    L4_CHECKSUM_CORRECT,
    LOCALLY_ORIGINATED,
    NEXT_PRESENT,
)
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.tables.hash_map import search_16
from vectorplane.dataplane.trace import add_trace, is_traced
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.ip4_header import DESTINATION, SOURCE
from vectorplane.graph_nodes.l2.header import measure
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.tunnels.udp_tunnel import (
    NO_TUNNEL,
    RECENT,
    RECENT_BITS,
    RECENT_SIZE,
    TUNNEL_SIZE,
    UDP_TUNNEL,
    VxlanTable,
)
from vectorplane.jit.kernel import helper, kernel, routine
from vectorplane.jit.ops import add, ld8, ld16, ld32, ld64, mul, prefetch, rec, shr, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "l2-input")
DROP, L2_INPUT = range(2)
ERRORS = named_by_text(
    "good packets decapsulated",
    "no such tunnel packets",
    "packets with bad flags field in vxlan header",
    "packets too short",
)
E_DECAPSULATED, E_NO_SUCH_TUNNEL, E_BAD_FLAGS, E_TOO_SHORT = range(4)

RUNTIME = np.dtype([("map", "i8"), ("tunnels", "i8"), ("recent", "i8"), ("changes", "i8"), ("changes_at", "i8")])

TRACE = np.dtype([("instance", "i4"), ("vni", "i4"), ("next", "i4"), ("error", "i4")])

HEADER = 8
OUTER_FLAGS = L4_CHECKSUM_COMPUTED | L4_CHECKSUM_CORRECT | LOCALLY_ORIGINATED
"""What was found out about the outer packet and is not true of the inner one."""
FLAG_VNI = 0x08


@helper
def key_of(destination: int, source: int) -> int:
    """Both addresses in a word."""
    return add(destination << 32, source)


@helper
def port_fib_vni(port: int, fib: int, vni: int) -> int:
    """The rest of a tunnel's key."""
    return add(port << 48, fib << 32 | vni)


@routine
def group_tunnel(table: int, tunnels: int, destination: int, source: int, second: int) -> int:
    """The tunnel of a packet to a group: the one that counts it << 32 | the one it is received by; or `NO_TUNNEL`."""
    counts = search_16(table, destination, second)
    if counts == NO_TUNNEL:
        return NO_TUNNEL
    local = rec(tunnels + counts * TUNNEL_SIZE, UDP_TUNNEL).local & 0xFFFFFFFF
    receives = search_16(table, key_of(local, source), second)
    if receives == NO_TUNNEL:
        return NO_TUNNEL
    return counts << 32 | receives


@helper
def find_vxlan(table: int, tunnels: int, destination: int, source: int, second: int) -> int:
    """The tunnel of a packet: the one that counts it << 32 | the one it is received by; or `NO_TUNNEL`."""
    found = search_16(table, key_of(destination, source), second)
    if found != NO_TUNNEL:
        return found | found << 32
    if destination & 0xF0 == 0xE0:
        return group_tunnel(table, tunnels, destination, source, second)
    return NO_TUNNEL


@helper
def place_of(first: int, second: int) -> int:
    """Where a worker remembers the tunnel of this key."""
    x = mul(first ^ mul(second, 0x2545F4914F6CDD1D), 0x5851F42D4C957F2D)
    return shr(x, 64 - RECENT_BITS)


@routine
def forget(changes_at: int, data: int) -> int:
    """Forget all tunnels that this worker remembers; they have changed."""
    r = rec(data, RUNTIME)
    r.changes = ld64(changes_at)
    for k in range(1 << RECENT_BITS):
        e = rec(r.recent + k * RECENT_SIZE, RECENT)
        e.first = 0
        e.second = 0
        e.found = NO_TUNNEL  # of the key that is all zero
    return 0


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
    """``VXLAN decap from vxlan_tunnel0 vni 13 next 1 error 0``."""
    vni = int.from_bytes(int(record["vni"]).to_bytes(4, "little", signed=True)[:3], "big")
    if int(record["instance"]) < 0:
        return f"VXLAN decap error - tunnel for vni {vni} does not exist"
    tunnel = f"vxlan_tunnel{record['instance']}"
    return f"VXLAN decap from {tunnel} vni {vni} next {record['next']} error {record['error']}"


@kernel
def vxlan4_input(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    pool = w.pool
    counters = w.if_rx
    d = rec(node, NODE)
    err = d.err_base
    r = rec(d.data, RUNTIME)
    table = r.map
    tunnels = r.tunnels
    recent = r.recent
    if r.changes != ld64(r.changes_at):
        forget(r.changes_at, d.data)
    n = frame_n(frame)
    done = 0
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        length = m.current_length
        d0 = b + DATA
        vxlan = d0 + m.current_data
        error = E_TOO_SHORT
        found = NO_TUNNEL
        slot = DROP
        if length >= HEADER:
            error = E_BAD_FLAGS if ld8(vxlan) != FLAG_VNI else E_DECAPSULATED
        if error == E_DECAPSULATED:
            ip = d0 + m.l3_offset
            destination = ld32(ip + DESTINATION)
            source = ld32(ip + SOURCE)
            first = key_of(destination, source)
            second = port_fib_vni(ld16(vxlan - 6), m.fib_index, ld32(vxlan + 4))
            e = rec(recent + place_of(first, second) * RECENT_SIZE, RECENT)
            if e.first != first or e.second != second:
                found = find_vxlan(table, tunnels, destination, source, second)
                e.first = first
                e.second = second
                e.found = found
                e.next = DROP
                if found != NO_TUNNEL:
                    e.next = rec(tunnels + (found & 0xFFFFFFFF) * TUNNEL_SIZE, UDP_TUNNEL).next
            found = e.found
            slot = e.next
            if found == NO_TUNNEL:
                error = E_NO_SUCH_TUNNEL
            else:
                m.current_data = m.current_data + HEADER
                m.current_length = length - HEADER
                if measure(b) == 0 and slot == L2_INPUT:
                    error = E_TOO_SHORT
        if error == E_DECAPSULATED:
            m.flags &= ~OUTER_FLAGS
            m.rx_sw_if = found & 0xFFFFFFFF
            m.tx_sw_if = -1
            whole = length - HEADER
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
    table = plane.shared(VxlanTable)
    node.data["map"], node.data["tunnels"] = table.map.address, table.address
    node.data["recent"], node.data["changes_at"] = table.recent_addresses, table.changes_address


VXLAN4_INPUT = NodeType(
    name="vxlan4-input",
    kernel=vxlan4_input,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=Trace(TRACE, trace, text),
    bind=bind,
    doc=__doc__ or "",
)
