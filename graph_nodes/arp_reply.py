"""arp-reply: answers ARP requests for our own addresses and learns neighbours (RFC 826), by VPP's rules.

In this order:

* the sender's address is one of ours: "IP4 source address matches local interface" (a proxy may still answer);
* it is on no connected or attached prefix, nor that of a neighbour, and the interface is not unnumbered to the one
  that the target is on: "IP4 source address not local to subnet";
* the target is a neighbour: only learnt from, and only when it speaks of itself (gratuitous ARP);
* the target is not on a connected prefix: "IP4 destination address not local to subnet";
* the sender's MAC is not the frame's source (VRRP replies excepted): "ARP hw addr does not match L2 frame src addr";
* a reply: learnt from, when it is for our own address;
* a request for another's address: not ours to answer (dropped as "ARP replies sent", VPP's words);
* asked for on another interface than the address's own: "RX interface is unnumbered to different subnet";
* sender and target are the same: "ARP probe or announcement dropped";
* otherwise the reply goes back the way the request came, and the sender is learnt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import KEPT, NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, DATA, LOCALLY_ORIGINATED, buffer_at, free
from vectorplane.dataplane.feature import Feature, feature_next
from vectorplane.dataplane.interface import INTERFACE, MAX_INTERFACES
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.arp_header import (
    ARP_NODE_TRACE,
    ERRORS,
    GRATUITOUS_ARP,
    L2_ADDRESS_MISMATCH,
    L3_DST_ADDRESS_NOT_LOCAL,
    L3_SRC_ADDRESS_IS_LOCAL,
    L3_SRC_ADDRESS_LEARNED,
    L3_SRC_ADDRESS_NOT_LOCAL,
    OPCODE,
    REPLIES_SENT,
    REPLY_LE,
    REQUEST_LE,
    SENDER_IP,
    SENDER_MAC,
    TARGET_IP,
    UNNUMBERED_MISMATCH,
    ArpCounters,
    interface_at,
    is_vrrp_mac,
    mac_at,
    make_reply,
    same_mac,
    tick,
)
from vectorplane.graph_nodes.arp_owners import (
    ANY_INTERFACE,
    INTERFACE_OF,
    IS_CONNECTED,
    IS_NEIGHBOUR,
    LENGTH_OF,
    NO_INTERFACE,
    SOURCE_IS_LOCAL,
    TARGET_IS_LOCAL,
    ArpOwners,
    owner_of,
    route_interface,
    route_length,
)
from vectorplane.graph_nodes.drop import count_consumed
from vectorplane.graph_nodes.neighbour_table import NeighbourTable, learn
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import be32, ld16, ld32, ld32s, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "interface-output")
DROP, REPLY_TX = range(2)

RUNTIME = np.dtype(
    [
        ("arc", "i8"),
        ("owners", "i8"),
        ("neighbours", "i8"),
        ("unnumbered", "i8"),  # int32 by interface: sw_if_index + 1 of the one it borrows addresses from
        ("rx_replies", "i8"),
        ("rx_requests", "i8"),
        ("rx_gratuitous", "i8"),
        ("tx_replies", "i8"),
    ]
)

# what `judge` says: an error, and these
FEATURE, LEARN, REPLY, SAW_REPLY, SAW_REQUEST, SAW_GRATUITOUS = 256, 512, 1024, 2048, 4096, 8192


@helper
def judge(r_address: int, fib: int, sw_if: int, arp: int, l2_source: int) -> int:
    """What is to be done with an ARP packet, in VPP's order of checks (see the module's docstring)."""
    r = rec(r_address, RUNTIME)
    sender = be32(arp + SENDER_IP)
    target = be32(arp + TARGET_IP)
    there = owner_of(r.owners, fib, target)
    if there != -1 and (there >> LENGTH_OF) < route_length(r.owners, fib, target):
        there = -1
    connected = (there >> ANY_INTERFACE) & NO_INTERFACE
    lender = ld32s(r.unnumbered + 4 * sw_if)
    if there == -1 and lender != 0:
        connected = route_interface(r.owners, fib, target)
    unnumbered = lender == connected + 1
    source = owner_of(r.owners, fib, sender)
    if source == -1:
        if not unnumbered:
            return L3_SRC_ADDRESS_NOT_LOCAL
        source = NO_INTERFACE << INTERFACE_OF
    elif source & SOURCE_IS_LOCAL:
        return FEATURE | L3_SRC_ADDRESS_IS_LOCAL
    if there != -1 and there & IS_NEIGHBOUR:
        if connected != sw_if:
            return FEATURE | L3_DST_ADDRESS_NOT_LOCAL
        if sender == target:
            return FEATURE | LEARN | SAW_GRATUITOUS | L3_SRC_ADDRESS_LEARNED
        return FEATURE | REPLIES_SENT
    if there == -1 or (there & IS_CONNECTED) == 0:
        return FEATURE | L3_DST_ADDRESS_NOT_LOCAL
    opcode = ld16(arp + OPCODE)
    if not same_mac(l2_source, arp + SENDER_MAC) and not (opcode == REPLY_LE and is_vrrp_mac(arp + SENDER_MAC)):
        return L2_ADDRESS_MISMATCH
    seen = SAW_REPLY if opcode == REPLY_LE else SAW_REQUEST
    local = (there & TARGET_IS_LOCAL) != 0
    if opcode == REPLY_LE:
        if local:
            return FEATURE | LEARN | seen | L3_SRC_ADDRESS_LEARNED
        return FEATURE | seen | L3_DST_ADDRESS_NOT_LOCAL
    if opcode == REQUEST_LE and not local:
        return FEATURE | seen | REPLIES_SENT
    if (sw_if != connected or sw_if != (source >> INTERFACE_OF) & NO_INTERFACE) and not unnumbered:
        return seen | UNNUMBERED_MISMATCH
    if sender == target:
        return seen | GRATUITOUS_ARP
    return REPLY | LEARN | seen


@kernel
def arp_reply(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        bi = buffer_index(frame, i)
        b = buffer_at(worker, bi)
        m = rec(b, BUFFER)
        sw_if = m.rx_sw_if
        interface = interface_at(worker, sw_if)
        arp = b + DATA + m.current_data
        what = judge(d.data, rec(interface, INTERFACE).ip4_table, sw_if, arp, b + DATA + m.l2_offset + 6)
        if what & SAW_REPLY:
            tick(r.rx_replies, sw_if)
        if what & SAW_REQUEST:
            tick(r.rx_requests, sw_if)
        if what & SAW_GRATUITOUS:
            tick(r.rx_gratuitous, sw_if)
        if what & LEARN:
            learn(worker, r.neighbours, sw_if, be32(arp + SENDER_IP), mac_at(arp + SENDER_MAC), m.time)
        if what & REPLY:
            make_reply(b, interface, sw_if, ld32(arp + TARGET_IP))
            m.flags |= LOCALLY_ORIGINATED
            tick(r.tx_replies, sw_if)
            count_consumed(worker, d.err_base + REPLIES_SENT)
            w.generated += 1
            set_next(frame, i, REPLY_TX)
            continue
        slot = DROP
        if what & FEATURE:
            slot = feature_next(r.arc, b)
        m.error = d.err_base + (what & 255)
        if slot == DROP and what & LEARN:
            count_consumed(worker, m.error)
            free(worker, bi)
            slot = KEPT
        set_next(frame, i, slot)
    return n


class Unnumbered:
    """Which interfaces borrow the addresses of another: int32 by sw_if_index, the other's + 1."""

    def __init__(self, plane: Dataplane) -> None:
        self._region = Region(4 * MAX_INTERFACES, name="unnumbered interfaces")
        self.address = self._region.address
        self.lender = self._region.view("i4", 0, MAX_INTERFACES)

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()


def bind(plane: Dataplane, node: Node) -> None:
    """Tables and counters."""
    counters = plane.shared(ArpCounters)
    node.data["arc"] = plane.arcs["arp"].address
    node.data["owners"] = plane.shared(ArpOwners).address
    node.data["neighbours"] = plane.shared(NeighbourTable).address
    node.data["unnumbered"] = plane.shared(Unnumbered).address
    for kind in ("replies", "requests", "gratuitous"):
        node.data[f"rx_{kind}"] = counters.addresses("rx", kind)
    node.data["tx_replies"] = counters.addresses("tx", "replies")


ARP_REPLY = NodeType(
    name="arp-reply",
    kernel=arp_reply,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=ARP_NODE_TRACE,
    bind=bind,
    features=(Feature("arp", before=("arp-disabled",)),),
    doc=__doc__ or "",
)
