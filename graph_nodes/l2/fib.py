"""The MAC table that all bridge domains of an engine share, and what the nodes that read and fill it agree on.

A key is ``MAC | bd_index << 48`` (the MAC as a little-endian load sees it), a value is VPP's entry: sw_if_index, flags,
the minute in which it was last heard of, and the sequence numbers of its domain and interface, which tell a flush.

The map grows: kernels take its address anew for each frame, learning asks for a bigger one while there is still room,
and the old one goes when no worker can be reading it.

News. VPP learns all of a vector and then forwards all of it, so what is forwarded depends on how packets fall into
vectors. In virtual time the result must not: there `l2-learn` notes each change and what was there before, with the
packet's place in time, and `l2-fwd` looks past the changes that came after a packet. Where nothing is noted there is
nothing to look at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.region import Region
from vectorplane.dataplane.tables.hash_map import HashMap, hash_8, prefetch_bucket
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ld64, offsets, rec, shr, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

L2_FIB = np.dtype(
    [
        ("map", "i8"),
        ("learn_count", "i8"),  # entries that were learnt, as VPP counts them: put right by each scan
        ("learn_limit", "i8"),
        ("grow_at", "i8"),  # learn_count at which a bigger map is asked for
        ("grow_asked", "i8"),
        ("watched", "i8"),  # mark what is learnt, for events
        ("pad", "i8", (2,)),
    ],
    align=True,
)
F_LEARN_COUNT = offsets(L2_FIB, "learn_count")[0]

STATIC, AGE_NOT, BVI, FILTER, LEARN_EVENT, LEARN_MOVE = 1, 2, 4, 8, 16, 32
"""Flags of an entry, as in VPP."""
FLAGS, MINUTE, SEQUENCE = 32, 40, 48
"""Where they begin in a value."""
MAC_MASK = (1 << 48) - 1
NOT_THERE = -1

NEWS = np.dtype([("key", "i8"), ("before", "i8"), ("time", "i8"), ("seq", "i8")])
NEWS_SIZE = NEWS.itemsize
NEWS_HEAD = np.dtype([("count", "i8"), ("round", "i8")])
MOST_NEWS = 4096
"""Changes noted in one round of the dispatcher; a round takes at most a vector of packets from outside, and what they
become when they are flooded is bounded by the buffers: what is beyond that is forwarded as VPP would."""

FIRST_CAPACITY = 1 << 14
MOST_ENTRIES = 1 << 24
LEARN_LIMIT = 16 << 20
"""VPP's default, for all domains together and for each."""


CHUNK = 16
"""Frames that a node looks up together: all their buckets are asked for before the first is read. A chunk of frames
with one address costs nothing of that."""


@helper
def ask_for_buckets(table: int, scratch: int, n: int) -> None:
    """Hash the ``n`` keys of a chunk (16 bytes each, the hash goes behind the key) and ask for their buckets."""
    at = scratch
    for _ in range(n):
        h = hash_8(table, ld64(at))
        prefetch_bucket(table, h)
        st64(at + 8, h)
        at += 16


@helper
def entry(sw_if_index: int, flags: int, minute: int, sn: int) -> int:
    """A value."""
    return (sw_if_index & 0xFFFFFFFF) | flags << FLAGS | minute << MINUTE | sn << SEQUENCE


@helper
def interface_of(value: int) -> int:
    """The interface of an entry; -1: a filter's."""
    word = value & 0xFFFFFFFF
    return word - ((word >> 31) << 32)


def interface_in(value: int) -> int:
    """`interface_of` for the control side."""
    word = value & 0xFFFFFFFF
    return word - (word >> 31 << 32)


@helper
def flags_of(value: int) -> int:
    """The flags of an entry."""
    return (value >> FLAGS) & 0xFF


@helper
def before_news(news: int, key: int, b_time: int, b_seq: int, value: int) -> int:
    """The value that a key had when a packet of this time and number came."""
    n = ld64(news)
    for i in range(n):
        r = rec(news + 16 + i * NEWS_SIZE, NEWS)
        if r.key == key and (r.time > b_time or (r.time == b_time and r.seq > b_seq)):
            return int(r.before)  # the first of the changes that came later
    return value


class L2FibTable:
    """The table of one engine, and each worker's news."""

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        stride = 16 + MOST_NEWS * NEWS_SIZE
        self._region = Region(64 + stride * plane.graph.workers + 64, name="l2 fib")
        self.address = self._region.address
        self.state: Any = self._region.view(L2_FIB, 0, 1)[0]
        self.news_addresses = [self.address + 64 + k * stride for k in range(plane.graph.workers)]
        self.state["learn_limit"] = LEARN_LIMIT
        self._provisioned = 0
        self.map = HashMap(FIRST_CAPACITY, 1, "l2 fib", seed=0x12F1B)
        self._use(self.map)

    def _use(self, made: HashMap) -> None:
        self.map = made
        self.state["map"] = made.address
        self.provisioned = self._provisioned
        self.state["grow_asked"] = 0

    @property
    def provisioned(self) -> int:
        """Entries that were not learnt, as the control side counts them: learning leaves room for them."""
        return self._provisioned

    @provisioned.setter
    def provisioned(self, count: int) -> None:
        self._provisioned = count
        self.state["grow_at"] = self.map.capacity * 3 // 4 - count

    def grow(self, more: int = 1) -> None:
        """Make room for so many more entries. No worker may be dispatching. Does nothing when there is room.

        Raises:
            OverflowError: there can't be so many.
        """
        entries = int(self.state["learn_count"]) + self._provisioned + more
        if entries <= self.map.capacity * 3 // 4:
            self.state["grow_asked"] = 0
            return
        capacity = self.map.capacity
        while entries > capacity * 3 // 4:
            capacity *= 4
        if capacity > MOST_ENTRIES:
            raise OverflowError(f"more than {MOST_ENTRIES * 3 // 4} MAC addresses")
        old, made = self.map, HashMap(capacity, 1, "l2 fib", seed=0x12F1B)
        for rows in old.chunks():
            made.load(rows)
        self._use(made)
        self._plane.epochs.retire(old.close)

    def rows(self) -> npt.NDArray[np.int64]:
        """All entries: keys and values (int64 [n, 2])."""
        parts = list(self.map.chunks())
        return np.concatenate(parts) if parts else np.zeros((0, 2), np.int64)

    def close(self) -> None:
        """Give the memory back."""
        self.map.close()
        self._region.close()


@helper
def sequence_of(value: int) -> int:
    """Sequence numbers and minute of an entry in one number, for a quick comparison."""
    return shr(value, MINUTE)
