"""The translating nodes; what they do is said where their kernels are: `fast`, `slow_in2out`, `slow_out2in`.

On arcs stand the nodes in front of them: `pre`, `classify`, `worker_handoff`.
"""

from __future__ import annotations

from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.nat44 import fast, slow_in2out, slow_out2in
from vectorplane.graph_nodes.nat44.errors import IN2OUT_ERRORS, OUT2IN_ERRORS
from vectorplane.graph_nodes.nat44.runtime import RUNTIME, bind
from vectorplane.graph_nodes.nat44.trace import nat_trace
from vectorplane.jit.kernel import Kernel


def _node(name: str, kernel: Kernel, doc: str | None) -> NodeType:
    inward = "out2in" in name
    return NodeType(
        name=name,
        kernel=kernel,
        sibling_of="nat-default",
        errors=OUT2IN_ERRORS if inward else IN2OUT_ERRORS,
        runtime=RUNTIME,
        trace=nat_trace("OUT2IN" if inward else "IN2OUT", name.endswith("slowpath")),
        bind=bind,
        doc=doc or "",
    )


NAT44_ED_IN2OUT = _node("nat44-ed-in2out", fast.in2out, fast.__doc__)
NAT44_ED_IN2OUT_OUTPUT = _node("nat44-ed-in2out-output", fast.in2out_output, fast.__doc__)
NAT44_ED_OUT2IN = _node("nat44-ed-out2in", fast.out2in, fast.__doc__)
NAT44_ED_IN2OUT_SLOWPATH = _node("nat44-ed-in2out-slowpath", slow_in2out.in2out_slow, slow_in2out.__doc__)
NAT44_ED_IN2OUT_OUTPUT_SLOWPATH = _node(
    "nat44-ed-in2out-output-slowpath", slow_in2out.in2out_output_slow, slow_in2out.__doc__
)
NAT44_ED_OUT2IN_SLOWPATH = _node("nat44-ed-out2in-slowpath", slow_out2in.out2in_slow, slow_out2in.__doc__)
