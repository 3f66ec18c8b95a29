"""The ends of an IPv6 packet's way: ip6-drop, ip6-punt, and ip6-not-enabled.

ip6-not-enabled is the feature that every interface begins with, on the arcs ip6-unicast and ip6-multicast: it drops
IPv6 on interfaces that do not take it (no IPv6 address, not told to). VPP drops these packets without a reason of
their own ("blackholed packets"); here they have one.
"""

from __future__ import annotations

from vectorplane.dataplane.abi import NODE, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, buffer_at
from vectorplane.dataplane.feature import Feature
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import pass_on
from vectorplane.graph_nodes.trace_ip6 import IP6_FORWARD_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import rec


@kernel
def ip6_not_enabled(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    error = rec(node, NODE).err_base
    n = frame_n(frame)
    for i in range(n):
        rec(buffer_at(worker, buffer_index(frame, i)), BUFFER).error = error
        set_next(frame, i, 0)
    return n


IP6_DROP = NodeType(name="ip6-drop", kernel=pass_on, nexts=("error-drop",), trace=IP6_FORWARD_TRACE)
IP6_PUNT = NodeType(name="ip6-punt", kernel=pass_on, nexts=("error-punt",), trace=IP6_FORWARD_TRACE)
IP6_NOT_ENABLED = NodeType(
    name="ip6-not-enabled",
    kernel=ip6_not_enabled,
    nexts=("error-drop",),
    errors=(("not_enabled", "ip6 not enabled on the interface"),),
    trace=IP6_FORWARD_TRACE,
    features=(
        Feature("ip6-unicast", before=("ip6-lookup",)),
        Feature("ip6-multicast", before=("ip6-mfib-forward-lookup",)),
    ),
    doc=__doc__ or "",
)
