"""ip4-icmp-error: an ICMP error message about a packet that is dropped (RFC 792; RFC 1812 4.3.2).

The node that gives the packet up says which (`icmp_type`, `icmp_code`, `icmp_data`: the 32 bits behind the
checksum). As VPP makes it: a new packet of at most 576 bytes that quotes what the first buffer holds, from the
address of the receiving interface nearest to the packet's source, TTL 255, identification 0, into `ip4-lookup`
as a packet of our own. Like VPP's it is not withheld when the packet is itself an ICMP error, a later fragment
or a broadcast.

"error message dropped" counts messages that were not made: the interface has no address, buffers ran out, or
the rate limit: one message for the same two addresses in 10 us of packet time. VPP compares within a vector and
thus packets that the same node gave up; here the key holds that node too, so the vector size does not matter.

Balance: the original goes to `ip4-drop` with the reason that it came with; the message is generated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, LOCALLY_ORIGINATED, TRACED, buffer_at
from vectorplane.dataplane.frame import emit
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes import errors4
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.errors_icmp4 import (
    DEST_UNREACH_SENT,
    DESTINATION_UNREACHABLE,
    DROP,
    ERRORS,
    FRAGMENTATION_NEEDED,
    GIVEN_UP_BEHIND,
    PARAM_PROBLEM_SENT,
    PARAMETER_PROBLEM,
    TIME_EXCEEDED,
    TTL_EXPIRE_SENT,
)
from vectorplane.graph_nodes.flow_state import FlowState, throttled
from vectorplane.graph_nodes.ip4_header import DESTINATION, SOURCE, sum_words
from vectorplane.graph_nodes.ip4_source import NO_ADDRESS, InterfaceAddresses, select_source
from vectorplane.graph_nodes.rare import allocate, copy, set_checksum
from vectorplane.graph_nodes.trace_packet import IP4_TRACE
from vectorplane.jit.kernel import helper, kernel, routine
from vectorplane.jit.ops import be32, bswap16, bswap32, ld32, ld64, mul, rec, st8, st16, st32

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip4-drop", "ip4-lookup")
DROP_NEXT, LOOKUP = range(2)

MOST = 576
"""Longest message, headers included (RFC 1812 4.3.2.3)."""
_HEADERS = 28
_TIME_EXPIRED, _MTU_EXCEEDED = errors4.TIME_EXPIRED, errors4.MTU_EXCEEDED

RUNTIME = np.dtype([("addresses", "i8"), ("flows", "i8")])


@helper
def counter_of(kind: int) -> int:
    """Error code that counts messages of type ``kind``."""
    if kind == DESTINATION_UNREACHABLE:
        return DEST_UNREACH_SENT
    if kind == TIME_EXCEEDED:
        return TTL_EXPIRE_SENT
    if kind == PARAMETER_PROBLEM:
        return PARAM_PROBLEM_SENT
    return DROP


@helper
def giver(error: int, kind: int, code: int) -> int:
    """A number of the node whose error the packet has: its first error counter, when it is an IPv4 node's."""
    if kind == TIME_EXCEEDED:
        return error - _TIME_EXPIRED
    if kind == DESTINATION_UNREACHABLE and code == FRAGMENTATION_NEEDED:
        return error - _MTU_EXCEEDED
    return error


@helper
def write_message(to: int, ip: int, quoted: int, source: int, kind: int, code: int, data: int) -> None:
    """Write the message about the packet at ``ip``, of which it quotes ``quoted`` bytes, at ``to``."""
    size = quoted + _HEADERS
    copy(to + _HEADERS, ip, quoted)
    st32(to, 0x45 | (bswap16(size) << 16))
    st32(to + 4, 0)
    st32(to + 8, 0x01FF)  # TTL 255, ICMP
    st32(to + SOURCE, bswap32(source))
    st32(to + DESTINATION, ld32(ip + SOURCE))
    set_checksum(to)
    st8(to + 20, kind)
    st8(to + 21, code)
    st16(to + 22, 0)
    st32(to + 24, bswap32(data))
    st16(to + 22, ~sum_words(to + 20, size - 20) & 0xFFFF)


def _answer(worker: int, data: int, b: int) -> int:
    """Buffer index of the message about the packet at ``b``; -1 when none is made."""
    r = rec(data, RUNTIME)
    m = rec(b, BUFFER)
    ip = b + DATA + m.current_data
    if m.current_length < 20:
        return -1
    kind = m.icmp_type & 0xFF
    code = m.icmp_code & 0xFF
    node = giver(m.error, kind, code) + ((m.icmp_code & GIVEN_UP_BEHIND) << 16)
    key = ld64(ip + SOURCE) ^ mul(node, 0x9E3779B97F4A7C1)
    if throttled(r.flows, b, key, m.time):
        return -1
    source = select_source(r.addresses, m.rx_sw_if, be32(ip + SOURCE))
    if source == NO_ADDRESS:
        return -1
    index = allocate(worker)
    if index < 0:
        return -1
    to = buffer_at(worker, index)
    quoted = min(m.current_length, MOST - _HEADERS)
    write_message(to + DATA, ip, quoted, source, kind, code, m.icmp_data)
    n = rec(to, BUFFER)
    n.current_length = quoted + _HEADERS
    n.flags = LOCALLY_ORIGINATED | (m.flags & TRACED)
    n.trace = m.trace
    n.time = m.time
    n.seq = m.seq
    n.partition = m.partition
    n.rx_sw_if = m.rx_sw_if
    n.tx_sw_if = m.tx_sw_if
    return index


answer = routine(_answer)


@kernel
def ip4_icmp_error(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    for i in range(frame_n(frame)):
        b = w.pool + buffer_index(frame, i) * CELL
        index = answer(worker, d.data, b)
        code = DROP
        if index >= 0:
            code = counter_of(rec(b, BUFFER).icmp_type & 0xFF)
            w.generated += 1
            emit(worker, node, LOOKUP, index)
        count(worker, d.err_base + code, 1)
        set_next(frame, i, DROP_NEXT)
    return frame_n(frame)


def bind(plane: Dataplane, node: Node) -> None:
    """Addresses of interfaces, and the rate limits."""
    node.data["addresses"] = plane.shared(InterfaceAddresses).address
    node.data["flows"] = plane.shared(FlowState).addresses


IP4_ICMP_ERROR = NodeType(
    name="ip4-icmp-error",
    kernel=ip4_icmp_error,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=IP4_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
