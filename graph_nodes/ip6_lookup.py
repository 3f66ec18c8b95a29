"""ip6-lookup: where an IPv6 packet goes, by the longest prefix of its destination (RFC 8200).

To us: `ip6-receive`. A destination in fe80::/10 is looked up in the receiving interface's own table of link-local
addresses. No route, or a drop route: dropped as VPP does ("blackholed packets"). Forwarding is not built yet: what
would leave by an interface is dropped as "ip6 forwarding is not available".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.fib6 import (
    DROP6,
    INTERFACE6,
    INTERFACE_SHIFT,
    KIND,
    LINK_LOCAL6,
    LINK_LOCAL_FIBS,
    MISS,
    RECEIVE6,
    Fib6,
    exact,
    interface6,
    longest,
)
from vectorplane.graph_nodes.ip6_header import DESTINATION, address_high, address_low
from vectorplane.graph_nodes.trace_ip6 import IP6_LOOKUP_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import prefetch, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip6-drop", "ip6-receive")
DROP, RECEIVE = range(2)
ERRORS = (("no_forwarding", "ip6 forwarding is not available"),)
RUNTIME = np.dtype([("fib6", "i8")])


@kernel
def ip6_lookup(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    fib6 = rec(d.data, RUNTIME).fib6
    n = frame_n(frame)
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        destination = b + DATA + m.current_data + DESTINATION
        fib = rec(interface6(fib6, m.rx_sw_if), INTERFACE6).table
        if m.tx_sw_if >= 0:
            fib = m.tx_sw_if
        m.fib_index = fib
        high = address_high(destination)
        low = address_low(destination)
        found = longest(fib6, fib, high, low)
        if found != MISS and (found & KIND) == LINK_LOCAL6:
            found = exact(fib6, LINK_LOCAL_FIBS + m.rx_sw_if, high, low)
        m.adj = -1
        m.error = 0
        slot = DROP
        if found != MISS:
            kind = found & KIND
            m.adj = (found >> INTERFACE_SHIFT) - 1
            if kind == RECEIVE6:
                slot = RECEIVE
            elif kind != DROP6:
                m.error = d.err_base
        set_next(frame, i, slot)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The FIBs."""
    node.data["fib6"] = plane.shared(Fib6).address


IP6_LOOKUP = NodeType(
    name="ip6-lookup",
    kernel=ip6_lookup,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=IP6_LOOKUP_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
