"""span-input, span-output, span-l2-input, span-l2-output: what an interface receives or sends is copied to others.

The first two mirror whole interfaces (features of the arcs device-input and interface-output); their copies leave by
the other interface's output node. The other two mirror what a bridged port receives or sends (bits of its L2 feature
bitmaps); their copies go to l2-output. A copy has its bytes to itself and is never mirrored again. Without a free
buffer a copy is not made, which is counted ("no buffer for a copy"); in VPP it goes unsaid.

Balance: copies are generated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, SPAN_CLONE, buffer_at
from vectorplane.dataplane.feature import Feature, feature_next
from vectorplane.dataplane.frame import emit, enqueue
from vectorplane.dataplane.interface import INTERFACE, INTERFACE_SIZE, MAX_INTERFACES
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.region import Region
from vectorplane.dataplane.trace import add_trace, is_traced
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.l2.buffer import L2_BUFFER
from vectorplane.graph_nodes.l2.features import (
    INPUT_FEATURES,
    NEXT_BY_BIT,
    OUT_OUTPUT,
    OUT_SPAN,
    OUTPUT_FEATURES,
    SPAN,
    bind_features,
    next_without,
)
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.replicate import copy_packet
from vectorplane.jit.kernel import helper, kernel, routine
from vectorplane.jit.ops import ld32s, offsets, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

DEVICE_RX, DEVICE_TX, L2_RX, L2_TX = range(4)
"""What is mirrored: each has a table of its own."""
MOST_PORTS = 15
PORTS = np.dtype([("n", "i4"), ("ports", "i4", (MOST_PORTS,))])
"""The mirror ports of an interface, one cache line."""
PORTS_SIZE = PORTS.itemsize
_FIRST_PORT = offsets(PORTS, "ports")[0]

NEXTS = ("error-drop",)
L2_NEXTS = ("error-drop", "l2-output")
L2_OUTPUT = 1
ERRORS = named_by_text(
    "SPAN incoming packets processed",
    "no buffer for a copy",
)
E_HITS, E_NO_BUFFER = range(2)
"""VPP never counts the first."""

RUNTIME = np.dtype([("arc", "i8"), ("mirrors", "i8")])
L2_RUNTIME = np.dtype([NEXT_BY_BIT, ("mirrors", "i8")], align=True)

TRACE = np.dtype([("source", "i4"), ("port", "i4")], align=True)


@routine
def mirror(worker: int, node: int, index: int, ports: int, source: int, l2: int) -> int:
    """Copies of packet ``index`` to all mirror ports (of ``source``); how many were made."""
    d = rec(node, NODE)
    w = rec(worker, WORKER)
    b = buffer_at(worker, index)
    if rec(b, BUFFER).flags & SPAN_CLONE:
        return 0
    made = 0
    for k in range(rec(ports, PORTS).n):
        port = ld32s(ports + _FIRST_PORT + 4 * k)
        copied = copy_packet(worker, index)
        if copied < 0:
            count(worker, d.err_base + E_NO_BUFFER, 1)
            continue
        c = buffer_at(worker, copied)
        m = rec(c, BUFFER)
        m.tx_sw_if = port
        m.flags |= SPAN_CLONE
        w.generated += 1
        made += 1
        if is_traced(b):
            t = add_trace(worker, node, b, index, -1)
            if t != 0:
                rec(t, TRACE).source = source
                rec(t, TRACE).port = port
        if l2:
            rec(c, L2_BUFFER).feature_bitmap = OUT_OUTPUT
            emit(worker, node, L2_OUTPUT, copied)
        else:
            enqueue(worker, rec(w.interfaces + port * INTERFACE_SIZE, INTERFACE).output_node, copied)
    return made


@helper
def mirror_all(worker: int, node: int, index: int, mirrors: int, source: int, l2: int) -> None:
    """Mirror a packet of interface ``source``, if that has mirror ports (any more)."""
    ports = mirrors + source * PORTS_SIZE
    if ld32s(ports) > 0:
        mirror(worker, node, index, ports, source, l2)


@kernel
def span_input(worker: int, node: int, frame: int) -> int:
    """Mirror what an interface receives."""
    r = rec(rec(node, NODE).data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        mirror_all(worker, node, buffer_index(frame, i), r.mirrors, rec(b, BUFFER).rx_sw_if, 0)
        set_next(frame, i, feature_next(r.arc, b))
    return n


@kernel
def span_output(worker: int, node: int, frame: int) -> int:
    """Mirror what an interface sends."""
    r = rec(rec(node, NODE).data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        mirror_all(worker, node, buffer_index(frame, i), r.mirrors, rec(b, BUFFER).tx_sw_if, 0)
        set_next(frame, i, feature_next(r.arc, b))
    return n


@kernel
def span_l2_input(worker: int, node: int, frame: int) -> int:
    """Mirror what a bridged port receives."""
    data = rec(node, NODE).data
    mirrors = rec(data, L2_RUNTIME).mirrors
    n = frame_n(frame)
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        mirror_all(worker, node, buffer_index(frame, i), mirrors, rec(b, BUFFER).rx_sw_if, 1)
        set_next(frame, i, next_without(data, b, SPAN))
    return n


@kernel
def span_l2_output(worker: int, node: int, frame: int) -> int:
    """Mirror what a bridged port sends."""
    data = rec(node, NODE).data
    mirrors = rec(data, L2_RUNTIME).mirrors
    n = frame_n(frame)
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        mirror_all(worker, node, buffer_index(frame, i), mirrors, rec(b, BUFFER).tx_sw_if, 1)
        set_next(frame, i, next_without(data, b, OUT_SPAN))
    return n


@kernel
def trace_nothing(worker: int, node: int, frame: int) -> int:
    """The traces are written where the copies are made: a packet without a copy has none."""
    return frame_n(frame)


def format_trace(record: Any, plane: Dataplane) -> str:
    """``SPAN: mirrored pg0 -> pg1``; an interface that is gone since is shown as its number."""
    names = [plane.interfaces.names.get(int(record[f]), str(int(record[f]))) for f in ("source", "port")]
    return f"SPAN: mirrored {names[0]} -> {names[1]}"


class SpanTables:
    """The mirror ports of every interface, by `DEVICE_RX` ... `L2_TX`."""

    def __init__(self, plane: Dataplane) -> None:
        self._region = Region(4 * MAX_INTERFACES * PORTS_SIZE, name="span")
        self.tables: npt.NDArray[Any] = self._region.view(PORTS, 0, 4 * MAX_INTERFACES).reshape(4, MAX_INTERFACES)

    def address(self, what: int) -> int:
        """Where the table of one of them begins."""
        return self._region.address + what * MAX_INTERFACES * PORTS_SIZE

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()


_TABLE_OF = {"span-input": DEVICE_RX, "span-output": DEVICE_TX, "span-l2-input": L2_RX, "span-l2-output": L2_TX}
SPAN_TRACE = Trace(TRACE, trace_nothing, format_trace, before=True)


def bind(plane: Dataplane, node: Node) -> None:
    """The mirror ports, and the arc."""
    arc = "device-input" if node.type.name == "span-input" else "interface-output"
    node.data["arc"] = plane.arcs[arc].address
    node.data["mirrors"] = plane.shared(SpanTables).address(_TABLE_OF[node.type.name])


def bind_l2(plane: Dataplane, node: Node) -> None:
    """The mirror ports, and the nodes of the features."""
    node.data["mirrors"] = plane.shared(SpanTables).address(_TABLE_OF[node.type.name])
    bind_features(node, INPUT_FEATURES if node.type.name == "span-l2-input" else OUTPUT_FEATURES)


SPAN_INPUT = NodeType(
    name="span-input",
    kernel=span_input,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=SPAN_TRACE,
    bind=bind,
    features=(Feature("device-input", before=("worker-handoff",)),),
    doc=__doc__ or "",
)
SPAN_OUTPUT = NodeType(
    name="span-output",
    kernel=span_output,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=SPAN_TRACE,
    bind=bind,
    features=(Feature("interface-output"),),
)
SPAN_L2_INPUT = NodeType(
    name="span-l2-input",
    kernel=span_l2_input,
    nexts=L2_NEXTS,
    errors=ERRORS,
    runtime=L2_RUNTIME,
    trace=SPAN_TRACE,
    bind=bind_l2,
)
SPAN_L2_OUTPUT = NodeType(
    name="span-l2-output",
    kernel=span_l2_output,
    nexts=L2_NEXTS,
    errors=ERRORS,
    runtime=L2_RUNTIME,
    trace=SPAN_TRACE,
    bind=bind_l2,
)
