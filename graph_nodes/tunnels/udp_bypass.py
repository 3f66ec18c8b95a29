"""ip4-vxlan-bypass, ip4-geneve-bypass: a tunnel's packets go to its input node at once, without lookup and ip4-local.

Features of ip4-unicast. A packet of a tunnel that is there is handed on once its UDP length and checksum are found
right; a wrong one is dropped with ip4-local's reasons. All others go their way: fragments, those with options, those of
no tunnel (which end in the input node all the same).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.feature import Feature, feature_next
from vectorplane.dataplane.interface import I_IP4_TABLE, INTERFACE_SIZE
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.errors4 import UNKNOWN_PROTOCOL
from vectorplane.graph_nodes.ip4_header import DESTINATION, FRAGMENT, PROTOCOL, SOURCE
from vectorplane.graph_nodes.ip4_local_checks import l4_error
from vectorplane.graph_nodes.trace_forward import FORWARD_TRACE
from vectorplane.graph_nodes.tunnels.geneve4_input import VNI_LE, find_geneve
from vectorplane.graph_nodes.tunnels.udp_tunnel import NO_TUNNEL, GeneveTable, VxlanTable
from vectorplane.graph_nodes.tunnels.vxlan4_input import FLAG_VNI, find_vxlan, port_fib_vni
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import ld8, ld16, ld32, ld32s, prefetch, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

DROP, TUNNEL = range(2)
RUNTIME = np.dtype([("map", "i8"), ("tunnels", "i8"), ("arc", "i8"), ("ip4_errors", "i8")])
HEADERS = 36
"""IPv4 without options, UDP, and the tunnel's own eight bytes."""
_UDP = 17
_IS_FRAGMENT_LE = 0xFF3F
_GENEVE_PORT_LE = 0xC117


@helper
def may_be(b: int, ip: int) -> bool:
    """A whole UDP packet without options, long enough for a tunnel's header?"""
    if rec(b, BUFFER).current_length < HEADERS or ld8(ip) != 0x45 or ld8(ip + PROTOCOL) != _UDP:
        return False
    return ld16(ip + FRAGMENT) & _IS_FRAGMENT_LE == 0


@helper
def fib_of(interfaces: int, b: int) -> int:
    """The FIB that the packet would be looked up in."""
    m = rec(b, BUFFER)
    if m.tx_sw_if >= 0:
        return m.tx_sw_if
    return ld32s(interfaces + m.rx_sw_if * INTERFACE_SIZE + I_IP4_TABLE)


@helper
def hand_over(worker: int, b: int, ip: int, fib: int, ip4_errors: int) -> int:
    """A tunnel's packet as ip4-udp-lookup would leave it; gives the next slot."""
    m = rec(b, BUFFER)
    error = l4_error(worker, b, ip, 20)
    if error != UNKNOWN_PROTOCOL:
        m.error = ip4_errors + error
        return DROP
    m.fib_index = fib
    m.l3_offset = m.current_data
    m.l4_offset = m.current_data + 20
    m.current_data = m.current_data + 28
    m.current_length = m.current_length - 28
    return TUNNEL


@kernel
def ip4_vxlan_bypass(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    pool = w.pool
    r = rec(rec(node, NODE).data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        ip = b + DATA + rec(b, BUFFER).current_data
        slot = -1
        if may_be(b, ip) and ld8(ip + 28) == FLAG_VNI:
            fib = fib_of(w.interfaces, b)
            second = port_fib_vni(ld16(ip + 22), fib, ld32(ip + 32))
            if find_vxlan(r.map, r.tunnels, ld32(ip + DESTINATION), ld32(ip + SOURCE), second) != NO_TUNNEL:
                slot = hand_over(worker, b, ip, fib, r.ip4_errors)
        set_next(frame, i, slot if slot >= 0 else feature_next(r.arc, b))
    return n


@kernel
def ip4_geneve_bypass(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    pool = w.pool
    r = rec(rec(node, NODE).data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        ip = b + DATA + rec(b, BUFFER).current_data
        slot = -1
        if may_be(b, ip) and ld16(ip + 22) == _GENEVE_PORT_LE:
            fib = fib_of(w.interfaces, b)
            vni = ld32(ip + 32) & VNI_LE
            if find_geneve(r.map, r.tunnels, ld32(ip + DESTINATION), ld32(ip + SOURCE), vni, fib) != NO_TUNNEL:
                slot = hand_over(worker, b, ip, fib, r.ip4_errors)
        set_next(frame, i, slot if slot >= 0 else feature_next(r.arc, b))
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The tunnels, the arc, and ip4-local's counters for bad checksums."""
    table = plane.shared(VxlanTable if node.type.name == "ip4-vxlan-bypass" else GeneveTable)
    node.data["map"], node.data["tunnels"] = table.map.address, table.address
    node.data["arc"] = plane.arcs["ip4-unicast"].address
    node.data["ip4_errors"] = plane.graph.add("ip4-local").error_base


IP4_VXLAN_BYPASS = NodeType(
    name="ip4-vxlan-bypass",
    kernel=ip4_vxlan_bypass,
    nexts=("error-drop", "vxlan4-input"),
    runtime=RUNTIME,
    trace=FORWARD_TRACE,
    bind=bind,
    features=(Feature("ip4-unicast", before=("ip4-lookup",)),),
    doc=__doc__ or "",
)
IP4_GENEVE_BYPASS = NodeType(
    name="ip4-geneve-bypass",
    kernel=ip4_geneve_bypass,
    nexts=("error-drop", "geneve4-input"),
    runtime=RUNTIME,
    trace=FORWARD_TRACE,
    bind=bind,
    features=(Feature("ip4-unicast", before=("ip4-lookup",)),),
    doc=__doc__ or "",
)
