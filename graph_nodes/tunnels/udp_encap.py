"""vxlan4-encap, geneve4-encap: a frame (or, in L3 mode, an IP packet) goes into a tunnel (RFC 7348 5, RFC 8926 3).

The tunnel's header is put in front, with the lengths, the IP checksum and, as UDP source port, the flow hash of what
is inside. Then the packet follows the route to the tunnel's other end, or leaves as multicast. The tunnel counts it as
sent, outer header included. Drops: no route to the other end (as any packet without one); "packet began anew too often"
and "no room for another header", which end what would be encapsulated for ever (VPP goes on).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import (
    BUFFER,
    CELL,
    DATA,
    NEXT_PRESENT,
    OFFLOAD_IP_CHECKSUM,
    OFFLOAD_L4_CHECKSUM,
)
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.checksum_offload import finish_checksums
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.forwarding import Forwarding
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.tunnels.inner_hash import frame_hash, packet_hash
from vectorplane.graph_nodes.tunnels.udp_tunnel import (
    HEADER_BYTES,
    T_HEADER,
    TUNNEL_SIZE,
    UDP_TUNNEL,
    GeneveTable,
    VxlanTable,
)
from vectorplane.graph_nodes.tunnels.underlay import ROOM, follow
from vectorplane.graph_nodes.turns import TOO_MANY, turn
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import bswap16, ld32, ld64, prefetch, rec, st16, st32, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

DROP = 0
ERRORS = named_by_text("good packets encapsulated", TOO_MANY[1], "no room for another header")
E_ENCAPSULATED, E_TOO_MANY, E_NO_ROOM = range(3)
OFFLOADED = OFFLOAD_IP_CHECKSUM | OFFLOAD_L4_CHECKSUM

RUNTIME = np.dtype([("tunnels", "i8"), ("lbs", "i8"), ("buckets", "i8")])

TRACE = np.dtype([("instance", "i4"), ("vni", "i4")])


@kernel
def trace(worker: int, node: int, frame: int) -> int:
    """The tunnel of each traced packet."""
    pool = rec(worker, WORKER).pool
    tunnels = rec(rec(node, NODE).data, RUNTIME).tunnels
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            b = pool + buffer_index(frame, i) * CELL
            tunnel = rec(tunnels + rec(b, BUFFER).tx_sw_if * TUNNEL_SIZE, UDP_TUNNEL)
            rec(t, TRACE).instance = tunnel.instance
            rec(t, TRACE).vni = tunnel.vni
    return n


@helper
def folded(total: int) -> int:
    """A sum of 16-bit words as the Internet checksum of them."""
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@kernel
def udp_encap(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    pool = w.pool
    counters = w.if_tx
    d = rec(node, NODE)
    err = d.err_base
    r = rec(d.data, RUNTIME)
    router_id = ld32(r.buckets)
    n = frame_n(frame)
    last = -1
    at = 0
    dpo = 0
    is_l3 = False
    h0 = 0
    h1 = 0
    h2 = 0
    h3 = 0
    h4 = 0
    base = 0
    done = 0
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        prefetch(ahead + DATA - 64)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        if m.tx_sw_if != last:
            last = m.tx_sw_if
            at = r.tunnels + last * TUNNEL_SIZE
            tunnel = rec(at, UDP_TUNNEL)
            is_l3 = tunnel.is_l3 != 0
            base = tunnel.sum
            dpo = tunnel.adjacency
            if dpo == 0 and tunnel.in_use:
                dpo = follow(r.lbs, tunnel.lb)
            h0 = ld64(at + T_HEADER)
            h1 = ld64(at + T_HEADER + 8)
            h2 = ld64(at + T_HEADER + 16)
            h3 = ld64(at + T_HEADER + 24)
            h4 = ld32(at + T_HEADER + 32)
        where = m.current_data
        length = m.current_length
        if where < HEADER_BYTES - ROOM or not turn(b):
            m.error = err + (E_NO_ROOM if where < HEADER_BYTES - ROOM else E_TOO_MANY)
            set_next(frame, i, DROP)
            continue
        if m.flags & OFFLOADED:
            finish_checksums(worker, b)  # the device that leaves them to us will not see the inner packet
        inner = b + DATA + where
        if is_l3:
            h = packet_hash(inner, length, router_id)
        else:
            h = frame_hash(inner, length, router_id)
        outer = inner - HEADER_BYTES
        st64(outer, h0)
        st64(outer + 8, h1)
        st64(outer + 16, h2)
        st64(outer + 24, h3)
        st32(outer + 32, h4)
        m.current_data = where - HEADER_BYTES
        m.current_length = length + HEADER_BYTES
        whole = length + HEADER_BYTES
        if m.flags & NEXT_PRESENT:
            whole += m.total_rest
        size = bswap16(whole)
        st16(outer + 2, size)
        st16(outer + 10, folded(base + size))
        st16(outer + 20, h)
        st16(outer + 24, bswap16(whole - 20))
        c = counters + 16 * last
        st64(c, ld64(c) + 1)
        st64(c + 8, ld64(c + 8) + whole)
        m.flow_hash = h
        m.adj = dpo >> 32
        if dpo == 0:
            m.error = 0
        set_next(frame, i, dpo & 0xFFFF)
        done += 1
    count(worker, err + E_ENCAPSULATED, done)
    return n


def vxlan_text(record: Any, plane: Dataplane) -> str:
    """``VXLAN encap to vxlan_tunnel0 vni 13``."""
    return f"VXLAN encap to vxlan_tunnel{record['instance']} vni {record['vni']}"


def geneve_text(record: Any, plane: Dataplane) -> str:
    """``GENEVE encap to geneve_tunnel0 vni 13``."""
    return f"GENEVE encap to geneve_tunnel{record['instance']} vni {record['vni']}"


def bind(plane: Dataplane, node: Node) -> None:
    """The tunnels and the load-balances."""
    forwarding = plane.shared(Forwarding)
    table = plane.shared(VxlanTable if node.type.name == "vxlan4-encap" else GeneveTable)
    node.data["tunnels"] = table.address
    node.data["lbs"], node.data["buckets"] = forwarding.lb_address, forwarding.bucket_address


VXLAN4_ENCAP = NodeType(
    name="vxlan4-encap",
    kernel=udp_encap,
    sibling_of="ip4-lookup",
    errors=ERRORS,
    runtime=RUNTIME,
    trace=Trace(TRACE, trace, vxlan_text),
    bind=bind,
    doc=__doc__ or "",
)
GENEVE4_ENCAP = NodeType(
    name="geneve4-encap",
    kernel=udp_encap,
    sibling_of="ip4-lookup",
    errors=ERRORS,
    runtime=RUNTIME,
    trace=Trace(TRACE, trace, geneve_text),
    bind=bind,
    doc=__doc__ or "",
)
