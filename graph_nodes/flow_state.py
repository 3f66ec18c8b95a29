"""What is handed out or limited by flow: fragment identifications and the rate limit of ICMP errors.

An input that spreads packets over workers gives each a partition, 0 .. 255, by a hash of its flow, and each
partition to one worker; an input that does not leaves it 0. State is kept by partition, so that the packets that
come out are the same for any number of workers (and, with one partition, VPP's). Each worker has memory for all
partitions: should two ever get packets of the same one, nothing is shared between threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.buffer import BUFFER
from vectorplane.dataplane.region import Region
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ld64, mul, rec, shr, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

PARTITIONS = 256
THROTTLE_BUCKETS = 1024
THROTTLE_NS = 10_000
"""One ICMP error for the same two addresses in this time (VPP: 1e-5 s)."""

_HEAD = 64
_SIZE = _HEAD + 16 * THROTTLE_BUCKETS
_SCATTER = -0x61C8864680B583EB


@helper
def partition_of(state: int, b: int) -> int:
    """Address of the state of the packet's partition."""
    return state + (rec(b, BUFFER).partition & (PARTITIONS - 1)) * _SIZE


@helper
def next_fragment_id(state: int, b: int) -> int:
    """The identification (16 bits) of the next packet to be fragmented: a running number, as in VPP."""
    p = partition_of(state, b)
    n = ld64(p)
    st64(p, n + 1)
    return n & 0xFFFF


@helper
def throttled(state: int, b: int, key: int, time: int) -> bool:
    """Has the same key been let through less than `THROTTLE_NS` before ``time``? If not, it is let through now.

    A bucket keeps one key and its time; time that went back (two inputs) counts as no time.
    """
    bucket = partition_of(state, b) + _HEAD + 16 * (shr(mul(key, _SCATTER), 54) & (THROTTLE_BUCKETS - 1))
    stamp = time + 1  # 0 says: never used
    last = ld64(bucket + 8)
    if last != 0 and ld64(bucket) == key and stamp - last <= THROTTLE_NS:
        return True
    st64(bucket, key)
    st64(bucket + 8, stamp)
    return False


class FlowState:
    """The memory of all partitions of an engine, once for each worker."""

    def __init__(self, plane: Dataplane) -> None:
        workers = len(plane.workers)
        self._region = Region(workers * PARTITIONS * _SIZE, name="flow state")
        self.addresses = [self._region.address + w * PARTITIONS * _SIZE for w in range(workers)]
        layout = np.dtype([("id", "i8"), ("rest", f"V{_SIZE - 8}")])
        self._next_ids = self._region.view(layout, 0, workers * PARTITIONS)["id"]

    @property
    def fragmented(self) -> int:
        """Packets that were given a fragment identification so far."""
        return int(self._next_ids.sum())

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
