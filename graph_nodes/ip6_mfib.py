"""ip6-mfib-forward-lookup and ip6-mfib-forward-rpf: IPv6 multicast with VPP's default multicast FIB and no more.

To us are, on interfaces that take IPv6: ff02::1 (all nodes), ff02::2 (all routers), ff02::16 (MLDv2 routers) and the
solicited-node addresses ff02::1:ff00:0/104 (RFC 4291 2.7.1). Everything else meets the default entry, on which no
interface is accepted: "Multicast RPF check failed".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, DATA, buffer_at
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import pass_on
from vectorplane.graph_nodes.fib6 import INTERFACE6, Fib6, interface6
from vectorplane.graph_nodes.ip6_header import DESTINATION, address_high, address_low
from vectorplane.graph_nodes.trace_ip6 import IP6_FORWARD_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip6-drop", "ip6-receive")
DROP, RECEIVE = range(2)
ERRORS = (("rpf_failure", "Multicast RPF check failed"),)
RUNTIME = np.dtype([("fib6", "i8")])
LINK_SCOPE = (0xFF02 << 48) - (1 << 64)
"""The high half of ff02::/64, as a signed number."""
ALL_NODES, ALL_ROUTERS, MLD_ROUTERS, SOLICITED = 1, 2, 0x16, 0x1FF


@kernel
def rpf6(worker: int, node: int, frame: int) -> int:
    """Accept what is for us, drop the rest."""
    d = rec(node, NODE)
    fib6 = rec(d.data, RUNTIME).fib6
    n = frame_n(frame)
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        m = rec(b, BUFFER)
        group = b + DATA + m.current_data + DESTINATION
        low = address_low(group)
        ours = low == ALL_NODES or low == ALL_ROUTERS or low == MLD_ROUTERS or (low >> 24) == SOLICITED
        interface = rec(interface6(fib6, m.rx_sw_if), INTERFACE6)
        m.fib_index = interface.table
        if ours and address_high(group) == LINK_SCOPE and interface.enabled > 0:
            m.adj = m.rx_sw_if
            set_next(frame, i, RECEIVE)
        else:
            m.error = d.err_base
            set_next(frame, i, DROP)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The interfaces' tables."""
    node.data["fib6"] = plane.shared(Fib6).address


IP6_MFIB_FORWARD_LOOKUP = NodeType(
    name="ip6-mfib-forward-lookup",
    kernel=pass_on,
    nexts=("ip6-mfib-forward-rpf",),
    trace=IP6_FORWARD_TRACE,
    doc=__doc__ or "",
)
IP6_MFIB_FORWARD_RPF = NodeType(
    name="ip6-mfib-forward-rpf",
    kernel=rpf6,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=IP6_FORWARD_TRACE,
    bind=bind,
)
