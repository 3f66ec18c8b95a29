"""ip4-icmp-echo-request: echo requests to this router become their replies (RFC 792; RFC 1812 4.3.3.6).

In place, as in VPP: type 0, source and destination swapped, TTL 64, a new identification, both checksums
corrected incrementally (RFC 1624), so a request with a wrong checksum gets a reply with a wrong one. The reply
goes back by the route that the source check of `ip4-local` has found (`adj`), through `ip4-load-balance`, as a
packet of our own (received on local0, no TTL decrement).

The identification is drawn from the engine's seed and the request itself: the same for any number of workers.

Balance: the request is consumed ("ip4-icmp-input: echo replies sent", VPP's counter) and the reply generated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import KEPT, NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, LOCALLY_ORIGINATED
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import count_consumed, count_drop
from vectorplane.graph_nodes.errors_icmp4 import ECHO_REPLIES_SENT, ECHO_REPLY, ECHO_REQUEST, LENGTH_TOO_SMALL_FOR_TYPE
from vectorplane.graph_nodes.flow_hash import mix3
from vectorplane.graph_nodes.ip4_header import CHECKSUM, DESTINATION, ID, SOURCE, TTL, replace_word
from vectorplane.graph_nodes.rare import free
from vectorplane.graph_nodes.trace_ip4 import IP4_BEFORE_TRACE
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import ld8, ld16, ld32, rec, st8, st16, st32

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip4-load-balance",)
HOST_TTL = 64

RUNTIME = np.dtype([("icmp_errors", "i8")])


@helper
def echo_id(ip: int, icmp: int, seed: int) -> int:
    """Identification (16 bits) of the reply to the request at ``ip``."""
    h = mix3(ld32(ip + SOURCE), ld32(ip + DESTINATION) ^ (seed & 0xFFFFFFFF), ld16(ip + ID) | (ld16(icmp + 2) << 16))
    return (h ^ (h >> 16)) & 0xFFFF


@helper
def make_reply(ip: int, icmp: int, new_id: int) -> None:
    """Turn the echo request at ``ip`` into its reply."""
    # type 8 becomes 0, so the checksum grows by 8 (end-around carry); 0xFFFF stays 0xFFFF, as in VPP
    checksum = ld16(icmp + 2) + ECHO_REQUEST
    st16(icmp + 2, (checksum & 0xFFFF) + (checksum >> 16))
    st8(icmp, ECHO_REPLY)
    source = ld32(ip + SOURCE)
    st32(ip + SOURCE, ld32(ip + DESTINATION))
    st32(ip + DESTINATION, source)
    old = ld16(ip + TTL)
    st8(ip + TTL, HOST_TTL)
    checksum = replace_word(ld16(ip + CHECKSUM), old, ld16(ip + TTL))
    checksum = replace_word(checksum, ld16(ip + ID), new_id)
    st16(ip + ID, new_id)
    st16(ip + CHECKSUM, checksum)


@kernel
def ip4_icmp_echo_request(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    errors = rec(rec(node, NODE).data, RUNTIME).icmp_errors
    for i in range(frame_n(frame)):
        bi = buffer_index(frame, i)
        b = w.pool + bi * CELL
        m = rec(b, BUFFER)
        ip = b + DATA + m.current_data
        if m.current_length < 24 or m.current_length < (ld8(ip) & 15) * 4 + 4:
            # not from ip4-icmp-input, which has looked
            count_drop(worker, errors + LENGTH_TOO_SMALL_FOR_TYPE)
            free(worker, bi)
            set_next(frame, i, KEPT)
            continue
        icmp = ip + (ld8(ip) & 15) * 4
        make_reply(ip, icmp, echo_id(ip, icmp, w.seed))
        m.rx_sw_if = 0
        m.flags |= LOCALLY_ORIGINATED
        count_consumed(worker, errors + ECHO_REPLIES_SENT)
        w.generated += 1
        set_next(frame, i, 0)
    return frame_n(frame)


def bind(plane: Dataplane, node: Node) -> None:
    """The counters are ip4-icmp-input's."""
    node.data["icmp_errors"] = plane.graph.add("ip4-icmp-input").error_base


IP4_ICMP_ECHO_REQUEST = NodeType(
    name="ip4-icmp-echo-request",
    kernel=ip4_icmp_echo_request,
    nexts=NEXTS,
    runtime=RUNTIME,
    trace=IP4_BEFORE_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
