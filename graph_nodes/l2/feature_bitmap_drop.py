"""feature-bitmap-drop: the end of frames that no feature takes ("L2 feature forwarding disabled").

Feature bits whose node does not exist lead here too ("L2 feature not implemented").
"""

from __future__ import annotations

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.l2.buffer import L2_BUFFER
from vectorplane.graph_nodes.l2.features import DROP as DROP_BIT
from vectorplane.graph_nodes.l2.trace import DROP_TRACE
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import rec

NEXTS = ("error-drop",)
ERRORS = named_by_text(
    "L2 feature forwarding disabled",
    "L2 feature not implemented",
)
E_NO_FWD, E_NYI = range(2)


@kernel
def feature_bitmap_drop(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    err = rec(node, NODE).err_base
    n = frame_n(frame)
    for i in range(n):
        b = pool + buffer_index(frame, i) * CELL
        left = rec(b, L2_BUFFER).feature_bitmap & ~DROP_BIT
        rec(b, BUFFER).error = err + (E_NO_FWD if left == 0 else E_NYI)
        set_next(frame, i, 0)
    return n


FEATURE_BITMAP_DROP = NodeType(
    name="feature-bitmap-drop",
    kernel=feature_bitmap_drop,
    nexts=NEXTS,
    errors=ERRORS,
    trace=DROP_TRACE,
    doc=__doc__ or "",
)
