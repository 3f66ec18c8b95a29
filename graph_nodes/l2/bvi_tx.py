"""bvi-tx: ``bviN-tx``: what L3 sends by a bridge domain's BVI enters the bridge, as a frame that came from the BVI.

Counted as sent by ``bviN-output``, not as received (as in VPP). What L3 sends has a whole header; a frame that was
cross-connected to the BVI may not, and is dropped ("llc length > packet length").
"""

from __future__ import annotations

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.l2.buffer import FROM_BVI
from vectorplane.graph_nodes.l2.header import CUT, measure
from vectorplane.graph_nodes.trace_packet import TX_TRACE
from vectorplane.graph_nodes.turns import TOO_MANY, turn
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import prefetch, rec

NEXTS = ("error-drop", "l2-input")
DROP, L2_INPUT = range(2)
ERRORS = (TOO_MANY, CUT)
E_TOO_MANY, E_CUT = range(2)


@kernel
def bvi_tx(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    err = rec(node, NODE).err_base
    n = frame_n(frame)
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        whole = measure(b) != 0
        m.rx_sw_if = m.tx_sw_if
        m.tx_sw_if = FROM_BVI
        if whole and turn(b):
            set_next(frame, i, L2_INPUT)
        else:
            m.error = err + (E_TOO_MANY if whole else E_CUT)
            set_next(frame, i, DROP)
    return n


BVI_TX = NodeType(name="bvi-tx", kernel=bvi_tx, nexts=NEXTS, errors=ERRORS, trace=TX_TRACE, doc=__doc__ or "")
