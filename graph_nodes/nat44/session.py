"""The record of a NAT session: a half of 64 bytes for each direction, and what packets rarely need apart from them.

A packet of an established session reads and writes one cache line: the half of its direction holds what it is found by
(the match), what it becomes (the rewrite, and what that does to checksums), and when it came. Addresses and ports stand
in a half as they do in a packet: source below, destination above.

A half's number is the session's twice, plus `I2O` or `O2I`. `KEY_FREE` in its key: nobody's.
"""

from __future__ import annotations

import numpy as np

from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import offsets, rec

HALF = np.dtype(
    [
        ("addresses", "i8"),  # match: source, destination << 32
        ("key", "i8"),  # match: protocol, FIB << 8, source port << 32, destination port << 48
        ("new_addresses", "i8"),
        ("new_ports", "i4"),
        ("new_id", "i4"),  # of an ICMP query
        ("tx_fib", "i4"),
        ("sums", "i4"),  # to be added to checksums: of addresses, of ports << 16
        ("active", "i8"),  # time of the last packet, ns
        ("bytes", "i8"),
        ("packets", "i4"),
        ("ops", "i1"),  # OP_*
        ("kind", "i1"),  # list, and thus timeout, of the session
        ("flags_seen", "i1"),  # TCP flags of this direction
        ("present", "i1"),  # is it in the flow table?
    ],
    align=True,
)
HALF_SIZE = HALF.itemsize
assert HALF_SIZE == 64
(H_ACTIVE,) = offsets(HALF, "active")

I2O, O2I = 0, 1
KEY_FREE = -1

COLD = np.dtype(
    [
        ("enqueued", "i8"),  # when it was put in its list, ns
        ("next", "i4"),  # in its list, or among the free; -1
        ("prev", "i4"),
        ("mapping", "i4"),  # whose affinity record it holds; -1
        ("flags", "i2"),
        ("worker", "i2"),
        ("in_fib", "i4"),
        ("out_fib", "i4"),
        ("tcp_state", "i1"),
        ("proto", "i1"),  # as VPP's session has it: 0 where it knows none
        ("live", "i1"),
        ("pad", "i1", (5,)),
    ],
    align=True,
)
COLD_SIZE = COLD.itemsize
assert COLD_SIZE == 40

OP_SADDR, OP_SPORT, OP_DADDR, OP_DPORT, OP_ICMP_ID, OP_TXFIB = 2, 4, 8, 16, 32, 64
"""What a flow rewrites; numbers as in VPP."""

(
    STATIC,
    _,
    LOAD_BALANCING,
    TWICE_NAT,
    ENDPOINT_DEPENDENT,
    FWD_BYPASS,
    AFFINITY,
    EXACT_ADDRESS,
    HAIRPINNING,
) = (1 << k for k in range(9))
"""Flags of a session; numbers as in VPP."""

TCP_TRANSITORY, UDP, UNKNOWN, ICMP, TCP_ESTABLISHED = range(5)
"""Kinds of sessions, each a list of its own, in the order in which VPP looks for one whose time is up."""
KINDS = 5

CLOSED, ESTABLISHED, CLOSING = range(3)
"""`tcp_state`."""

P_ICMP, P_TCP, P_UDP, P_ICMP6 = 1, 6, 17, 58


@helper
def is_unknown(proto: int) -> bool:
    """Is it a protocol without ports or identifiers that NAT knows?"""
    return (proto != P_TCP) & (proto != P_UDP) & (proto != P_ICMP) & (proto != P_ICMP6)


@helper
def timeout_kind(proto: int) -> int:
    """The list that a new session of a protocol joins."""
    if proto == P_UDP:
        return UDP
    if proto == P_TCP:
        return TCP_TRANSITORY
    return ICMP if proto == P_ICMP else UNKNOWN


@helper
def half_at(halves: int, number: int) -> int:
    """Address of a half."""
    return halves + number * HALF_SIZE


@helper
def cold_at(colds: int, session: int) -> int:
    """Address of what a session has beside its halves."""
    return colds + session * COLD_SIZE


@helper
def last_active(halves: int, number: int) -> int:
    """Time of the last packet in either direction of the session of a half."""
    a = rec(half_at(halves, number), HALF).active
    return max(a, rec(half_at(halves, number ^ 1), HALF).active)
