"""The trace of GRE and IPIP nodes: tunnel, length, and the outer addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import WORKER, buffer_index, frame_n
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.node import Trace
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.trace_formats import ip4_address
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import be16, ld32, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

TRACE = np.dtype([("tunnel", "i4"), ("length", "i4"), ("source", "i4"), ("destination", "i4")])


@kernel
def trace_received(worker: int, node: int, frame: int) -> int:
    """After an input node: the interface that it chose, and the outer header in front of the packet."""
    pool = rec(worker, WORKER).pool
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            b = pool + buffer_index(frame, i) * CELL
            m = rec(b, BUFFER)
            ip = b + DATA + m.l3_offset
            r = rec(t, TRACE)
            r.tunnel = m.rx_sw_if
            r.length = be16(ip + 2)
            r.source = ld32(ip + 12)
            r.destination = ld32(ip + 16)
    return n


def received(name: str) -> Trace:
    """``GRE: tunnel 3 len 90 src 10.0.0.1 dst 10.0.0.2``."""

    def text(record: Any, plane: Dataplane) -> str:
        source, destination = (
            ip4_address(int(record[end]).to_bytes(4, "little", signed=True)) for end in ("source", "destination")
        )
        return f"{name}: tunnel {record['tunnel']} len {record['length']} src {source} dst {destination}"

    return Trace(TRACE, trace_received, text)
