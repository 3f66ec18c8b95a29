"""nat-default: the next nodes that all NAT44 nodes share, so that one may choose a slot which another one uses."""

from __future__ import annotations

from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import pass_on

NEXTS = (
    "error-drop",
    "ip4-icmp-error",
    "nat44-ed-in2out",
    "nat44-ed-in2out-slowpath",
    "nat44-ed-in2out-output",
    "nat44-ed-in2out-output-slowpath",
    "nat44-ed-out2in",
    "nat44-ed-out2in-slowpath",
    "nat44-in2out-worker-handoff",
    "nat44-out2in-worker-handoff",
)
(
    DROP,
    ICMP_ERROR,
    IN2OUT,
    IN2OUT_SLOW,
    OUTPUT,
    OUTPUT_SLOW,
    OUT2IN,
    OUT2IN_SLOW,
    IN2OUT_HANDOFF,
    OUT2IN_HANDOFF,
) = range(len(NEXTS))

NAT_DEFAULT = NodeType(name="nat-default", kernel=pass_on, nexts=NEXTS, doc=__doc__ or "")
