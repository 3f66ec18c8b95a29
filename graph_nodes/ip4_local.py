"""ip4-local, ip4-receive: IPv4 packets to this router itself (RFC 1122 3.2, RFC 1812 4.2 and 4.3), as VPP takes them.

* A fragment goes to `ip4-local-full-reassembly`, unchecked.
* TCP and UDP: the checksum over pseudo header and chain must be right ("bad tcp checksum", "bad udp checksum");
  a UDP checksum of 0 is none, and a UDP length beyond the IP length counts as a bad checksum.
* The source is looked up in the packet's FIB. It is an address of ours: "ip4 spoofed local-address packet drops".
  Its route leads to no interface and the packet is no broadcast: "ip4 source lookup miss". The load-balance found
  stays in `adj`: a reply can go by it.
* The features of arc ip4-local on the interface that has the address; then, by protocol, the node that has
  registered with `LocalProtocols`. Nobody has: `ip4-punt`, "unknown ip protocol" (so TCP without a stack).

ip4-receive is where routes to own addresses lead (its object, `adj`, is the interface that has the address, or
0); ip4-local is for nodes that know that a packet is for us; ip4-local-end-of-arc is where the features end.
The errors of all three are ip4-local's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import (
    BUFFER,
    CELL,
    DATA,
    IS_IP4,
    L4_CHECKSUM_COMPUTED,
    L4_CHECKSUM_CORRECT,
    OFFLOAD_L4_CHECKSUM,
)
from vectorplane.dataplane.feature import ArcType, feature_start
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.tables.mtrie import lookup, root_of
from vectorplane.graph_nodes.errors4 import (
    ERRORS,
    SPOOFED_LOCAL_PACKETS,
    SRC_LOOKUP_MISS,
    TCP_CHECKSUM,
    UDP_CHECKSUM,
    UNKNOWN_PROTOCOL,
)
from vectorplane.graph_nodes.fib import Fibs
from vectorplane.graph_nodes.forwarding import (
    DPO,
    DPO_ADJACENCY,
    DPO_ADJACENCY_INCOMPLETE,
    DPO_GLEAN,
    DPO_LOAD_BALANCE,
    DPO_MIDCHAIN,
    DPO_RECEIVE,
    DPO_SIZE,
    LB_SIZE,
    LOAD_BALANCE,
    Forwarding,
)
from vectorplane.graph_nodes.ip4_header import DESTINATION, FRAGMENT, LENGTH, PROTOCOL, SOURCE
from vectorplane.graph_nodes.l4_checksum import l4_sum
from vectorplane.graph_nodes.next_by_number import NextByNumber
from vectorplane.graph_nodes.trace_forward import FORWARD_TRACE
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import be16, be32, ld8, ld16, ld16s, ld32, prefetch, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip4-drop", "ip4-punt", "ip4-icmp-input", "ip4-local-full-reassembly", "ip4-udp-lookup")
DROP, PUNT, ICMP, REASSEMBLY, UDP_LOOKUP = range(5)

IP4_LOCAL_ARC = ArcType("ip4-local", ("ip4-local", "ip4-receive"), "ip4-local-end-of-arc")

RUNTIME = np.dtype(
    [
        ("slots", "i8"),
        ("arc", "i8"),
        ("roots", "i8"),
        ("plies", "i8"),
        ("lbs", "i8"),
        ("buckets", "i8"),
        ("err", "i8"),
        ("head", "i8"),  # begins the arc: checks and features
        ("receive", "i8"),  # `adj` is the own interface
    ]
)

_TCP, _UDP = 6, 17
_FRAGMENT_LE = 0xFF3F  # offset and more fragments, as a little-endian load sees them


@helper
def l4_error(worker: int, b: int, ip: int, header: int) -> int:
    """Which error the checksum of a TCP or UDP packet gives it; `UNKNOWN_PROTOCOL` (VPP's "so far none")."""
    m = rec(b, BUFFER)
    protocol = ld8(ip + PROTOCOL)
    if protocol != _TCP and protocol != _UDP:
        return UNKNOWN_PROTOCOL
    wrong = UDP_CHECKSUM if protocol == _UDP else TCP_CHECKSUM
    if m.flags & OFFLOAD_L4_CHECKSUM:
        return UNKNOWN_PROTOCOL
    if m.flags & L4_CHECKSUM_COMPUTED:
        return UNKNOWN_PROTOCOL if m.flags & L4_CHECKSUM_CORRECT else wrong
    m.flags |= L4_CHECKSUM_COMPUTED
    total = be16(ip + LENGTH)
    if protocol == _UDP:
        if m.current_length < header + 8:
            return wrong
        if ld16(ip + header + 6) == 0:
            m.flags |= L4_CHECKSUM_CORRECT
            return wrong if be16(ip + header + 4) > total else UNKNOWN_PROTOCOL
        if be16(ip + header + 4) > total:
            return wrong
    if l4_sum(worker, b, ip, header, total - header) != 0xFFFF:
        return wrong
    m.flags |= L4_CHECKSUM_CORRECT
    return UNKNOWN_PROTOCOL


@helper
def bucket_type(lb_index: int, k: int, lbs: int, buckets: int) -> int:
    """The type of a load-balance's bucket ``k``."""
    lb = rec(lbs + lb_index * LB_SIZE, LOAD_BALANCE)
    if lb.n_minus_1 == 0:
        return int(lb.type)
    return int(rec(buckets + (lb.buckets + k) * DPO_SIZE, DPO).type)


@helper
def leads_out(lb_index: int, lbs: int, buckets: int) -> bool:
    """Does any bucket lead to an interface? (VPP: the uRPF list of the load-balance is not empty.)"""
    for k in range(rec(lbs + lb_index * LB_SIZE, LOAD_BALANCE).n_minus_1 + 1):
        kind = bucket_type(lb_index, k, lbs, buckets)
        if kind == DPO_ADJACENCY or kind == DPO_ADJACENCY_INCOMPLETE or kind == DPO_GLEAN:
            return True
        if kind == DPO_MIDCHAIN or kind == DPO_LOAD_BALANCE or kind == DPO_RECEIVE:
            return True
    return False


@helper
def source_error(lb_index: int, ip: int, lbs: int, buckets: int) -> int:
    """Which error the route back to the source gives a packet; `UNKNOWN_PROTOCOL`: none so far."""
    if bucket_type(lb_index, 0, lbs, buckets) == DPO_RECEIVE:
        return SPOOFED_LOCAL_PACKETS
    if ld32(ip + DESTINATION) != 0xFFFFFFFF and not leads_out(lb_index, lbs, buckets):
        return SRC_LOOKUP_MISS
    return UNKNOWN_PROTOCOL


@kernel
def ip4_local(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    r = rec(rec(node, NODE).data, RUNTIME)
    head = r.head
    receive = r.receive
    n = frame_n(frame)
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        ip = b + DATA + m.current_data
        m.l3_offset = m.current_data
        m.flags |= IS_IP4
        error = UNKNOWN_PROTOCOL
        slot = PUNT
        own = m.rx_sw_if
        if receive != 0 and m.adj > 0:
            own = m.adj
        if m.current_length < 20 or m.current_length < (ld8(ip) & 15) * 4:
            slot = DROP
        elif ld16(ip + FRAGMENT) & _FRAGMENT_LE:
            slot = REASSEMBLY
        else:
            slot = ld16s(r.slots + 2 * ld8(ip + PROTOCOL))
            if head != 0:
                error = l4_error(worker, b, ip, (ld8(ip) & 15) * 4)
                if m.tx_sw_if >= 0:
                    m.fib_index = m.tx_sw_if
                lb = lookup(root_of(r.roots, m.fib_index), r.plies, be32(ip + SOURCE))
                m.adj = lb
                if error == UNKNOWN_PROTOCOL:
                    error = source_error(lb, ip, r.lbs, r.buckets)
                if error != UNKNOWN_PROTOCOL:
                    slot = DROP
        m.error = r.err + error
        if head != 0 and error == UNKNOWN_PROTOCOL and slot != DROP:
            feature = feature_start(r.arc, own, b)
            if feature >= 0:
                slot = feature
        set_next(frame, i, slot)
    return n


class LocalProtocols(NextByNumber):
    """Which node takes which IP protocol's packets to this router."""

    owner = "ip4-local"
    default = PUNT


def bind(plane: Dataplane, node: Node) -> None:
    """Protocols, features, FIBs; the errors are ip4-local's."""
    protocols = plane.shared(LocalProtocols)
    fibs = plane.shared(Fibs)
    forwarding = plane.shared(Forwarding)
    node.data["slots"] = protocols.address
    node.data["arc"] = plane.arcs["ip4-local"].address
    node.data["roots"], node.data["plies"] = fibs.roots_address, fibs.plies_address
    node.data["lbs"], node.data["buckets"] = forwarding.lb_address, forwarding.bucket_address
    node.data["err"] = plane.graph.add("ip4-local").error_base
    node.data["head"] = node.name != "ip4-local-end-of-arc"
    node.data["receive"] = node.name == "ip4-receive"
    if node.name == "ip4-local":
        protocols.register(1, "ip4-icmp-input")
        protocols.register(_UDP, "ip4-udp-lookup")


IP4_LOCAL = NodeType(
    name="ip4-local",
    kernel=ip4_local,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=FORWARD_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
IP4_RECEIVE = NodeType(
    name="ip4-receive",
    kernel=ip4_local,
    sibling_of="ip4-local",
    runtime=RUNTIME,
    trace=FORWARD_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
IP4_LOCAL_END_OF_ARC = NodeType(
    name="ip4-local-end-of-arc",
    kernel=ip4_local,
    sibling_of="ip4-local",
    runtime=RUNTIME,
    trace=FORWARD_TRACE,
    bind=bind,
)
