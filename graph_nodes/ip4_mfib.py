"""ip4-mfib-forward-lookup and ip4-mfib-forward-rpf: IPv4 multicast with VPP's default multicast FIB and no more.

To us are 224.0.0.1 (all systems) and 224.0.0.2 (all routers, RFC 1112) on interfaces that take IPv4. Everything else
meets the default entry, on which no interface is accepted: "Multicast RPF check failed".
"""

from __future__ import annotations

from vectorplane.dataplane.abi import NODE, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, DATA, buffer_at
from vectorplane.dataplane.interface import INTERFACE
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.arp_header import interface_at
from vectorplane.graph_nodes.drop import pass_on
from vectorplane.graph_nodes.trace_forward import FORWARD_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import be32, rec

NEXTS = ("ip4-drop", "ip4-receive")
DROP, RECEIVE = range(2)
ERRORS = (("rpf_failure", "Multicast RPF check failed"),)
ALL_SYSTEMS, ALL_ROUTERS = 0xE0000001, 0xE0000002


@kernel
def rpf(worker: int, node: int, frame: int) -> int:
    """Accept what is for us, drop the rest."""
    error = rec(node, NODE).err_base
    n = frame_n(frame)
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        m = rec(b, BUFFER)
        group = be32(b + DATA + m.current_data + 16)
        interface = rec(interface_at(worker, m.rx_sw_if), INTERFACE)
        m.fib_index = interface.ip4_table
        if (group == ALL_SYSTEMS or group == ALL_ROUTERS) and interface.ip4_enabled > 0:
            m.adj = m.rx_sw_if
            set_next(frame, i, RECEIVE)
        else:
            m.error = error
            set_next(frame, i, DROP)
    return n


IP4_MFIB_FORWARD_LOOKUP = NodeType(
    name="ip4-mfib-forward-lookup",
    kernel=pass_on,
    nexts=("ip4-mfib-forward-rpf",),
    trace=FORWARD_TRACE,
    doc=__doc__ or "",
)
IP4_MFIB_FORWARD_RPF = NodeType(
    name="ip4-mfib-forward-rpf", kernel=rpf, nexts=NEXTS, errors=ERRORS, trace=FORWARD_TRACE
)
