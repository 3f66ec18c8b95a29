"""ip6-icmp-echo-request: echo requests to this router become their replies (RFC 4443 4.2).

In place, as in VPP: type 129, source and destination swapped, hop limit 64, the checksum corrected incrementally.
Other than in VPP, which routes the reply, it goes back with the Ethernet header that the request came with, as long
as IPv6 is not forwarded here. A request to a group is answered from the group's address, which VPP does too.

Balance: the request is consumed ("ip6-icmp-input: echo replies sent", VPP's counter) and the reply generated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, DATA, buffer_at
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import count_consumed
from vectorplane.graph_nodes.errors_icmp6 import (
    ECHO_REPLIES_SENT,
    ECHO_REPLY_TYPE,
    ECHO_REQUEST_TYPE,
    ROUTER_SOLICITATION_UNSUPPORTED_INTF,
)
from vectorplane.graph_nodes.icmp6_back import came_with_ethernet, send_back
from vectorplane.graph_nodes.ip4_header import replace_word
from vectorplane.graph_nodes.ip6_header import DESTINATION, HEADER, HOP_LIMIT, SOURCE, copy_address
from vectorplane.graph_nodes.trace_ip6 import IP6_BEFORE_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import ld16, ld64, rec, st8, st16, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip6-drop", "interface-output")
DROP, REPLY_TX = range(2)
HOST_HOP_LIMIT = 64

RUNTIME = np.dtype([("errors", "i8")])


@kernel
def ip6_icmp_echo_request(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    errors = rec(rec(node, NODE).data, RUNTIME).errors
    n = frame_n(frame)
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        m = rec(b, BUFFER)
        if m.current_length < HEADER + 4 or not came_with_ethernet(b):
            m.error = errors + ROUTER_SOLICITATION_UNSUPPORTED_INTF
            set_next(frame, i, DROP)
            continue
        ip = b + DATA + m.current_data
        st16(ip + HEADER + 2, replace_word(ld16(ip + HEADER + 2), ECHO_REQUEST_TYPE, ECHO_REPLY_TYPE))
        st8(ip + HEADER, ECHO_REPLY_TYPE)
        high = ld64(ip + SOURCE)
        low = ld64(ip + SOURCE + 8)
        copy_address(ip + SOURCE, ip + DESTINATION)
        st64(ip + DESTINATION, high)
        st64(ip + DESTINATION + 8, low)
        st8(ip + HOP_LIMIT, HOST_HOP_LIMIT)
        send_back(worker, b)
        count_consumed(worker, errors + ECHO_REPLIES_SENT)
        w.generated += 1
        set_next(frame, i, REPLY_TX)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The counters are ip6-icmp-input's."""
    node.data["errors"] = plane.graph.add("ip6-icmp-input").error_base


IP6_ICMP_ECHO_REQUEST = NodeType(
    name="ip6-icmp-echo-request",
    kernel=ip6_icmp_echo_request,
    nexts=NEXTS,
    runtime=RUNTIME,
    trace=IP6_BEFORE_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
