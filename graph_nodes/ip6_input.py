"""ip6-input: the checks that every IPv6 packet passes first (RFC 8200 3), then the ip6-unicast or -multicast features.

In VPP's order of precedence: shorter than 40 bytes ("ip6 length < 40 bytes"), hop limit 0 ("ip6 ttl <= 1"), version
("ip6 version != 6"). As in VPP the payload length is looked at later, where it matters. Other than in VPP a hop limit
of 0 is not answered by ICMP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.feature import ArcType, feature_start
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.arp_header import tick
from vectorplane.graph_nodes.errors6 import ERRORS, NONE, TIME_EXPIRED, TOO_SHORT, VERSION
from vectorplane.graph_nodes.ip6_header import DESTINATION, HEADER, HOP_LIMIT, is_multicast
from vectorplane.graph_nodes.trace_ip6 import IP6_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import ld8, prefetch, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "ip6-lookup", "ip6-mfib-forward-lookup")
DROP, LOOKUP, MULTICAST = range(3)

RUNTIME = np.dtype([("unicast", "i8"), ("multicast", "i8"), ("counters", "i8")])

IP6_UNICAST = ArcType("ip6-unicast", ("ip6-input",), "ip6-lookup")
IP6_MULTICAST = ArcType("ip6-multicast", ("ip6-input",), "ip6-mfib-forward-lookup")


@kernel
def ip6_input(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        ip = b + DATA + m.current_data
        tick(r.counters, m.rx_sw_if)
        error = NONE
        if m.current_length < HEADER:
            error = TOO_SHORT
        elif ld8(ip + HOP_LIMIT) == 0:
            error = TIME_EXPIRED
        elif (ld8(ip) >> 4) != 6:
            error = VERSION
        if error != NONE:
            m.error = d.err_base + error
            set_next(frame, i, DROP)
        elif is_multicast(ip + DESTINATION):
            slot = feature_start(r.multicast, m.rx_sw_if, b)
            set_next(frame, i, slot if slot >= 0 else MULTICAST)
        else:
            slot = feature_start(r.unicast, m.rx_sw_if, b)
            set_next(frame, i, slot if slot >= 0 else LOOKUP)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """Feature arcs and the packet counters by interface (``/if/ip6``)."""
    node.data["unicast"] = plane.arcs["ip6-unicast"].address
    node.data["multicast"] = plane.arcs["ip6-multicast"].address
    node.data["counters"] = plane.if_stats["ip6"].addresses


IP6_INPUT = NodeType(
    name="ip6-input",
    kernel=ip6_input,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=IP6_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
