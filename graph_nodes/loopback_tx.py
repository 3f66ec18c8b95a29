"""loopback-tx: ``loopN-tx``: what a loopback interface transmits it receives again, by `ethernet-input`.

A loopback that is bridged hands it to `l2-input` instead: as its bridge domain's BVI, or as a port like any other. As
in VPP the packet is counted as sent and not as received; it never left the router. A sub-interface's packets arrive at
the loopback itself, whose tags then say whose they are. A packet that goes round for ever, without a TTL that ends it,
is dropped (`vectorplane.graph_nodes.turns`), and so is a bridged frame that is shorter than its header.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, LOCALLY_ORIGINATED, VLAN_1_DEEP, VLAN_2_DEEP
from vectorplane.dataplane.interface import INTERFACE, INTERFACE_SIZE, L2_MODE
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.l2.buffer import FROM_BVI
from vectorplane.graph_nodes.l2.config import L2_INPUT, L2_INPUT_SIZE, MODE_BVI, L2Config
from vectorplane.graph_nodes.l2.header import CUT, measure
from vectorplane.graph_nodes.trace_packet import TX_TRACE
from vectorplane.graph_nodes.turns import TOO_MANY, turn
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "ethernet-input")
DROP, ETHERNET = range(2)
ERRORS = (TOO_MANY, CUT)
E_TOO_MANY, E_CUT = range(2)
_NOT_TAGGED = ~(VLAN_1_DEEP | VLAN_2_DEEP)

RUNTIME = np.dtype([("l2_input", "i8"), ("inputs", "i8")])
"""``l2_input``: the slot of l2-input, set by who bridges the loopback; ``inputs``: the ports."""


@kernel
def loopback_tx(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    pool = w.pool
    interfaces = w.interfaces
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        m.flags &= _NOT_TAGGED
        slot = ETHERNET
        whole = True
        endless = m.flags & LOCALLY_ORIGINATED  # nobody decrements the TTL of these
        if rec(interfaces + m.tx_sw_if * INTERFACE_SIZE, INTERFACE).flags & L2_MODE:
            whole = measure(b) != 0
            endless = 1
            m.rx_sw_if = m.tx_sw_if
            is_bvi = rec(r.inputs + m.rx_sw_if * L2_INPUT_SIZE, L2_INPUT).mode & MODE_BVI
            m.tx_sw_if = FROM_BVI if is_bvi else -1
            slot = r.l2_input
        else:
            m.rx_sw_if = rec(interfaces + m.tx_sw_if * INTERFACE_SIZE, INTERFACE).sup
            m.tx_sw_if = -1
        if not whole or (endless and not turn(b)):
            m.error = d.err_base + (E_TOO_MANY if whole else E_CUT)
            slot = DROP
        set_next(frame, i, slot)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The ports; not bridged."""
    node.data["l2_input"], node.data["inputs"] = DROP, plane.shared(L2Config).inputs_address


LOOPBACK_TX = NodeType(
    name="loopback-tx",
    kernel=loopback_tx,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=TX_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
