"""Which rule of a list of ACLs a packet meets first: the memory of a matcher, and how a kernel walks it.

A matcher is what the ACLs of one interface and direction are compiled to (`vectorplane.graph_nodes.acl.matcher`); it
does not change. Rules lie in the order of the lists. A few are tried one after the other. More are found by tuples
(tuple space search): rules that look at the same bits of addresses, ports and protocol form a tuple, and those that
want the same value there are a chain in the tuple's hash table. A tuple is asked only when it has a rule in front of
what was found, and first its filter, a bit map in which most values that no rule wants are told apart from those that
one wants. So the work grows with the number of tuples, hardly with that of rules.

Fragments other than the first have no ports: they are tried against one rule after the other, as in VPP, and meet a
rule with a protocol when it is theirs.
"""

from __future__ import annotations

import numpy as np

from vectorplane.graph_nodes.acl.five_tuple import L4_VALID, NONFIRST, S_ADDRESSES, S_INFO, S_L4, TCP_VALID
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import ld8, ld32, ld64, mul, rec, shr, ult

MATCHER = np.dtype(
    [
        ("number", "i8"),  # unlike any other matcher's: caches tell by it
        ("rules4", "i8"),
        ("rules6", "i8"),
        ("tuples", "i8"),
        ("n4", "i4"),
        ("n6", "i4"),
        ("n_tuples", "i4"),
        ("context", "i4"),  # VPP's lookup context
        ("flags_used", "i4"),  # TCP flags that any rule looks at
        ("match_fragments", "i4"),  # a rule's protocol is enough for fragments without ports
        ("hits", "i8"),  # int64 by rule, of worker 0
        ("hits_size", "i8"),  # bytes of a worker's
    ],
    align=True,
)

_COMMON = [
    ("sport_first", "i4"),
    ("sport_span", "i4"),  # last - first
    ("dport_first", "i4"),
    ("dport_span", "i4"),
    ("protocol", "i4"),  # 0: any
    ("flags", "i4"),  # TCP flags: mask | value << 8
    ("action", "i4"),
    ("acl", "i4"),
    ("rule", "i4"),  # its number in the ACL
    ("applied", "i4"),  # its number in the matcher's list, both families together
    ("chain", "i4"),  # the next rule that wants the same value in the same tuple; -1
    ("position", "i4"),  # of the ACL in the list
]
RULE = np.dtype([*_COMMON, ("mask", "i8", (2,))], align=True)
"""An IPv4 rule: ``mask`` is mask and value of both addresses as they stand in a packet."""
RULE_SIZE = RULE.itemsize
assert RULE_SIZE == 64

RULE6 = np.dtype([*_COMMON, ("mask", "i8", (4,)), ("value", "i8", (4,)), ("pad", "i8", (2,))], align=True)
"""An IPv6 rule: as `RULE` up to its mask, then masks and values of source and destination, as they stand."""
RULE6_SIZE = RULE6.itemsize
assert RULE6_SIZE == 128
_AT = 48
"""Where the addresses begin in both."""

TUPLE = np.dtype(
    [
        ("address_mask", "i8"),
        ("l4_mask", "i8"),
        ("filter", "i8"),
        ("slots", "i8"),  # int64: rule + 1 | tag << 32; 0: free
        ("filter_shift", "i4"),
        ("slot_shift", "i4"),
        ("first", "i4"),  # its first rule
        ("rules", "i4"),
        ("pad", "i8", (2,)),
    ],
    align=True,
)
TUPLE_SIZE = TUPLE.itemsize
assert TUPLE_SIZE == 64

MOST_LINEAR = 8
"""So many IPv4 rules are tried one after the other."""
FACTOR, FINAL = -0x61C8864680B583EB, 0x369DEA0F31A53F85
NONE = 0x7FFFFFFF


@helper
def tuple_hash(addresses: int, l4: int) -> int:
    """The hash of a masked value; its upper bits are the good ones."""
    return mul(addresses ^ mul(l4, FACTOR), FINAL)


