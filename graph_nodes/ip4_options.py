"""ip4-options: packets whose header has options (RFC 791 3.1), which a fast router does not forward by itself.

As VPP: an IGMP packet with the router alert option (RFC 2113) in first place goes to the local stack; everything
else is punted, with the error that `ip4-input` gave it ("ip4 options present").
"""

from __future__ import annotations

from vectorplane.dataplane.abi import WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.interface import I_IP4_TABLE, INTERFACE_SIZE
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.trace_ip4 import OPTIONS_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import ld8, ld32s, rec

NEXTS = ("ip4-punt", "ip4-local")
PUNT, LOCAL = range(2)

ROUTER_ALERT = 20
"""Option type (RFC 2113) without the copied flag: 148 & 127."""
_IGMP = 2


@kernel
def ip4_options(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    for i in range(frame_n(frame)):
        b = w.pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        ip = b + DATA + m.current_data
        slot = PUNT
        if m.current_length >= 24:
            alert = (ld8(ip + 20) & 0x7F) == ROUTER_ALERT and ld8(ip + 21) == 4
            if alert and ld8(ip + 9) == _IGMP:
                table = ld32s(w.interfaces + m.rx_sw_if * INTERFACE_SIZE + I_IP4_TABLE)
                m.fib_index = table if m.tx_sw_if < 0 else m.tx_sw_if
                slot = LOCAL
        set_next(frame, i, slot)
    return frame_n(frame)


IP4_OPTIONS = NodeType(name="ip4-options", kernel=ip4_options, nexts=NEXTS, trace=OPTIONS_TRACE, doc=__doc__ or "")
