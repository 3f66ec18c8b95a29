"""The compiled side of comparing captures: masked frames against each other, or each into a hash."""

from __future__ import annotations

import numpy as np

from vectorplane.jit.kernel import compiled, helper
from vectorplane.jit.ops import be16, ctz, fill, ld8, ld64, mul, rec, shr, st64
from vectorplane.pcap.index import RECORD, RECORD_SIZE
from vectorplane.pcap.masks import FRAME, ICMP, ICMP6, IP4, IP6, RANGE, TCP, UDP

PAIR = np.dtype(
    [
        ("data_a", "i8"),  # address of the window's data
        ("records_a", "i8"),  # address of the first RECORD to compare, an Ethernet frame each
        ("data_b", "i8"),
        ("records_b", "i8"),
        ("count", "i8"),  # how many pairs
        ("ranges", "i8"),  # address of the masks, RANGE
        ("range_count", "i8"),
        ("spans", "i8"),  # address of scratch: first and last + 1 of each range in a frame, i8 each
        ("timed", "i8"),  # 1: times are compared too
        ("found", "i8"),  # address of FOUND
        ("capacity", "i8"),  # how many fit
        ("found_count", "i8"),  # out
    ]
)
"""What `differences` is called with."""

FOUND = np.dtype([("index", "i8"), ("offset", "i8")])
"""One difference: which pair, and the first differing byte (-1: only the time differs)."""

RANGE_SIZE, FOUND_SIZE = RANGE.itemsize, FOUND.itemsize


@helper
def _network(frame: int, size: int) -> int:
    """Offset << 16 | ethertype of what lies behind Ethernet and VLAN tags; 0 when the frame ends before."""
    at = 12
    while at + 2 <= size:
        kind = be16(frame + at)
        if kind != 0x8100 and kind != 0x88A8 and kind != 0x9100:
            return (at + 2) << 16 | kind
        at += 4
    return 0


@helper
def _resolve(frame: int, size: int, ranges: int, count: int, spans: int) -> int:
    """Write where each range lies in a frame to ``spans``; give how many lie in it."""
    network = _network(frame, size)
    at, kind = network >> 16, network & 0xFFFF
    version, protocol, transport = 0, -1, 0
    if kind == 0x0800 and at + 20 <= size:
        version = IP4
        if be16(frame + at + 6) & 0x1FFF == 0:  # only the first fragment has a transport header
            protocol = ld8(frame + at + 9)
        transport = at + 4 * (ld8(frame + at) & 15)
    elif kind == 0x86DD and at + 40 <= size:
        version, protocol, transport = IP6, ld8(frame + at + 6), at + 40
    made = 0
    for i in range(count):
        r = rec(ranges + i * RANGE_SIZE, RANGE)
        base = r.base
        start = -1
        if base == FRAME:
            start = 0
        elif base == IP4 or base == IP6:
            start = at if base == version else -1
        elif (
            (base == TCP and protocol == 6)
            or (base == UDP and protocol == 17)
            or (base == ICMP and protocol == 1)
            or (base == ICMP6 and protocol == 58)
        ):
            start = transport
        if start >= 0 and start + r.offset < size:
            st64(spans + 16 * made, start + r.offset)
            st64(spans + 16 * made + 8, min(start + r.offset + r.length, size))
            made += 1
    return made


@helper
def _behind(spans: int, count: int, at: int) -> int:
    """The end of a span that byte ``at`` lies in; ``at`` itself when there is none."""
    for i in range(count):
        end: int = ld64(spans + 16 * i + 8)
        if ld64(spans + 16 * i) <= at and at < end:
            return end
    return at


@helper
def _mismatch(a: int, b: int, size: int, spans: int, count: int) -> int:
    """Offset of the first byte outside of the spans that differs; ``size`` when there is none."""
    at = 0
    while at < size:
        if at + 8 <= size:
            bits = ld64(a + at) ^ ld64(b + at)
            if bits == 0:
                at += 8
                continue
            at += ctz(bits) >> 3
        elif ld8(a + at) == ld8(b + at):
            at += 1
            continue
        behind = _behind(spans, count, at)
        if behind == at:
            return at
        at = behind
    return size


@compiled
def differences(pair: int) -> int:
    """Compare pairs of frames; gives how many differ, the first of them in FOUND."""
    p = rec(pair, PAIR)
    total, kept = 0, 0
    for i in range(p.count):
        a, b = rec(p.records_a + i * RECORD_SIZE, RECORD), rec(p.records_b + i * RECORD_SIZE, RECORD)
        frame_a, frame_b = p.data_a + a.offset, p.data_b + b.offset
        size = min(a.caplen, b.caplen)
        spans = _resolve(frame_a, a.caplen, p.ranges, p.range_count, p.spans) if p.range_count > 0 else 0
        where = _mismatch(frame_a, frame_b, size, p.spans, spans)
        if where == size and a.caplen == b.caplen:
            if p.timed == 0 or a.time == b.time:
                continue
            where = -1
        if kept < p.capacity:
            found = rec(p.found + kept * FOUND_SIZE, FOUND)
            found.index = i
            found.offset = where
            kept += 1
        total += 1
    p.found_count = kept
    return total


@helper
def _mix(state: int, word: int, factor: int) -> int:
    made: int = mul(state ^ word, factor)
    made ^= shr(made, 32)
    return made


@compiled
def digests(pair: int, to: int) -> int:
    """Write two independent 64-bit hashes of each masked frame of side A at ``to``; masked bytes become zero."""
    p = rec(pair, PAIR)
    for i in range(p.count):
        r = rec(p.records_a + i * RECORD_SIZE, RECORD)
        frame, size = p.data_a + r.offset, r.caplen
        spans = _resolve(frame, size, p.ranges, p.range_count, p.spans) if p.range_count > 0 else 0
        for k in range(spans):
            start = ld64(p.spans + 16 * k)
            fill(frame + start, 0, ld64(p.spans + 16 * k + 8) - start)
        x, y = _mix(size, r.time if p.timed else 0, -7046029254386353131), size
        y = _mix(y, x, -4417276706812531889)
        at = 0
        while at < size:
            if at + 8 <= size:
                word = ld64(frame + at)
                at += 8
            else:
                word = ld8(frame + at)
                at += 1
            x = _mix(x, word, -7046029254386353131)
            y = _mix(y + at, word, -4417276706812531889)
        st64(to + 16 * i, x)
        st64(to + 16 * i + 8, y)
    return p.count
