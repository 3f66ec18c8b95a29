"""ip6-local, ip6-receive: IPv6 packets to this router itself (RFC 8200, RFC 4443), as VPP takes them.

* ICMPv6 and UDP: the checksum over pseudo header and payload must be right ("bad icmp checksum", "bad udp checksum";
  a payload length beyond the packet counts as that too). A UDP checksum of 0 is none; a UDP length beyond the payload's
  is "inconsistent udp/ip lengths".
* The source of all but ICMPv6 and link-local packets must have a route: "ip6 source lookup miss".
* The features of arc ip6-local on the interface that has the address; then, by protocol, the node that has
  registered with `LocalProtocols6`. Nobody has: `ip6-punt`, "unknown ip protocol".

ip6-receive is where routes to own addresses lead (its object, `adj`, is the interface that has the address);
ip6-local-end-of-arc is where the features end. The errors of all three are ip6-input's, as in VPP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import (
    BUFFER,
    CELL,
    DATA,
    L4_CHECKSUM_COMPUTED,
    L4_CHECKSUM_CORRECT,
    OFFLOAD_L4_CHECKSUM,
)
from vectorplane.dataplane.feature import ArcType, feature_start
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.errors6 import (
    ICMP_CHECKSUM,
    SRC_LOOKUP_MISS,
    TOO_SHORT,
    UDP_CHECKSUM,
    UDP_LENGTH,
    UNKNOWN_PROTOCOL,
)
from vectorplane.graph_nodes.fib6 import DROP6, KIND, MISS, Fib6, longest
from vectorplane.graph_nodes.ip6_header import (
    HEADER,
    ICMP6,
    PROTOCOL,
    SOURCE,
    UDP,
    address_high,
    address_low,
    is_link_local,
    payload_length,
    payload_sum,
)
from vectorplane.graph_nodes.next_by_number import NextByNumber
from vectorplane.graph_nodes.trace_ip6 import IP6_FORWARD_TRACE
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import be16, ld8, ld16, ld16s, prefetch, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip6-drop", "ip6-punt", "ip6-icmp-input")
DROP, PUNT = range(2)

IP6_LOCAL_ARC = ArcType("ip6-local", ("ip6-local", "ip6-receive"), "ip6-local-end-of-arc")

RUNTIME = np.dtype(
    [
        ("slots", "i8"),
        ("arc", "i8"),
        ("fib6", "i8"),
        ("err", "i8"),
        ("head", "i8"),  # begins the arc: checks and features
        ("receive", "i8"),  # `adj` is the own interface
    ]
)


@helper
def checksum_error(worker: int, b: int, ip: int) -> int:
    """Which error the checksum and lengths of an ICMPv6 or UDP packet give it; `UNKNOWN_PROTOCOL`: none so far."""
    m = rec(b, BUFFER)
    protocol = ld8(ip + PROTOCOL)
    if protocol != ICMP6 and protocol != UDP:
        return UNKNOWN_PROTOCOL
    wrong = UDP_CHECKSUM if protocol == UDP else ICMP_CHECKSUM
    good = (m.flags & (L4_CHECKSUM_CORRECT | OFFLOAD_L4_CHECKSUM)) != 0
    short = False
    if protocol == UDP:
        if m.current_length < HEADER + 8:
            return wrong
        short = payload_length(ip) < be16(ip + HEADER + 4)
        good = good or ld16(ip + HEADER + 6) == 0
    if not good and (m.flags & L4_CHECKSUM_COMPUTED) == 0:
        good = payload_sum(worker, b, ip) == 0xFFFF
        m.flags |= L4_CHECKSUM_COMPUTED | (L4_CHECKSUM_CORRECT if good else 0)
    if not good:
        return wrong
    return UDP_LENGTH if short else UNKNOWN_PROTOCOL


@kernel
def ip6_local(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    r = rec(rec(node, NODE).data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        ip = b + DATA + m.current_data
        slot = DROP
        error = TOO_SHORT
        if m.current_length >= HEADER:
            error = UNKNOWN_PROTOCOL
            slot = ld16s(r.slots + 2 * ld8(ip + PROTOCOL))
            if r.head != 0:
                m.l3_offset = m.current_data
                error = checksum_error(worker, b, ip)
                if m.tx_sw_if >= 0:
                    m.fib_index = m.tx_sw_if
                if error == UNKNOWN_PROTOCOL and ld8(ip + PROTOCOL) != ICMP6 and not is_link_local(ip + SOURCE):
                    there = longest(r.fib6, m.fib_index, address_high(ip + SOURCE), address_low(ip + SOURCE))
                    if there == MISS or (there & KIND) == DROP6:
                        error = SRC_LOOKUP_MISS
                own = m.rx_sw_if
                if r.receive != 0 and m.adj > 0:
                    own = m.adj
                if error != UNKNOWN_PROTOCOL:
                    slot = DROP
                else:
                    feature = feature_start(r.arc, own, b)
                    if feature >= 0:
                        slot = feature
        m.error = r.err + error
        set_next(frame, i, slot)
    return n


class LocalProtocols6(NextByNumber):
    """Which node takes which protocol's packets to this router."""

    owner = "ip6-local"
    default = PUNT


def bind(plane: Dataplane, node: Node) -> None:
    """Protocols, features, FIBs; the errors are ip6-input's."""
    protocols = plane.shared(LocalProtocols6)
    node.data["slots"] = protocols.address
    node.data["arc"] = plane.arcs["ip6-local"].address
    node.data["fib6"] = plane.shared(Fib6).address
    node.data["err"] = plane.graph.add("ip6-input").error_base
    node.data["head"] = node.name != "ip6-local-end-of-arc"
    node.data["receive"] = node.name == "ip6-receive"
    if node.name == "ip6-local":
        protocols.register(ICMP6, "ip6-icmp-input")


IP6_LOCAL = NodeType(
    name="ip6-local",
    kernel=ip6_local,
    nexts=NEXTS,
    runtime=RUNTIME,
    trace=IP6_FORWARD_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
IP6_RECEIVE = NodeType(
    name="ip6-receive",
    kernel=ip6_local,
    sibling_of="ip6-local",
    runtime=RUNTIME,
    trace=IP6_FORWARD_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
IP6_LOCAL_END_OF_ARC = NodeType(
    name="ip6-local-end-of-arc",
    kernel=ip6_local,
    sibling_of="ip6-local",
    runtime=RUNTIME,
    trace=IP6_FORWARD_TRACE,
    bind=bind,
)
