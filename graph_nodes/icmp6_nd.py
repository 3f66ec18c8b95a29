"""icmp6-neighbor-solicitation, icmp6-neighbor-advertisement: neighbour discovery (RFC 4861 7), by VPP's rules.

In this order:

* a source that is neither ``::`` nor link-local must be on the link: its route leads out by the interface that the
  packet came in ("neighbor solicitations from source not on link");
* the sender is learnt, when its one option is its link-layer address (source of a solicitation, target of an
  advertisement) and the source is not ``::``: a solicitation teaches its source, an advertisement its target;
* a solicitation for an address that no interface has in the receiving interface's table, or for a link-local one that
  is not this interface's own: "neighbor solicitations for unknown targets";
* else the advertisement goes back the way the solicitation came: solicited and override, from the target, to the
  source or (when that is ``::``) to all nodes, hop limit 255, the option now the interface's own address.

Balance: a solicitation that is answered is consumed ("neighbor advertisements sent") and its answer generated; an
advertisement that teaches is consumed ("neighbor advertisements received"), any other punted for that reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import KEPT, NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, DATA, buffer_at
from vectorplane.dataplane.interface import INTERFACE, MAX_INTERFACES
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.arp_header import interface_at, mac_at, tick
from vectorplane.graph_nodes.drop import count_consumed
from vectorplane.graph_nodes.errors_icmp6 import (
    ADVERTISEMENT_TYPE,
    LENGTH_TOO_SMALL_FOR_TYPE,
    NEIGHBOR_ADVERTISEMENTS_RX,
    NEIGHBOR_ADVERTISEMENTS_TX,
    NEIGHBOR_SOLICITATION_SOURCE_NOT_ON_LINK,
    NEIGHBOR_SOLICITATION_SOURCE_UNKNOWN,
    NONE,
    ROUTER_SOLICITATION_UNSUPPORTED_INTF,
    SOURCE_LINK_LAYER,
    TARGET_LINK_LAYER,
)
from vectorplane.graph_nodes.fib6 import (
    ADJACENT6,
    INTERFACE6,
    INTERFACE_SHIFT,
    KIND,
    LINK_LOCAL_FIBS,
    MISS,
    OURS,
    Fib6,
    exact,
    interface6,
    longest,
)
from vectorplane.graph_nodes.icmp6_back import came_with_ethernet, send_back
from vectorplane.graph_nodes.icmp6_input import ND_LENGTH
from vectorplane.graph_nodes.ip6_header import (
    DESTINATION,
    HEADER,
    HOP_LIMIT,
    SOURCE,
    address_high,
    address_low,
    copy_address,
    is_link_local,
    is_unspecified,
    payload_length,
    set_checksum,
)
from vectorplane.graph_nodes.neighbour_table6 import NeighbourTable6, learn6
from vectorplane.graph_nodes.rare import free
from vectorplane.graph_nodes.trace_ip6 import IP6_BEFORE_TRACE
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import ld8, rec, st8, st16, st32, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

DROP, REPLY_TX = range(2)

# offsets behind the IPv6 header
FLAGS, TARGET, OPTION = HEADER + 4, HEADER + 8, HEADER + 24
SOLICITED_AND_OVERRIDE_LE = 0x60

RUNTIME = np.dtype([("fib6", "i8"), ("neighbours", "i8"), ("errors", "i8"), ("rx", "i8"), ("tx", "i8")])


@helper
def source_is_on_link(fib6: int, fib: int, sw_if: int, source: int) -> bool:
    """Does the route of the address at ``source`` lead out by this interface?"""
    there = longest(fib6, fib, address_high(source), address_low(source))
    return bool(there != MISS and (there & KIND) == ADJACENT6 and (there >> INTERFACE_SHIFT) == sw_if + 1)


@helper
def is_ours(fib6: int, fib: int, sw_if: int, target: int) -> bool:
    """Is the address at ``target`` one of ours that is answered for on this interface?"""
    table = LINK_LOCAL_FIBS + sw_if if is_link_local(target) else fib
    there = exact(fib6, table, address_high(target), address_low(target))
    return bool(there != MISS and (there & OURS) != 0)


@helper
def has_option(b: int, ip: int, kind: int) -> bool:
    """Is a link-layer address of this kind the message's one option?"""
    if payload_length(ip) != ND_LENGTH + 8 or rec(b, BUFFER).current_length < OPTION + 8:
        return False
    return bool(ld8(ip + OPTION) == kind and ld8(ip + OPTION + 1) == 1)


@helper
def look(worker: int, data: int, b: int, ip: int, option: bool, subject: int) -> int:
    """Check the source of either message and learn ``subject``; gives an error, or `NONE`."""
    r = rec(data, RUNTIME)
    m = rec(b, BUFFER)
    sw_if = m.rx_sw_if
    source = ip + SOURCE
    unspecified = is_unspecified(source)
    if not unspecified and not is_link_local(source):
        fib = rec(interface6(r.fib6, sw_if), INTERFACE6).table
        if not source_is_on_link(r.fib6, fib, sw_if, source):
            return NEIGHBOR_SOLICITATION_SOURCE_NOT_ON_LINK
    if option and not unspecified:
        learn6(
            worker, r.neighbours, sw_if, address_high(subject), address_low(subject), mac_at(ip + OPTION + 2), m.time
        )
    return NONE


