"""l2-output: bridged frames leave by their port: split horizon, the port's VLAN tag rewrite, output features.

A port that is plain (no rewrite, no feature) costs a comparison of groups and a store a packet. The frame then goes to
the interface's own output node. One whose interface is not in L2 mode any more, when an old MAC table entry led here:
"L2 Output interface not valid". Frames of the port's own split-horizon group: "L2 split horizon drops". Tags that do
not match the port's: "L2 EFP filter pre-rewrite drops"; too few of them: "L2 output tag rewrite drops".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.l2.buffer import L2_BUFFER
from vectorplane.graph_nodes.l2.config import L2_OUTPUT, L2_OUTPUT_SIZE, L2Config
from vectorplane.graph_nodes.l2.features import (
    NEXT_BY_BIT,
    OUT_EFP_FILTER,
    OUT_OUTPUT,
    OUTPUT_FEATURES,
    bind_features,
    slot_of,
)
from vectorplane.graph_nodes.l2.trace import OUTPUT_TRACE
from vectorplane.graph_nodes.l2.vtr import rewrite_tags, tags_match
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.jit.kernel import kernel, routine
from vectorplane.jit.ops import prefetch, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "interface-output")
DROP, INTERFACE_OUTPUT = range(2)
ERRORS = named_by_text(
    "L2 output packets",
    "L2 EFP filter pre-rewrite drops",
    "L2 output tag rewrite drops",
    "L2 split horizon drops",
    "L2 output drops",
    "L2 Output interface not valid",
)
E_OUTPUT, E_EFP, E_VTR, E_SHG, E_DROP, E_MAPPING = range(6)

RUNTIME = np.dtype([NEXT_BY_BIT, ("outputs", "i8")], align=True)


@routine
def not_plain(node: int, b: int, config: int) -> int:
    """The slot of a frame for a port with something to do."""
    m = rec(b, BUFFER)
    c = rec(config, L2_OUTPUT)
    d = rec(node, NODE)
    err = d.err_base
    if c.next == DROP:
        m.error = err + E_MAPPING
        return DROP
    features = c.feature_bitmap & ~OUT_OUTPUT
    slot = int(c.next)
    if features != 0:
        slot = slot_of(d.data, c.feature_bitmap)
    if c.out_push | c.out_pop:
        if features & OUT_EFP_FILTER and not tags_match(b, c.in_tags, c.efp_mask, c.in_push):
            m.error = err + E_EFP
            slot = DROP
        elif not rewrite_tags(b, c.out_tags, c.out_push, c.out_pop):
            m.error = err + E_VTR
            slot = DROP
    if c.shg != 0 and c.shg == rec(b, L2_BUFFER).shg & 0xFF:
        m.error = err + E_SHG
        slot = DROP
    if features != 0:
        rec(b, L2_BUFFER).feature_bitmap = c.feature_bitmap
    return slot


@kernel
def l2_output(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    outputs = rec(d.data, RUNTIME).outputs
    n = frame_n(frame)
    last = -1
    slot = DROP
    shg = 0
    plain = False
    for i in range(n):
        prefetch(pool + buffer_index(frame, i + 4) * CELL)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        if m.tx_sw_if != last:
            last = m.tx_sw_if
            c = rec(outputs + last * L2_OUTPUT_SIZE, L2_OUTPUT)
            slot = c.next
            plain = c.plain != 0
            shg = c.shg
        if plain:
            if shg != 0 and shg == rec(b, L2_BUFFER).shg & 0xFF:
                m.error = d.err_base + E_SHG
                set_next(frame, i, DROP)
            else:
                set_next(frame, i, slot)
        else:
            set_next(frame, i, not_plain(node, b, outputs + last * L2_OUTPUT_SIZE))
    count(worker, d.err_base + E_OUTPUT, n)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The ports' configuration, and the nodes of the features."""
    node.data["outputs"] = plane.shared(L2Config).outputs_address
    bind_features(node, OUTPUT_FEATURES)


L2_OUTPUT_NODE = NodeType(
    name="l2-output",
    kernel=l2_output,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=OUTPUT_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
