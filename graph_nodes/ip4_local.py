"""ip4-local, ip4-receive: IPv4 packets to this router itself (RFC 1122 3.2, RFC 1812 4.2 and 4.3), as VPP takes them.

* A fragment goes to `ip4-local-full-reassembly`, unchecked.
* TCP and UDP: the checksum over pseudo header and chain must be right ("bad tcp checksum", "bad udp checksum");
  a UDP checksum of 0 is none, and a UDP length beyond the IP length counts as a bad checksum.
* What NAT has translated is not checked any further.
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
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, IS_IP4, IS_NATED
from vectorplane.dataplane.feature import ArcType, feature_start
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.tables.mtrie import lookup, root_of
from vectorplane.graph_nodes.errors4 import ERRORS, SRC_LOOKUP_MISS, UNKNOWN_PROTOCOL
from vectorplane.graph_nodes.fib import Fibs
from vectorplane.graph_nodes.forwarding import Forwarding
from vectorplane.graph_nodes.ip4_header import DESTINATION, FRAGMENT, PROTOCOL, SOURCE
from vectorplane.graph_nodes.ip4_local_checks import l4_error, source_error
from vectorplane.graph_nodes.next_by_number import NextByNumber
from vectorplane.graph_nodes.trace_forward import FORWARD_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import be32, ld8, ld16, ld16s, ld32, prefetch, rec

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

_ICMP, _UDP = 1, 17
_FRAGMENT_LE = 0xFF3F  # offset and more fragments, as a little-endian load sees them


@kernel
def ip4_local(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    r = rec(rec(node, NODE).data, RUNTIME)
    head = r.head
    receive = r.receive
    arc = r.arc
    slots = r.slots
    err = r.err
    last_source = -1
    last_fib = -1
    lb = 0
    from_there = UNKNOWN_PROTOCOL
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
            slot = ld16s(slots + 2 * ld8(ip + PROTOCOL))
            if head != 0:
                error = l4_error(worker, b, ip, (ld8(ip) & 15) * 4)
                if m.tx_sw_if >= 0:
                    m.fib_index = m.tx_sw_if
                fib = m.fib_index
                source = be32(ip + SOURCE)
                if source != last_source or fib != last_fib:
                    last_source = source
                    last_fib = fib
                    lb = lookup(root_of(r.roots, fib), r.plies, source)
                    from_there = source_error(lb, r.lbs, r.buckets)
                m.adj = lb
                if m.flags & IS_NATED:  # its source may be ours by now
                    error = UNKNOWN_PROTOCOL
                elif error == UNKNOWN_PROTOCOL:
                    error = from_there
                    if error == SRC_LOOKUP_MISS and ld32(ip + DESTINATION) == 0xFFFFFFFF:
                        error = UNKNOWN_PROTOCOL
                if error != UNKNOWN_PROTOCOL:
                    slot = DROP
        m.error = err + error
        if head != 0 and error == UNKNOWN_PROTOCOL and slot != DROP:
            feature = feature_start(arc, own, b)
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
        protocols.register(_ICMP, "ip4-icmp-input")
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
