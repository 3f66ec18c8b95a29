"""ip4-null: routes that answer with ICMP unreachable or prohibited (RFC 1812 5.3.9), rate limited as VPP's.

The packet's `adj` is the action. One packet in 100 ms for each pair of addresses is answered; the others are dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, DATA, buffer_at
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.throttle import SLOTS, throttled
from vectorplane.graph_nodes.trace_ip4 import NULL_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import ld64, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip4-drop", "ip4-icmp-error")
DROP, ICMP_ERROR = range(2)
ERRORS = (("unreachable", "ip4 unreachable route"), ("prohibited", "ip4 prohibited route"))
SEND_UNREACHABLE, SEND_PROHIBITED = 1, 2
"""Actions, as in VPP's `ip_null_dpo_action_t`."""
WINDOW = 100_000_000

RUNTIME = np.dtype([("throttle", "i8")])


@kernel
def ip4_null(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    d = rec(node, NODE)
    table = rec(d.data, RUNTIME).throttle
    n = frame_n(frame)
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        m = rec(b, BUFFER)
        action = m.adj
        m.error = d.err_base + action - 1
        if throttled(table, ld64(b + DATA + m.current_data + 12), m.time // WINDOW):
            set_next(frame, i, DROP)
            continue
        m.icmp_type = 3
        m.icmp_code = 1 if action == SEND_UNREACHABLE else 10
        m.icmp_data = 0
        m.tx_sw_if = -1
        set_next(frame, i, ICMP_ERROR)
    return n


class NullThrottle:
    """What was answered in this window."""

    def __init__(self, plane: Dataplane) -> None:
        self._region = Region(8 * SLOTS, name="ip4-null throttle")
        self.address = self._region.address

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()


def bind(plane: Dataplane, node: Node) -> None:
    """The throttle."""
    node.data["throttle"] = plane.shared(NullThrottle).address


IP4_NULL = NodeType(
    name="ip4-null",
    kernel=ip4_null,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=NULL_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
