"""l2-uu-fwd: unknown unicast (and ARP, where the domain wants it) leaves by the domain's interface for it, alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.l2.buffer import L2_BUFFER
from vectorplane.graph_nodes.l2.config import BRIDGE_DOMAIN, DOMAIN_SIZE, L2Config
from vectorplane.graph_nodes.l2.trace import UU_FWD_TRACE
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import prefetch, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "l2-output")
DROP, L2_OUTPUT = range(2)
ERRORS = named_by_text(
    "L2 UU fwd",
    "no interface for unknown unicast",
)
E_UU_FWD, E_NO_INTERFACE = range(2)
"""The second is ours: VPP takes it for granted that the domain has such an interface."""

RUNTIME = np.dtype([("domains", "i8")])


@kernel
def l2_uu_fwd(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    domains = rec(d.data, RUNTIME).domains
    n = frame_n(frame)
    for i in range(n):
        prefetch(pool + buffer_index(frame, i + 4) * CELL)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        m.tx_sw_if = rec(domains + rec(b, L2_BUFFER).bd_index * DOMAIN_SIZE, BRIDGE_DOMAIN).uu_fwd
        if m.tx_sw_if < 0:
            m.error = d.err_base + E_NO_INTERFACE
        set_next(frame, i, L2_OUTPUT if m.tx_sw_if >= 0 else DROP)
    count(worker, d.err_base + E_UU_FWD, n)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The domains."""
    node.data["domains"] = plane.shared(L2Config).domains_address


L2_UU_FWD = NodeType(
    name="l2-uu-fwd",
    kernel=l2_uu_fwd,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=UU_FWD_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
