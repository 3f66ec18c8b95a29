"""ip4-input: the checks that every IPv4 packet passes first (RFC 1812 5.2.2), then the ip4-unicast features.

In VPP's order of precedence: total length beyond the packet ("ip4 length > l2 length"), below 20 ("ip4 length
< 20 bytes"), fragment offset 1 (RFC 1858), TTL 0 (answered by ICMP), and then version, checksum and options
(which go to `ip4-options`). `ip4-input-no-checksum` is the same without verifying the checksum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, NEXT_PRESENT
from vectorplane.dataplane.feature import ArcType, feature_start
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.errors4 import (
    BAD_CHECKSUM,
    BAD_LENGTH,
    ERRORS,
    FRAGMENT_OFFSET_ONE,
    HDR_TOO_SHORT,
    NONE,
    OPTIONS,
    TIME_EXPIRED,
    TOO_SHORT,
    VERSION,
)
from vectorplane.graph_nodes.ip4_header import header_sum, sum_of, sum_words
from vectorplane.graph_nodes.trace_packet import IP4_TRACE
from vectorplane.jit.kernel import helper, kernel, routine
from vectorplane.jit.ops import be16, bswap16, ld8, ld32, ld64, prefetch, rec, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "error-punt", "ip4-options", "ip4-lookup", "ip4-mfib-forward-lookup", "ip4-icmp-error")
DROP, PUNT, OPTIONS_NEXT, LOOKUP, MULTICAST, ICMP_ERROR = range(6)

RUNTIME = np.dtype([("unicast", "i8"), ("multicast", "i8"), ("counters", "i8")])

IP4_UNICAST = ArcType("ip4-unicast", ("ip4-input", "ip4-input-no-checksum"), "ip4-lookup")
IP4_MULTICAST = ArcType("ip4-multicast", ("ip4-input", "ip4-input-no-checksum"), "ip4-mfib-forward-lookup")


@routine
def odd_packet(ip: int, length: int, whole: int) -> int:
    """Which error a packet that failed the quick check has; `NONE` when it has none after all."""
    if length < 20:
        return TOO_SHORT
    total = be16(ip + 2)
    if total > whole:
        return BAD_LENGTH
    if total < 20:
        return TOO_SHORT
    if (be16(ip + 6) & 0x1FFF) == 1:
        return FRAGMENT_OFFSET_ONE
    if ld8(ip + 8) == 0:
        return TIME_EXPIRED
    first = ld8(ip)
    if (first >> 4) != 4:
        return VERSION
    words = first & 15
    if words < 5:
        return HDR_TOO_SHORT
    if words * 4 > length or words * 4 > total:
        return BAD_LENGTH
    if words == 5:
        return NONE if header_sum(ip) == 0xFFFF else BAD_CHECKSUM
    return OPTIONS if sum_words(ip, words * 4) == 0xFFFF else BAD_CHECKSUM


@helper
def check(worker: int, node: int, frame: int, verify: int) -> int:
    """The body of both nodes."""
    w = rec(worker, WORKER)
    pool = w.pool
    d = rec(node, NODE)
    err = d.err_base
    r = rec(d.data, RUNTIME)
    unicast = r.unicast
    multicast = r.multicast
    counters = r.counters
    n = frame_n(frame)
    last = -1
    count = 0
    has_features = False
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        length = m.current_length
        ip = b + DATA + m.current_data
        if m.rx_sw_if != last:
            if last >= 0:
                st64(counters + 8 * last, ld64(counters + 8 * last) + count)
            count = 0
            last = m.rx_sw_if
            has_features = ld32(unicast + 4 * last) != 0
        count += 1
        quick = False
        multi = False
        if length >= 20:
            # the header in three loads: all fields that are looked at, and the sum
            first = ld64(ip)
            second = ld64(ip + 8)
            third = ld32(ip + 16)
            total = bswap16(first >> 16)
            quick = (
                ((first & 0xFF) == 0x45)
                & (total <= length)
                & (total >= 20)
                & ((second & 0xFF) != 0)
                & (((first >> 48) & 0xFF1F) != 0x0100)
            )
            if verify:
                quick = quick & (sum_of(first, second, third) == 0xFFFF)
            multi = (third & 0xF0) == 0xE0
        if not quick:
            whole = length
            if m.flags & NEXT_PRESENT:
                whole += m.total_rest
            e = odd_packet(ip, length, whole)
            if e == BAD_CHECKSUM and verify == 0:
                e = NONE if ld8(ip) == 0x45 else OPTIONS
            if e != NONE:
                m.error = err + e
                if e == TIME_EXPIRED:
                    m.icmp_type = 11
                    m.icmp_code = 0
                    m.icmp_data = 0
                    m.tx_sw_if = -1
                    set_next(frame, i, ICMP_ERROR)
                else:
                    set_next(frame, i, OPTIONS_NEXT if e == OPTIONS else DROP)
                continue
        if multi:
            slot = feature_start(multicast, last, b)
            set_next(frame, i, slot if slot >= 0 else MULTICAST)
        elif has_features:
            slot = feature_start(unicast, last, b)
            set_next(frame, i, slot if slot >= 0 else LOOKUP)
        else:
            set_next(frame, i, LOOKUP)
    if last >= 0:
        st64(counters + 8 * last, ld64(counters + 8 * last) + count)
    return n


@kernel
def ip4_input(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    return check(worker, node, frame, 1)


@kernel
def ip4_input_no_checksum(worker: int, node: int, frame: int) -> int:
    """For packets whose checksum a device has verified."""
    return check(worker, node, frame, 0)


def bind(plane: Dataplane, node: Node) -> None:
    """Feature arcs and the packet counters by interface (``/if/ip4``)."""
    node.data["unicast"] = plane.arcs["ip4-unicast"].address
    node.data["multicast"] = plane.arcs["ip4-multicast"].address
    node.data["counters"] = plane.if_stats["ip4"].addresses


IP4_INPUT = NodeType(
    name="ip4-input",
    kernel=ip4_input,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=IP4_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
IP4_INPUT_NO_CHECKSUM = NodeType(
    name="ip4-input-no-checksum",
    kernel=ip4_input_no_checksum,
    sibling_of="ip4-input",
    errors=ERRORS,
    errors_of="ip4-input",
    runtime=RUNTIME,
    trace=IP4_TRACE,
    bind=bind,
)
