"""ip4-not-enabled: drops IPv4 on interfaces that do not take it (no address, not told to).

The feature that every interface begins with, on the arcs ip4-unicast and ip4-multicast. VPP drops these packets
without a reason of their own ("blackholed packets"); here they have one.
"""

from __future__ import annotations

from vectorplane.dataplane.abi import NODE, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, buffer_at
from vectorplane.dataplane.feature import Feature
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.trace_forward import FORWARD_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import rec

ERRORS = (("not_enabled", "ip4 not enabled on the interface"),)


@kernel
def ip4_not_enabled(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    error = rec(node, NODE).err_base
    n = frame_n(frame)
    for i in range(n):
        rec(buffer_at(worker, buffer_index(frame, i)), BUFFER).error = error
        set_next(frame, i, 0)
    return n


IP4_NOT_ENABLED = NodeType(
    name="ip4-not-enabled",
    kernel=ip4_not_enabled,
    nexts=("error-drop",),
    errors=ERRORS,
    trace=FORWARD_TRACE,
    features=(
        Feature("ip4-unicast", before=("ip4-lookup",)),
        Feature("ip4-multicast", before=("ip4-mfib-forward-lookup",)),
    ),
    doc=__doc__ or "",
)
