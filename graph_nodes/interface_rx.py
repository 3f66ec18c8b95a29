"""interface-rx-dpo-ip4: routes of type interface-rx: the packet starts again as if received on another interface.

The packet's `adj` is the interface. It counts as received there, and goes to `ip4-input`, in the interface's table.
VPP lets tables that lead to each other this way send a packet round for ever; here the eighth time is a drop,
"interface receive chain too long" (`vectorplane.graph_nodes.turns`).
"""

from __future__ import annotations

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, buffer_at, length_in_chain
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.trace_forward import FORWARD_TRACE
from vectorplane.graph_nodes.turns import turn
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import ld64, rec, st64

NAME = "interface-rx-dpo-ip4"
NEXTS = ("ip4-drop", "ip4-input")
DROP, INPUT = range(2)
ERRORS = (("too_many", "interface receive chain too long"),)


@kernel
def interface_rx(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    counters = rec(worker, WORKER).if_rx
    error = rec(node, NODE).err_base
    n = frame_n(frame)
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        m = rec(b, BUFFER)
        if not turn(b):
            m.error = error
            set_next(frame, i, DROP)
            continue
        m.rx_sw_if = m.adj
        m.tx_sw_if = -1
        c = counters + 16 * m.adj
        st64(c, ld64(c) + 1)
        st64(c + 8, ld64(c + 8) + length_in_chain(b))
        set_next(frame, i, INPUT)
    return n


INTERFACE_RX_DPO_IP4 = NodeType(
    name=NAME,
    kernel=interface_rx,
    nexts=NEXTS,
    errors=ERRORS,
    trace=FORWARD_TRACE,
    doc=__doc__ or "",
)