@helper
def make_advertisement(worker: int, b: int, ip: int, option: bool) -> None:
    """Turn the solicitation at ``ip`` into its answer."""
    if is_unspecified(ip + SOURCE):
        st64(ip + DESTINATION, 0x02FF)
        st64(ip + DESTINATION + 8, 1 << 56)
    else:
        copy_address(ip + DESTINATION, ip + SOURCE)
    copy_address(ip + SOURCE, ip + TARGET)
    st8(ip + HOP_LIMIT, 255)
    st8(ip + HEADER, ADVERTISEMENT_TYPE)
    st32(ip + FLAGS, SOLICITED_AND_OVERRIDE_LE)
    if option:
        mac = rec(interface_at(worker, rec(b, BUFFER).rx_sw_if), INTERFACE).mac
        st8(ip + OPTION, TARGET_LINK_LAYER)
        st32(ip + OPTION + 2, mac)
        st16(ip + OPTION + 6, mac >> 32)
    set_checksum(worker, b, ip, ip + HEADER + 2)


@kernel
def neighbor_solicitation(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    data = rec(node, NODE).data
    r = rec(data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        m = rec(b, BUFFER)
        sw_if = m.rx_sw_if
        ip = b + DATA + m.current_data
        error = LENGTH_TOO_SMALL_FOR_TYPE
        if m.current_length >= OPTION:
            option = has_option(b, ip, SOURCE_LINK_LAYER)
            error = look(worker, data, b, ip, option, ip + SOURCE)
            fib = rec(interface6(r.fib6, sw_if), INTERFACE6).table
            if error == NONE and not is_ours(r.fib6, fib, sw_if, ip + TARGET):
                error = NEIGHBOR_SOLICITATION_SOURCE_UNKNOWN
            if error == NONE and not came_with_ethernet(b):
                error = ROUTER_SOLICITATION_UNSUPPORTED_INTF
            tick(r.rx, sw_if)
            if error == NONE:
                make_advertisement(worker, b, ip, option)
                send_back(worker, b)
                tick(r.tx, sw_if)
                count_consumed(worker, r.errors + NEIGHBOR_ADVERTISEMENTS_TX)
                w.generated += 1
                set_next(frame, i, REPLY_TX)
                continue
        m.error = r.errors + error
        set_next(frame, i, DROP)
    return n


@kernel
def neighbor_advertisement(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    data = rec(node, NODE).data
    r = rec(data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        bi = buffer_index(frame, i)
        b = buffer_at(worker, bi)
        m = rec(b, BUFFER)
        ip = b + DATA + m.current_data
        error = LENGTH_TOO_SMALL_FOR_TYPE
        if m.current_length >= OPTION:
            option = has_option(b, ip, TARGET_LINK_LAYER)
            error = look(worker, data, b, ip, option, ip + TARGET)
            tick(r.rx, m.rx_sw_if)
            if error == NONE:
                error = NEIGHBOR_ADVERTISEMENTS_RX
                if option and not is_unspecified(ip + SOURCE):
                    count_consumed(worker, r.errors + error)
                    free(worker, bi)
                    set_next(frame, i, KEPT)
                    continue
        m.error = r.errors + error
        set_next(frame, i, DROP)
    return n


class Nd6Counters:
    """``/net/ip6-nd/{rx,tx}/{replies,requests,gratuitous}``: packets by interface."""

    def __init__(self, plane: Dataplane) -> None:
        names = [(d, k) for d in ("rx", "tx") for k in ("replies", "requests", "gratuitous")]
        self.vectors = {n: plane.stats.simple(f"/net/ip6-nd/{n[0]}/{n[1]}", MAX_INTERFACES) for n in names}

    def extend(self, sw_if_index: int) -> None:
        """Show the counters of all interfaces up to this one."""
        for vector in self.vectors.values():
            vector.extend(sw_if_index + 1)


def bind(plane: Dataplane, node: Node) -> None:
    """Tables and counters; the errors are ip6-icmp-input's."""
    counters = plane.shared(Nd6Counters).vectors
    heard = "requests" if node.name == "icmp6-neighbor-solicitation" else "replies"
    node.data["fib6"] = plane.shared(Fib6).address
    node.data["neighbours"] = plane.shared(NeighbourTable6).address
    node.data["errors"] = plane.graph.add("ip6-icmp-input").error_base
    node.data["rx"], node.data["tx"] = counters["rx", heard].addresses, counters["tx", "replies"].addresses


ICMP6_NEIGHBOR_SOLICITATION = NodeType(
    name="icmp6-neighbor-solicitation",
    kernel=neighbor_solicitation,
    nexts=("ip6-drop", "interface-output"),
    runtime=RUNTIME,
    trace=IP6_BEFORE_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
ICMP6_NEIGHBOR_ADVERTISEMENT = NodeType(
    name="icmp6-neighbor-advertisement",
    kernel=neighbor_advertisement,
    nexts=("ip6-punt",),
    runtime=RUNTIME,
    trace=IP6_BEFORE_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
