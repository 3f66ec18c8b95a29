"""ip4-mfib-forward-lookup and ip4-mfib-forward-rpf: IPv4 multicast routes, and on which interfaces they accept.

The lookup finds the packet's entry by source and group in the multicast table that goes with the receiving
interface's table. The reverse-path check lets it pass when the interface has the flag "accept" in the entry, or the
entry accepts all; it goes on to `ip4-replicate`, or is dropped when the entry leads nowhere. An entry with an RPF id
accepts only packets that carry it, which none do without MPLS. Else, and without an entry: "Multicast RPF check
failed", counted as ip4-input's, as in VPP.

To us are 224.0.0.1 (all systems) and 224.0.0.2 (all routers, RFC 1112) on interfaces that take IPv4. Signals to the
control plane (entry flags "signal" and "connected") are not raised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, DATA, buffer_at
from vectorplane.dataplane.interface import INTERFACE
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.arp_header import interface_at
from vectorplane.graph_nodes.errors4 import ERRORS, RPF_FAILURE
from vectorplane.graph_nodes.ip4_header import DESTINATION, SOURCE
from vectorplane.graph_nodes.mfib import (
    ENTRY_ACCEPT_ALL,
    ENTRY_ALL_IP4,
    ENTRY_SIZE,
    ITF_ACCEPT,
    MFIB_ENTRY,
    Mfibs,
    mfib_lookup,
)
from vectorplane.graph_nodes.trace_forward import FORWARD_TRACE
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import be32, ld64, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip4-drop", "ip4-replicate")
DROP, REPLICATE = range(2)

RUNTIME = np.dtype([("map", "i8"), ("lengths", "i8"), ("entries", "i8"), ("words", "i8")])


@kernel
def lookup(worker: int, node: int, frame: int) -> int:
    """The entry's index into `adj`."""
    r = rec(rec(node, NODE).data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        m = rec(b, BUFFER)
        ip = b + DATA + m.current_data
        fib = rec(interface_at(worker, m.rx_sw_if), INTERFACE).ip4_table
        m.fib_index = fib
        m.adj = mfib_lookup(r.map, r.lengths, fib, be32(ip + SOURCE), be32(ip + DESTINATION))
        set_next(frame, i, 0)
    return n


@helper
def itf_flags(entry: int, words: int, sw_if: int) -> int:
    """The flags of an interface in an entry; 0: it is not in it."""
    run = rec(entry, MFIB_ENTRY).interfaces
    for k in range(run & 0xFFFF):
        word = ld64(words + 8 * ((run >> 16) + k))
        if (word & 0xFFFFFFFF) == sw_if:
            return int(word >> 32)
    return 0


@kernel
def rpf(worker: int, node: int, frame: int) -> int:
    """Accept or drop."""
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        m = rec(buffer_at(worker, buffer_index(frame, i)), BUFFER)
        entry = r.entries + ENTRY_SIZE * m.adj
        e = rec(entry, MFIB_ENTRY)
        accept = False
        if e.flags & ENTRY_ALL_IP4:
            accept = rec(interface_at(worker, m.rx_sw_if), INTERFACE).ip4_enabled > 0
        elif e.flags & ENTRY_ACCEPT_ALL:
            accept = True
        elif e.rpf_id == 0:
            accept = (itf_flags(entry, r.words, m.rx_sw_if) & ITF_ACCEPT) != 0
        if not accept:
            m.error = d.err_base + RPF_FAILURE
            set_next(frame, i, DROP)
        elif e.replicas == 0:
            m.error = 0
            set_next(frame, i, DROP)
        else:
            set_next(frame, i, REPLICATE)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The multicast FIBs."""
    mfibs = plane.shared(Mfibs)
    node.data["map"], node.data["lengths"] = mfibs.map.address, mfibs.lengths_address
    node.data["entries"], node.data["words"] = mfibs.entries_address, mfibs.words_address


IP4_MFIB_FORWARD_LOOKUP = NodeType(
    name="ip4-mfib-forward-lookup",
    kernel=lookup,
    nexts=("ip4-mfib-forward-rpf",),
    runtime=RUNTIME,
    trace=FORWARD_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
IP4_MFIB_FORWARD_RPF = NodeType(
    name="ip4-mfib-forward-rpf",
    kernel=rpf,
    nexts=NEXTS,
    errors=ERRORS,
    errors_of="ip4-input",
    runtime=RUNTIME,
    trace=FORWARD_TRACE,
    bind=bind,
)
