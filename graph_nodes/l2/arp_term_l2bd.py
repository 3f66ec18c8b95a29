"""arp-term-l2bd: ARP requests and neighbour solicitations for addresses that the bridge domain knows are answered here.

The request becomes the reply, in place, and leaves where it came in; one of the router's own (through the BVI) goes to
`l2-fwd`. Only of frames without split-horizon group, and never of packets of ours. What the domain does not know goes
to the next feature, as does a gratuitous ARP. ARP with other types, a sender's address that is not the frame's (but for
VRRP's) or a group's, are dropped with VPP's reasons. Who wants to know which addresses were seen is told
(`L2_ARP`, `L2_ND` events).

Balance: a reply is its request, turned round: neither consumed nor generated ("ARP replies sent" counts them).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, LOCALLY_ORIGINATED, NEXT_PRESENT
from vectorplane.dataplane.event import post
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.tables.hash_map import HashMap, search_24
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.event_kinds import L2_ARP, L2_ND
from vectorplane.graph_nodes.ip6_header import set_checksum
from vectorplane.graph_nodes.l2.buffer import L2_BUFFER
from vectorplane.graph_nodes.l2.config import L2_INPUT, L2_INPUT_SIZE, MODE_BVI, L2Config
from vectorplane.graph_nodes.l2.features import ARP_TERM, FWD, INPUT_FEATURES, NEXT_BY_BIT, bind_features, slot_of
from vectorplane.graph_nodes.l2.header import ARP_LE, IP6_LE, MAC_MASK
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.trace_formats import arp_header
from vectorplane.graph_nodes.trace_packet import packet_trace
from vectorplane.jit.kernel import kernel, routine
from vectorplane.jit.ops import be16, be32, ld8, ld16, ld32, ld64, prefetch, rec, st8, st16, st32, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("l2-output", "error-drop")
L2_OUTPUT, DROP = range(2)
ERRORS = named_by_text(
    "ARP replies sent",
    "L2 type not ethernet",
    "L3 type not IP4",
    "IP4 source address not local to subnet",
    "IP4 destination address not local to subnet",
    "IP4 destination address is unset",
    "IP4 source address matches local interface",
    "ARP request IP4 source address learned",
    "ARP replies received",
    "ARP opcode not request",
    "Proxy ARP replies sent",
    "ARP hw addr does not match L2 frame src addr",
    "ARP probe or announcement dropped",
    "Interface is not mapped to an IP table",
    "Interface is not IP enabled",
    "RX interface is unnumbered to different subnet",
)
E_REPLIES_SENT, E_L2_TYPE, E_L3_TYPE, E_SOURCE_NOT_LOCAL = range(4)
E_MISMATCH, E_GRATUITOUS = 11, 12

RUNTIME = np.dtype(
    [NEXT_BY_BIT, ("table", "i8"), ("inputs", "i8"), ("watched", "i8")],
    align=True,
)

_REQUEST_LE, _REPLY_LE = 0x0100, 0x0200
_ETHERNET_LE, _IP4_LE = 0x0100, 0x0008
_VRRP = 0x01005E0000  # the first five bytes of VRRP's addresses, as a little-endian load sees them
_ICMP6, _SOLICITATION, _ADVERTISEMENT = 58, 135, 136
_IP6, _ICMP, _TARGET, _OPTION = 40, 40, 48, 64
_SOURCE_LINK, _TARGET_LINK = 1, 2
_SOLICITED_OVERRIDE_LE = 0x60
MOST_ENTRIES = 1 << 18

TURNED, GO_ON, DROPPED = 0, 1, 2


@routine
def put_mac(to: int, mac: int) -> None:
    """Write the six bytes of an address."""
    st32(to, mac)
    st16(to + 4, mac >> 32)


@routine
def turn_arp(worker: int, node: int, b: int, l3: int) -> int:
    """An ARP request or reply: `TURNED` into a reply, `GO_ON`, or `DROPPED` (with its error)."""
    m = rec(b, BUFFER)
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    eth = b + DATA + m.current_data
    error = -1
    sender = ld64(l3 + 8) & MAC_MASK
    if ld16(l3) != _ETHERNET_LE:
        error = E_L2_TYPE
    if ld16(l3 + 2) != _IP4_LE:
        error = E_L3_TYPE
    if error < 0:
        if ((ld64(eth + 6) & MAC_MASK) != sender or sender & 1) and sender & 0xFFFFFFFFFF != _VRRP:
            error = E_MISMATCH
        elif ld8(l3 + 14) & 0xF0 == 0xE0:
            error = E_SOURCE_NOT_LOCAL
    source = ld32(l3 + 14)
    target = ld32(l3 + 24)
    if error >= 0:
        if source == 0 or source == target:
            error = E_GRATUITOUS
        m.error = d.err_base + error
        return DROPPED
    if r.watched:
        post(worker, L2_ARP, m.rx_sw_if, m.time, be32(l3 + 14), sender, 0)
    mac = search_24(r.table, rec(b, L2_BUFFER).bd_index << 1, 0, target)
    if mac < 0 or source == target:
        return GO_ON
    st16(l3 + 6, _REPLY_LE)
    put_mac(l3 + 18, sender)
    st32(l3 + 24, source)
    put_mac(l3 + 8, mac)
    st32(l3 + 14, target)
    put_mac(eth, ld64(eth + 6))
    put_mac(eth + 6, mac)
    return TURNED


@routine
def turn_nd(worker: int, node: int, b: int, ip: int, length: int) -> int:
    """An ICMPv6 packet: `TURNED` into a neighbour advertisement, or `GO_ON`."""
    m = rec(b, BUFFER)
    r = rec(rec(node, NODE).data, RUNTIME)
    eth = b + DATA + m.current_data
    kind = ld8(ip + _ICMP)
    if kind != _SOLICITATION and kind != _ADVERTISEMENT:
        return GO_ON
    mac_seen = ld64(eth + 6) & MAC_MASK
    if r.watched and be16(ip + 8) & 0xFFC0 != 0xFE80:
        post(worker, L2_ND, m.rx_sw_if, m.time, ld64(ip + 8), ld64(ip + 16), mac_seen)
    if kind != _SOLICITATION or length < 72 or ld8(ip + _OPTION) != _SOURCE_LINK or ld8(ip + _OPTION + 1) != 1:
        return GO_ON
    size = be16(ip + 4)
    if m.flags & NEXT_PRESENT or size < 32 or size > length - _IP6:
        return GO_ON
    high = ld64(ip + _TARGET)
    low = ld64(ip + _TARGET + 8)
    mac = search_24(r.table, rec(b, L2_BUFFER).bd_index << 1 | 1, high, low)
    if mac < 0:
        return GO_ON
    st64(ip + 24, ld64(ip + 8))
    st64(ip + 32, ld64(ip + 16))
    st64(ip + 8, high)
    st64(ip + 16, low)
    st8(ip + 7, 255)
    st8(ip + _OPTION, _TARGET_LINK)
    put_mac(ip + _OPTION + 2, mac)
    st8(ip + _ICMP, _ADVERTISEMENT)
    st32(ip + _ICMP + 4, _SOLICITED_OVERRIDE_LE)
    set_checksum(worker, b, ip, ip + _ICMP + 2)
    put_mac(eth, mac_seen)
    put_mac(eth + 6, mac)
    return TURNED


@kernel
def arp_term_l2bd(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    data = d.data
    r = rec(data, RUNTIME)
    n = frame_n(frame)
    replies = 0
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        l2 = rec(b, L2_BUFFER)
        turned = GO_ON
        if l2.shg == 0 and (m.flags & LOCALLY_ORIGINATED) == 0:
            l3 = b + DATA + m.current_data + l2.l2_len
            left = m.current_length - l2.l2_len
            kind = ld16(l3 - 2)
            if kind == ARP_LE and left >= 28:
                code = ld16(l3 + 6)
                if code == _REQUEST_LE or code == _REPLY_LE:
                    turned = turn_arp(worker, node, b, l3)
                    replies += turned == TURNED
            elif kind == IP6_LE and left >= 64 and ld8(l3 + 6) == _ICMP6 and (ld64(l3 + 8) | ld64(l3 + 16)) != 0:
                turned = turn_nd(worker, node, b, l3, left)
        l2.feature_bitmap &= ~ARP_TERM
        slot = DROP
        if turned == TURNED and rec(r.inputs + m.rx_sw_if * L2_INPUT_SIZE, L2_INPUT).mode & MODE_BVI == 0:
            m.tx_sw_if = m.rx_sw_if
            slot = L2_OUTPUT
        elif turned != DROPPED:
            if turned == TURNED:
                # l2-output can't send to the BVI: l2-fwd can, from an interface that is not the BVI itself
                l2.feature_bitmap |= FWD
                m.rx_sw_if = 0
            slot = slot_of(data, l2.feature_bitmap)
        set_next(frame, i, slot)
    count(worker, d.err_base + E_REPLIES_SENT, replies)
    return n


class ArpTermTable:
    """Who has which address, of all bridge domains of an engine."""

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        self.map = HashMap(MOST_ENTRIES, 3, "bridge domains' ARP entries")

    def watch(self, on: bool) -> None:
        """Tell of addresses that are seen, or not."""
        node: Any = self._plane.graph.add("arp-term-l2bd")
        node.data["watched"] = int(on)

    def close(self) -> None:
        """Give the memory back."""
        self.map.close()


def bind(plane: Dataplane, node: Node) -> None:
    """The addresses, the ports, the nodes of the features."""
    node.data["table"] = plane.shared(ArpTermTable).map.address
    node.data["inputs"] = plane.shared(L2Config).inputs_address
    bind_features(node, INPUT_FEATURES)


ARP_TERM_L2BD = NodeType(
    name="arp-term-l2bd",
    kernel=arp_term_l2bd,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=packet_trace(lambda data: arp_header(data[14:]), before=True),
    bind=bind,
    doc=__doc__ or "",
)
