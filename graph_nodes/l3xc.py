"""l3xc-input-ip4: what an interface receives goes to the load-balance of its L3 cross-connect, without a lookup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL
from vectorplane.dataplane.feature import Feature
from vectorplane.dataplane.interface import MAX_INTERFACES
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.region import Region
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import ld32s, prefetch, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NAME = "l3xc-input-ip4"
NEXTS = ("error-drop", "ip4-load-balance")
DROP, LOAD_BALANCE = range(2)
ERRORS = named_by_text(
    "no match",
    "matched",
)
"""Neither is ever counted, in VPP either."""

RUNTIME = np.dtype([("load_balances", "i8")])
TRACE = np.dtype([("rx", "i4"), ("lb", "i4")], align=True)


@kernel
def l3xc_input_ip4(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    load_balances = rec(rec(node, NODE).data, RUNTIME).load_balances
    n = frame_n(frame)
    for i in range(n):
        prefetch(pool + buffer_index(frame, i + 4) * CELL)
        m = rec(pool + buffer_index(frame, i) * CELL, BUFFER)
        m.flow_hash = 0
        m.adj = ld32s(load_balances + 4 * m.rx_sw_if)
        set_next(frame, i, LOAD_BALANCE)
    return n


@kernel
def trace(worker: int, node: int, frame: int) -> int:
    """A `TRACE` for each traced packet."""
    pool = rec(worker, WORKER).pool
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            b = pool + buffer_index(frame, i) * CELL
            rec(t, TRACE).rx = rec(b, BUFFER).rx_sw_if
            rec(t, TRACE).lb = rec(b, BUFFER).adj
    return n


def format_trace(record: Any, plane: Dataplane) -> str:
    """``l3xc-index:1 lb-index:7``; the first is the receiving interface's number (in VPP a number of its own)."""
    return f"l3xc-index:{int(record['rx'])} lb-index:{int(record['lb'])}"


class L3xcTable:
    """By receiving interface the load-balance of its cross-connect."""

    def __init__(self, plane: Dataplane) -> None:
        self._region = Region(4 * MAX_INTERFACES, name="l3 cross-connects")
        self.address = self._region.address
        self.load_balances: npt.NDArray[np.int32] = self._region.view(np.dtype("i4"), 0, MAX_INTERFACES)

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()


def bind(plane: Dataplane, node: Node) -> None:
    """The cross-connects."""
    node.data["load_balances"] = plane.shared(L3xcTable).address


L3XC_INPUT_IP4 = NodeType(
    name=NAME,
    kernel=l3xc_input_ip4,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=Trace(TRACE, trace, format_trace),
    bind=bind,
    features=(Feature("ip4-unicast", before=("ip4-lookup",), after=("acl-plugin-in-ip4-fa",)),),
    doc=__doc__ or "",
)
