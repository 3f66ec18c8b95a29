"""loopback-tx: ``loopN-tx``: what a loopback interface transmits it receives again, by `ethernet-input`.

As in VPP the packet is counted as sent and not as received; it never left the router. A sub-interface's packets
arrive at the loopback itself, whose tags then say whose they are.
"""

from __future__ import annotations

from vectorplane.dataplane.abi import WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, VLAN_1_DEEP, VLAN_2_DEEP
from vectorplane.dataplane.interface import INTERFACE, INTERFACE_SIZE
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.trace_packet import TX_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import rec

NEXTS = ("error-drop", "ethernet-input")
ETHERNET = 1
_NOT_TAGGED = ~(VLAN_1_DEEP | VLAN_2_DEEP)


@kernel
def loopback_tx(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    pool = w.pool
    interfaces = w.interfaces
    n = frame_n(frame)
    for i in range(n):
        m = rec(pool + buffer_index(frame, i) * CELL, BUFFER)
        m.rx_sw_if = rec(interfaces + m.tx_sw_if * INTERFACE_SIZE, INTERFACE).sup
        m.tx_sw_if = -1
        m.flags &= _NOT_TAGGED
        set_next(frame, i, ETHERNET)
    return n


LOOPBACK_TX = NodeType(name="loopback-tx", kernel=loopback_tx, nexts=NEXTS, trace=TX_TRACE, doc=__doc__ or "")
