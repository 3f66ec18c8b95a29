"""A transmit node that only counts: for benchmarks, and for interfaces whose output nobody wants."""

from __future__ import annotations

from vectorplane.dataplane.abi import TERMINAL, buffer_index, frame_n
from vectorplane.dataplane.buffer import free
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.trace_packet import TX_TRACE
from vectorplane.jit.kernel import kernel


@kernel
def null_tx(worker: int, node: int, frame: int) -> int:
    """Free all packets; `<interface>-output` has counted them."""
    n = frame_n(frame)
    for i in range(n):
        free(worker, buffer_index(frame, i))
    return n


NULL_TX = NodeType(name="null-tx", kernel=null_tx, kind=TERMINAL, trace=TX_TRACE, doc=__doc__ or "")
