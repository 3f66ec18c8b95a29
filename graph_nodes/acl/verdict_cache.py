"""A worker's cache of verdicts: which rule a 5-tuple met last time, for matchers with many rules.

Two entries a cache line of 64 bytes; what is new comes first, the second is what was first. An entry holds the
matcher's number, so what is kept of a matcher that was replaced is never found. TCP flags belong to the key as far as a
rule of the matcher looks at them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.acl.five_tuple import IS_INPUT, L4_VALID, TCP_VALID
from vectorplane.graph_nodes.acl.rule_match import MATCHER, NONE, RULE_SIZE, tuple_hash, tuple_match4
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ld64, prefetch, rec, shr, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

SETS = 1 << 15
_SET_SIZE = 64


@helper
def _key(matcher: int, l4: int, info: int) -> int:
    """All of the key but the addresses: the interface's bits of the L4 word hold flags, its matcher says the rest."""
    flags = info & (rec(matcher, MATCHER).flags_used | TCP_VALID | L4_VALID)
    return (l4 & (IS_INPUT - 1)) | flags << 40


@helper
def set_of(cache: int, matcher: int, addresses: int, l4: int) -> int:
    """Address of the set in which a verdict would be."""
    return (
        cache + shr(tuple_hash(addresses, (l4 & (IS_INPUT - 1)) ^ rec(matcher, MATCHER).number << 40), 49) * _SET_SIZE
    )


@helper
def prefetch_verdict(cache: int, matcher: int, addresses: int, l4: int) -> None:
    """Ask for it."""
    prefetch(set_of(cache, matcher, addresses, l4))


@helper
def cached_match4(cache: int, matcher: int, addresses: int, l4: int, info: int) -> int:
    """`tuple_match4`, remembered."""
    t = rec(matcher, MATCHER)
    key = _key(matcher, l4, info)
    number = t.number << 32
    at = set_of(cache, matcher, addresses, l4)
    if ld64(at) == addresses and ld64(at + 8) == key and ld64(at + 16) >> 32 == t.number:
        i = ld64(at + 16) & 0xFFFFFFFF
    elif ld64(at + 32) == addresses and ld64(at + 40) == key and ld64(at + 48) >> 32 == t.number:
        i = ld64(at + 48) & 0xFFFFFFFF
    else:
        found = tuple_match4(matcher, addresses, l4, info)
        i = NONE if found == 0 else (found - t.rules4) // RULE_SIZE
        st64(at + 32, ld64(at))
        st64(at + 40, ld64(at + 8))
        st64(at + 48, ld64(at + 16))
        st64(at, addresses)
        st64(at + 8, key)
        st64(at + 16, number | i)
    return 0 if i == NONE else t.rules4 + i * RULE_SIZE


class VerdictCaches:
    """One cache a worker, shared by its nodes."""

    def __init__(self, plane: Dataplane) -> None:
        workers = plane.graph.workers
        self._region = Region(SETS * _SET_SIZE * workers, name="acl verdicts")
        self.addresses = [self._region.address + SETS * _SET_SIZE * k for k in range(workers)]

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
