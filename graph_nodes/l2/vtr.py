"""VLAN tag rewrite: tags taken off and put on behind the two addresses (VPP's l2_vtr_process, l2_efp_filter_process).

Tags to push lie in one 64-bit word as they stand in a packet; a single one in its second half. The word is written
whole: what of it is not a tag lies where the addresses are put again.
"""

from __future__ import annotations

from vectorplane.dataplane.buffer import BUFFER, DATA, HEADROOM, VLAN_1_DEEP, VLAN_2_DEEP
from vectorplane.graph_nodes.l2.buffer import L2_BUFFER
from vectorplane.jit.kernel import routine
from vectorplane.jit.ops import ld32, ld64, rec, st32, st64

TWO_TAGS_MASK = int.from_bytes(bytes.fromhex("ffff0fffffff0fff"), "little", signed=True)
ONE_TAG_MASK = int.from_bytes(bytes.fromhex("00000000ffff0fff"), "little", signed=True)
"""Types and VLAN ids, without priorities."""


@routine
def rewrite_tags(b: int, tags: int, push: int, pop: int) -> bool:
    """Take ``pop`` bytes of tags off and put ``push`` on; False: the frame has not as many, or there is no room."""
    m = rec(b, BUFFER)
    l2 = rec(b, L2_BUFFER)
    at = m.current_data
    if l2.l2_len - 12 < pop or m.current_length < 14 + pop or at + pop - push < -HEADROOM:
        return False
    d = b + DATA + at
    first = ld64(d)
    rest = ld32(d + 8)
    # where the type behind the tags that go begins, less the eight bytes in front of it
    st64(d + pop + 4, tags)
    d += pop - push
    st64(d, first)
    st32(d + 8, rest)
    l2.l2_len += push - pop
    m.l2_offset = m.l2_offset + pop - push
    m.current_data = at + pop - push
    m.current_length = m.current_length + push - pop
    deep = 0
    if m.flags & VLAN_1_DEEP:
        deep = 1
    elif m.flags & VLAN_2_DEEP:
        deep = 2
    deep = max(0, min(2, deep + (push - pop) // 4))
    m.flags &= ~(VLAN_1_DEEP | VLAN_2_DEEP)
    if deep:
        m.flags |= VLAN_1_DEEP if deep == 1 else VLAN_2_DEEP
    return True


@routine
def tags_match(b: int, tags: int, mask: int, push: int) -> bool:
    """Does the frame carry the tags that the port's input rewrite would have put on it?"""
    m = rec(b, BUFFER)
    if push == 0:
        return True
    if m.current_length < 14 + push:
        return False
    return ld64(b + DATA + m.current_data + 4 + push) & mask == tags & mask
