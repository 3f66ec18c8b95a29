"""ip4-arp and ip4-glean: packets whose next hop's MAC is not known ask for it (RFC 826) and are dropped.

ip4-glean asks for the packet's destination (an attached prefix), ip4-arp for the adjacency's next hop. One request a
millisecond for each address and interface ("ARP requests throttled"). The request comes from the adjacency's source
address; a glean that has none, since its prefix is no interface's own, takes the one of its interface's that suits the
destination. "no source address for ARP request": there is none. As in VPP the packet itself is not kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, DATA, LOCALLY_ORIGINATED, allocate, buffer_at
from vectorplane.dataplane.frame import enqueue
from vectorplane.dataplane.interface import INTERFACE
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.arp_header import (
    ARP_SIZE,
    ETHERNET_LE,
    IP4_LE,
    L2_TYPE,
    L3_TYPE,
    OPCODE,
    REQUEST_LE,
    SENDER_IP,
    SENDER_MAC,
    SIZES,
    SIZES_LE,
    TARGET_IP,
    TARGET_MAC,
    ArpCounters,
    interface_at,
    tick,
)
from vectorplane.graph_nodes.forwarding import (
    ADJ_LONG_END,
    ADJ_SIZE,
    ADJACENCY,
    DPO_ADJACENCY,
    DPO_ADJACENCY_INCOMPLETE,
    DPO_GLEAN,
    Forwarding,
)
from vectorplane.graph_nodes.ip4_source import NO_ADDRESS, InterfaceAddresses, asking_source
from vectorplane.graph_nodes.throttle import ArpThrottle, throttled
from vectorplane.graph_nodes.trace_forward import FORWARD_TRACE
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import bswap32, copy, ld32, rec, st16, st32

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip4-drop",)
ERRORS = (
    ("throttled", "ARP requests throttled"),
    ("resolved", "ARP requests resolved"),
    ("no_buffers", "ARP requests out of buffer"),
    ("request_sent", "ARP requests sent"),
    ("non_arp_adj", "ARPs to non-ARP adjacencies"),
    ("no_source_address", "no source address for ARP request"),
)
THROTTLED, RESOLVED, NO_BUFFERS, REQUEST_SENT, NON_ARP_ADJ, NO_SOURCE_ADDRESS = range(6)
WINDOW = 1_000_000
"""Nanoseconds in which an address is asked for once."""

RUNTIME = np.dtype([("adjacencies", "i8"), ("throttle", "i8"), ("requests", "i8"), ("addresses", "i8")])


@helper
def ask(worker: int, adjacency: int, source: int, address: int, time: int, seq: int) -> bool:
    """Send an ARP request for ``address`` (both as they stand in a packet); False when there is no buffer."""
    w = rec(worker, WORKER)
    adj = rec(adjacency, ADJACENCY)
    index = allocate(worker)
    if index < 0:
        return False
    b = buffer_at(worker, index)
    m = rec(b, BUFFER)
    m.time = time
    m.seq = seq
    m.tx_sw_if = adj.sw_if_index
    m.flags = LOCALLY_ORIGINATED
    arp = b + DATA
    interface = rec(interface_at(worker, adj.sw_if_index), INTERFACE)
    st16(arp + L2_TYPE, ETHERNET_LE)
    st16(arp + L3_TYPE, IP4_LE)
    st16(arp + SIZES, SIZES_LE)
    st16(arp + OPCODE, REQUEST_LE)
    st32(arp + SENDER_MAC, interface.mac)
    st16(arp + SENDER_MAC + 4, interface.mac >> 32)
    st32(arp + SENDER_IP, source)
    st32(arp + TARGET_MAC, 0)
    st16(arp + TARGET_MAC + 4, 0)
    st32(arp + TARGET_IP, address)
    length = adj.arp_length
    copy(arp - length, adjacency + ADJ_LONG_END - length, length)
    m.current_data = -length
    m.current_length = ARP_SIZE + length
    w.generated += 1
    enqueue(worker, adj.output_node, index)
    return True


@helper
def resolve(worker: int, node: int, frame: int, glean: bool) -> int:
    """The body of both nodes."""
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        m = rec(b, BUFFER)
        adjacency = r.adjacencies + m.adj * ADJ_SIZE
        adj = rec(adjacency, ADJACENCY)
        address = adj.next_hop & 0xFFFFFFFF
        if glean:
            address = ld32(b + DATA + m.current_data + 16)
        set_next(frame, i, 0)
        source = adj.arp_source
        if glean and source == 0:
            chosen = asking_source(r.addresses, adj.sw_if_index, bswap32(address))
            source = 0 if chosen == NO_ADDRESS else bswap32(chosen)
        if source == 0:
            error = NO_SOURCE_ADDRESS
        elif throttled(r.throttle, (bswap32(address) << 32) | adj.sw_if_index, m.time // WINDOW):
            error = THROTTLED
        elif adj.type == DPO_ADJACENCY:
            error = RESOLVED
        elif adj.type != (DPO_GLEAN if glean else DPO_ADJACENCY_INCOMPLETE):
            error = NON_ARP_ADJ
        elif ask(worker, adjacency, source, address, m.time, m.seq):
            error = REQUEST_SENT
            tick(r.requests, adj.sw_if_index)
        else:
            error = NO_BUFFERS
        m.error = d.err_base + error
    return n


@kernel
def ip4_arp(worker: int, node: int, frame: int) -> int:
    """Ask for the adjacency's next hop."""
    return resolve(worker, node, frame, False)


@kernel
def ip4_glean(worker: int, node: int, frame: int) -> int:
    """Ask for the packet's destination."""
    return resolve(worker, node, frame, True)


def bind(plane: Dataplane, node: Node) -> None:
    """Adjacencies, addresses, throttle, counters."""
    node.data["addresses"] = plane.shared(InterfaceAddresses).address
    node.data["adjacencies"] = plane.shared(Forwarding).adj_address
    node.data["throttle"] = plane.shared(ArpThrottle).address
    node.data["requests"] = plane.shared(ArpCounters).addresses("tx", "requests")


IP4_ARP = NodeType(
    name="ip4-arp",
    kernel=ip4_arp,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=FORWARD_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
IP4_GLEAN = NodeType(
    name="ip4-glean",
    kernel=ip4_glean,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=FORWARD_TRACE,
    bind=bind,
)
