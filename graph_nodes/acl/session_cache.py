"""A worker's memory of where sessions of IPv4 are, in front of their hash map, which readers share with writers.

A word by place: 32 bits of the key's hash (`TAG_MASK`) above the session's number plus 1. The place is what the hash's
upper bits name, what is new replaces what was there. It may be wrong: who uses it compares the record's key, and asks
the map when it is another session's by now. So nobody has to tell it of sessions that end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.acl.rule_match import tuple_hash
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ld64, shr, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

PLACES = 1 << 16
WITHOUT = 63
"""When less than half of a vector's packets are remembered, the next ones do without; then it is tried again."""
TAG_MASK = 0xFFFFFFFF << 32


@helper
def cache_hash(addresses: int, key: int) -> int:
    """The hash of a session's key for this cache."""
    return tuple_hash(addresses, key)


@helper
def _place(cache: int, h: int) -> int:
    return cache + 8 * shr(h, 48)


@helper
def remembered(cache: int, h: int) -> int:
    """The session that a key with this hash had last; -1."""
    word = ld64(_place(cache, h))
    return (word & 0xFFFFFFFF) - 1 if (word ^ (h << 16)) & TAG_MASK == 0 else -1


@helper
def remember(cache: int, h: int, index: int) -> None:
    """Session ``index`` has a key with this hash."""
    st64(_place(cache, h), ((h << 16) & TAG_MASK) | (index + 1))


class SessionCaches:
    """One cache a worker, shared by its nodes."""

    def __init__(self, plane: Dataplane) -> None:
        workers = plane.graph.workers
        self._region = Region(8 * PLACES * workers, name="acl session caches")
        self.addresses = [self._region.address + 8 * PLACES * k for k in range(workers)]

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
