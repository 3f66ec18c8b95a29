"""nat-pre-in2out, nat-pre-out2in, nat-pre-in2out-output: where NAT stands on an arc of features.

They note which feature comes behind NAT, since NAT's own nodes are no features, and pass packets to the fast path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, get_next, set_next
from vectorplane.dataplane.buffer import CELL
from vectorplane.dataplane.feature import Feature, feature_next
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.nat44.buffer import NAT_BUFFER
from vectorplane.graph_nodes.nat44.nexts import IN2OUT, OUT2IN, OUTPUT
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import prefetch, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

RUNTIME = np.dtype([("arc", "i8"), ("slot", "i8")])
TRACE = np.dtype([("next_index", "i4"), ("arc_next", "i4")])
_SLOTS = {"nat-pre-in2out": IN2OUT, "nat-pre-out2in": OUT2IN, "nat-pre-in2out-output": OUTPUT}


@kernel
def pre(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    r = rec(rec(node, NODE).data, RUNTIME)
    arc = r.arc
    slot = r.slot
    n = frame_n(frame)
    for i in range(n):
        prefetch(pool + buffer_index(frame, i + 8) * CELL)
        b = pool + buffer_index(frame, i) * CELL
        rec(b, NAT_BUFFER).arc_next = feature_next(arc, b)
        set_next(frame, i, slot)
    return n


@kernel
def trace_pre(worker: int, node: int, frame: int) -> int:
    """Both slots of each traced packet."""
    pool = rec(worker, WORKER).pool
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            rec(t, TRACE).next_index = get_next(frame, i)
            rec(t, TRACE).arc_next = rec(pool + buffer_index(frame, i) * CELL, NAT_BUFFER).arc_next
    return n


def _format(way: str) -> Any:
    def text(record: Any, plane: Dataplane) -> str:
        return f"{way} next_index {int(record['next_index'])} arc_next_index {int(record['arc_next'])}"

    return text


def bind(plane: Dataplane, node: Node) -> None:
    """The arc, and where its packets go."""
    node.data["arc"] = plane.arcs[node.type.features[0].arc].address
    node.data["slot"] = _SLOTS[node.type.name]


def _node(name: str, way: str, feature: Feature) -> NodeType:
    return NodeType(
        name=name,
        kernel=pre,
        sibling_of="nat-default",
        runtime=RUNTIME,
        trace=Trace(TRACE, trace_pre, _format(way)),
        bind=bind,
        features=(feature,),
        doc=__doc__ or "",
    )


BEFORE_LOOKUP = ("ip4-lookup",)
AFTER_REASSEMBLY = ("acl-plugin-in-ip4-fa", "ip4-sv-reassembly-feature")
OUTPUT_FEATURE = Feature(
    "ip4-output", after=("ip4-sv-reassembly-output-feature",), before=("acl-plugin-out-ip4-fa", "interface-output")
)
NAT_PRE_IN2OUT = _node("nat-pre-in2out", "in2out", Feature("ip4-unicast", after=AFTER_REASSEMBLY, before=BEFORE_LOOKUP))
NAT_PRE_OUT2IN = _node(
    "nat-pre-out2in",
    "out2in",
    Feature("ip4-unicast", after=(*AFTER_REASSEMBLY, "ip4-dhcp-client-detect"), before=BEFORE_LOOKUP),
)
NAT_PRE_IN2OUT_OUTPUT = _node("nat-pre-in2out-output", "in2out", OUTPUT_FEATURE)
