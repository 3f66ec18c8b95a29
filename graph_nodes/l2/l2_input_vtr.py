"""l2-input-vtr: the VLAN tag rewrite of a port on what comes in; too few tags: "L2 input tag rewrite drops"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.l2.buffer import L2_BUFFER
from vectorplane.graph_nodes.l2.config import L2_OUTPUT, L2_OUTPUT_SIZE, L2Config
from vectorplane.graph_nodes.l2.features import INPUT_FEATURES, NEXT_BY_BIT, VTR, bind_features, slot_of
from vectorplane.graph_nodes.l2.trace import INPUT_VTR_TRACE
from vectorplane.graph_nodes.l2.vtr import rewrite_tags
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import prefetch, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop",)
DROP = 0
ERRORS = named_by_text(
    "L2 inverter packets",
    "L2 input tag rewrite drops",
)
E_DROP = 1
"""VPP never counts the first."""

RUNTIME = np.dtype([NEXT_BY_BIT, ("outputs", "i8")], align=True)


@kernel
def l2_input_vtr(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    data = d.data
    outputs = rec(data, RUNTIME).outputs
    n = frame_n(frame)
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        left = rec(b, L2_BUFFER).feature_bitmap & ~VTR
        rec(b, L2_BUFFER).feature_bitmap = left
        c = rec(outputs + m.rx_sw_if * L2_OUTPUT_SIZE, L2_OUTPUT)
        if (c.in_push | c.in_pop) == 0 or rewrite_tags(b, c.in_tags, c.in_push, c.in_pop):
            set_next(frame, i, slot_of(data, left))
        else:
            m.error = d.err_base + E_DROP
            set_next(frame, i, DROP)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The rewrites lie with the ports' output configuration."""
    node.data["outputs"] = plane.shared(L2Config).outputs_address
    bind_features(node, INPUT_FEATURES)


L2_INPUT_VTR = NodeType(
    name="l2-input-vtr",
    kernel=l2_input_vtr,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=INPUT_VTR_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
