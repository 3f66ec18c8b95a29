"""l2-efp-filter: a port sends only frames that would be its own if they arrived ("L2 EFP filter post-rewrite drops").

Frames of ports that rewrite tags were also checked in `l2-output`, before they were rewritten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.interface import INTERFACE, INTERFACE_SIZE, SUB_INTERFACE
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.ethernet_input import sub_interface
from vectorplane.graph_nodes.l2.buffer import L2_BUFFER
from vectorplane.graph_nodes.l2.features import NEXT_BY_BIT, OUT_EFP_FILTER, OUTPUT_FEATURES, bind_features, slot_of
from vectorplane.graph_nodes.l2.header import VLAN_LE, is_tag
from vectorplane.graph_nodes.l2.trace import EFP_FILTER_TRACE
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.jit.kernel import kernel, routine
from vectorplane.jit.ops import be16, ld16, prefetch, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop",)
DROP = 0
ERRORS = named_by_text(
    "L2 EFP filter packets",
    "L2 EFP filter post-rewrite drops",
)
E_FILTER, E_DROP = range(2)

RUNTIME = np.dtype([NEXT_BY_BIT], align=True)


@routine
def belongs(worker: int, b: int) -> bool:
    """Would the frame, arriving at the port's super-interface, be the port's?"""
    interfaces = rec(worker, WORKER).interfaces
    m = rec(b, BUFFER)
    port = interfaces + m.tx_sw_if * INTERFACE_SIZE
    d = b + DATA + m.current_data
    length = m.current_length
    outer = 0
    inner = 0
    tags = 0
    if length >= 18 and is_tag(ld16(d + 12)):
        tags = 1
        outer = be16(d + 14) & 0xFFF
        if length >= 22 and ld16(d + 16) == VLAN_LE:
            tags = 2
            inner = be16(d + 18) & 0xFFF
    if tags == 0 or (tags == 1 and outer == 0):  # no tag, or one that only carries a priority
        return (rec(port, INTERFACE).flags & SUB_INTERFACE) == 0
    sup = rec(port, INTERFACE).sup
    found = sub_interface(interfaces + sup * INTERFACE_SIZE, interfaces, outer, inner, tags, be16(d + 12))
    return found == m.tx_sw_if or (found < 0 and sup == m.tx_sw_if)


@kernel
def l2_efp_filter(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    n = frame_n(frame)
    for i in range(n):
        prefetch(pool + buffer_index(frame, i + 4) * CELL)
        b = pool + buffer_index(frame, i) * CELL
        left = rec(b, L2_BUFFER).feature_bitmap & ~OUT_EFP_FILTER
        rec(b, L2_BUFFER).feature_bitmap = left
        if belongs(worker, b):
            set_next(frame, i, slot_of(d.data, left))
        else:
            rec(b, BUFFER).error = d.err_base + E_DROP
            set_next(frame, i, DROP)
    count(worker, d.err_base + E_FILTER, n)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The nodes of the features."""
    bind_features(node, OUTPUT_FEATURES)


L2_EFP_FILTER = NodeType(
    name="l2-efp-filter",
    kernel=l2_efp_filter,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=EFP_FILTER_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
