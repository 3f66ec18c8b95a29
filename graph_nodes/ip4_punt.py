"""ip4-punt and ip4-punt-redirect: what would go to the host may be sent to a neighbour instead.

ip4-punt is where features for punted IPv4 packets hook in (arc ip4-punt, which is switched on for interface 0 and
holds for all). ip4-punt-redirect sends a packet by the load-balance that was set for its receiving interface, or else
for all interfaces, as a packet of our own (its TTL stays); without one it goes on to the next feature, at last to
error-punt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.abi import NODE, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, LOCALLY_ORIGINATED, buffer_at
from vectorplane.dataplane.feature import ArcType, Feature, feature_next, feature_start
from vectorplane.dataplane.interface import MAX_INTERFACES
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.errors4 import ERRORS
from vectorplane.graph_nodes.forwarding import Forwarding
from vectorplane.graph_nodes.ip4_lookup import finish
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.trace_forward import FORWARD_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import ld32s, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NAME = "ip4-punt-redirect"
ARC = "ip4-punt"
IP4_PUNT_ARC = ArcType(ARC, ("ip4-punt",), "error-punt")

PUNT_RUNTIME = np.dtype([("arc", "i8")])
RUNTIME = np.dtype(
    [("arc", "i8"), ("redirects", "i8"), ("lbs", "i8"), ("buckets", "i8"), ("counters", "i8")],
)
REDIRECT_ERRORS = named_by_text(
    "ip4 punt redirect drop",
)


@kernel
def ip4_punt(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    arc = rec(rec(node, NODE).data, PUNT_RUNTIME).arc
    n = frame_n(frame)
    for i in range(n):
        slot = feature_start(arc, 0, buffer_at(worker, buffer_index(frame, i)))
        set_next(frame, i, slot if slot >= 0 else 0)
    return n


@kernel
def ip4_punt_redirect(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    r = rec(rec(node, NODE).data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        m = rec(b, BUFFER)
        lb = ld32s(r.redirects + 4 * m.rx_sw_if)
        if lb == 0:
            lb = ld32s(r.redirects)
        if lb == 0:
            set_next(frame, i, feature_next(r.arc, b))
            continue
        m.flags |= LOCALLY_ORIGINATED
        m.flow_hash = 0
        finish(frame, i, b, lb, r.lbs, r.buckets, r.counters)
    return n


class PuntTable:
    """By receiving interface the load-balance that its punted packets follow; entry 0: all others'; 0: none."""

    def __init__(self, plane: Dataplane) -> None:
        self._region = Region(4 * MAX_INTERFACES, name="punt redirects")
        self.address = self._region.address
        self.load_balances: npt.NDArray[np.int32] = self._region.view(np.dtype("i4"), 0, MAX_INTERFACES)

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()


def bind_punt(plane: Dataplane, node: Node) -> None:
    """The arc."""
    node.data["arc"] = plane.arcs[ARC].address


def bind(plane: Dataplane, node: Node) -> None:
    """The arc, the redirects, and load-balances."""
    forwarding = plane.shared(Forwarding)
    node.data["arc"] = plane.arcs[ARC].address
    node.data["redirects"] = plane.shared(PuntTable).address
    node.data["lbs"], node.data["buckets"] = forwarding.lb_address, forwarding.bucket_address
    node.data["counters"] = forwarding.route_via.addresses


IP4_PUNT = NodeType(
    name="ip4-punt",
    kernel=ip4_punt,
    nexts=("error-punt",),
    errors=ERRORS,
    runtime=PUNT_RUNTIME,
    trace=FORWARD_TRACE,
    bind=bind_punt,
    doc=__doc__ or "",
)
IP4_PUNT_REDIRECT = NodeType(
    name=NAME,
    kernel=ip4_punt_redirect,
    sibling_of="ip4-lookup",
    errors=REDIRECT_ERRORS,
    runtime=RUNTIME,
    trace=FORWARD_TRACE,
    bind=bind,
    features=(Feature(ARC, before=("error-punt",)),),
)