@helper
def l4_meets(r: int, l4: int, info: int) -> bool:
    """Does a packet with these ports meet what the rule at ``r`` wants of protocol, ports and flags?"""
    rule = rec(r, RULE)
    protocol = rule.protocol
    if protocol == 0:
        return True
    flags = rule.flags
    return (
        ((shr(l4, 32) & 0xFF) == protocol)
        & ((info & L4_VALID) != 0)
        & (ult((l4 & 0xFFFF) - rule.sport_first, rule.sport_span + 1) != 0)
        & (ult(((l4 >> 16) & 0xFFFF) - rule.dport_first, rule.dport_span + 1) != 0)
        & (((info & TCP_VALID) == 0) | ((info & flags & 0xFF) == (flags >> 8)))
    )


@helper
def meets4(r: int, addresses: int, l4: int, info: int) -> bool:
    """Does an IPv4 packet meet the rule at ``r``?"""
    return (addresses & ld64(r + _AT)) == ld64(r + _AT + 8) and l4_meets(r, l4, info)


@helper
def addresses_meet6(r: int, ip: int) -> bool:
    """Does the IPv6 packet at ``ip`` have addresses that the rule at ``r`` wants?"""
    m = r + _AT
    difference = 0
    for k in range(4):
        difference |= (ld64(ip + 8 + 8 * k) & ld64(m + 8 * k)) ^ ld64(m + 32 + 8 * k)
    return difference == 0


@helper
def _fragment_meets(r: int, l4: int, any_port: int) -> bool:
    protocol = rec(r, RULE).protocol
    return protocol == 0 or (any_port != 0 and (shr(l4, 32) & 0xFF) == protocol)


@routine
def fragment_match(matcher: int, s: int, ip6: bool) -> int:
    """The first rule that a fragment without ports meets; 0."""
    t = rec(matcher, MATCHER)
    l4 = ld64(s + S_L4)
    addresses = ld64(s + S_ADDRESSES)
    r = t.rules6 if ip6 else t.rules4
    for _ in range(t.n6 if ip6 else t.n4):
        if ip6:
            if addresses != 0 and addresses_meet6(r, addresses) and _fragment_meets(r, l4, t.match_fragments):
                return int(r)
            r += RULE6_SIZE
        else:
            if (addresses & ld64(r + _AT)) == ld64(r + _AT + 8) and _fragment_meets(r, l4, t.match_fragments):
                return int(r)
            r += RULE_SIZE
    return 0


@helper
def linear_match4(matcher: int, addresses: int, l4: int, info: int) -> int:
    """The first rule that an IPv4 packet meets, one after the other; 0."""
    t = rec(matcher, MATCHER)
    r = t.rules4
    for _ in range(t.n4):
        if meets4(r, addresses, l4, info):
            return int(r)
        r += RULE_SIZE
    return 0


@routine
def tuple_match4(matcher: int, addresses: int, l4: int, info: int) -> int:
    """The same by tuples."""
    t = rec(matcher, MATCHER)
    rules = t.rules4
    best = NONE
    at = t.tuples
    for _ in range(t.n_tuples):
        u = rec(at, TUPLE)
        if u.first >= best:
            break
        h = tuple_hash(addresses & u.address_mask, l4 & u.l4_mask)
        bit = shr(h, u.filter_shift)
        if (ld8(u.filter + (bit >> 3)) >> (bit & 7)) & 1:
            slots = u.slots
            shift = u.slot_shift
            tag = shr(h, 8) & 0x7FFFFFFF
            slot = shr(h, shift)
            last = shr(-1, shift)
            word = ld64(slots + 8 * slot)
            while word != 0:
                if word >> 32 == tag:
                    i = (word & 0xFFFFFFFF) - 1
                    while i >= 0 and i < best:
                        r = rules + i * RULE_SIZE
                        if meets4(r, addresses, l4, info):
                            best = i
                        i = rec(r, RULE).chain
                slot = (slot + 1) & last
                word = ld64(slots + 8 * slot)
        at += TUPLE_SIZE
    return rules + best * RULE_SIZE if best != NONE else 0


@routine
def match6(matcher: int, s: int) -> int:
    """The first rule that an IPv6 packet meets; 0."""
    ip = ld64(s + S_ADDRESSES)
    l4 = ld64(s + S_L4)
    info = ld32(s + S_INFO)
    if ip == 0:
        return 0
    if info & NONFIRST:
        return fragment_match(matcher, s, True)
    t = rec(matcher, MATCHER)
    r = t.rules6
    for _ in range(t.n6):
        if addresses_meet6(r, ip) and l4_meets(r, l4, info):
            return int(r)
        r += RULE6_SIZE
    return 0
