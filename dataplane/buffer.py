"""Packet buffers: fixed cells in one memfd that never moves; metadata in front of the data.

A cell, 2,496 bytes (39 cache lines: an odd number, so that cells spread over all cache sets):

    +0     128  reserved: DPDK's rte_mbuf, when the pool is shared with it
    +128   128  metadata (`BUFFER`)
    +256   128  headroom, for headers put in front
    +384  2048  data
    +2432   64  never touched: a red zone

A buffer's address, ``b`` in kernels, is that of its metadata. ``b + DATA + current_data`` is the first
byte of the packet as the current node sees it. Packets longer than 2,048 bytes are chains
(`NEXT_PRESENT`). A buffer has one owner at a time; `ref_count` counts replicas that share data.

The free list: a stack a worker (most recently used first, so the cache stays warm) that trades batches
with one shared stack. Running out is a return code (-1) and a counter, never an error.
"""

from __future__ import annotations

import numpy as np

from vectorplane.dataplane.abi import WORKER
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import (
    compare_and_swap,
    fetch_add,
    ld32s,
    ld64,
    offsets,
    pause,
    rec,
    st32,
    st64,
    store_release,
)

CELL = 39 * 64
META = 128
DATA = 256
"""Bytes from a buffer's address to its data area."""
HEADROOM = 128
DATA_SIZE = 2048

BUFFER = np.dtype(
    [
        ("current_data", "i2"),  # from the data area to the packet; negative inside the headroom
        ("current_length", "i2"),  # bytes in this buffer
        ("flags", "i4"),
        ("time", "i8"),  # the packet's own time, ns
        ("rx_sw_if", "i4"),
        ("tx_sw_if", "i4"),  # -1: undecided
        ("next_buffer", "i4"),  # when NEXT_PRESENT
        ("total_rest", "i4"),  # bytes in the buffers behind the first
        ("error", "i4"),  # error counter that says why it is dropped
        ("config_index", "i4"),  # cursor in the feature chain
        ("adj", "i4"),  # index of the object (adjacency ...) that the next node uses
        ("fib_index", "i4"),
        ("flow_hash", "i4"),
        ("seq", "i4"),  # arrival number: with `time` it orders what goes out
        ("l2_offset", "i2"),  # of the headers, relative to the data area
        ("l3_offset", "i2"),
        ("l4_offset", "i2"),
        ("ref_count", "i2"),
        # second cache line: rarely touched
        ("trace", "i4"),  # number of the packet trace, when TRACED
        ("icmp_type", "i2"),
        ("icmp_code", "i2"),
        ("icmp_data", "i4"),
        ("partition", "i4"),  # of the flow, 0 .. 255, when an input spreads packets over workers: see flow_state
        ("opaque", "i8", (6,)),  # for nodes that talk to each other
    ],
    align=True,
)
assert BUFFER.itemsize == 128
# hot loops write neighbours with one store: current_length lies behind current_data, l3_offset behind l2_offset
L2_OFFSET = offsets(BUFFER, "l2_offset")[0]
assert offsets(BUFFER, "current_data", "current_length", "l3_offset") == (0, 2, L2_OFFSET + 2)

TRACED = 1
NEXT_PRESENT = 2
L4_CHECKSUM_COMPUTED = 4
L4_CHECKSUM_CORRECT = 8
LOCALLY_ORIGINATED = 16
VLAN_1_DEEP = 32
VLAN_2_DEEP = 64
IS_IP4 = 128
OFFLOAD_IP_CHECKSUM = 256
OFFLOAD_L4_CHECKSUM = 512
IS_DVR = 1024
RESERVED_FROM_POOL = 2048
GSO = 4096
"""A segment of TCP that a card is to cut: `GSO_SIZE` bytes behind the buffer's address lies (int64) the size of the
largest IP packet that it will make of it."""

SPAN_CLONE = 8192
"""A mirrored copy: it is not mirrored again."""

IS_NATED = 16384
"""NAT has translated it, so it need not be checked when it is for this router."""

GSO_SIZE = offsets(BUFFER, "opaque")[0] + 40

CACHE_SIZE = 1024
"""Most free buffers a worker keeps to itself."""
BATCH = 256

LOCK, COUNT, STACK = 0, 64, 128
"""Layout of the shared stack: lock word, count, int32 indices (each on its own cache line)."""

_TIME_SEQ = offsets(BUFFER, "time", "seq")
_LAST_WORD = offsets(BUFFER, "l2_offset")[0]
assert _LAST_WORD % 8 == 0 and offsets(BUFFER, "ref_count")[0] == _LAST_WORD + 6  # its top 16 bits


@helper
def buffer_at(worker: int, index: int) -> int:
    """Address of buffer ``index``."""
    return rec(worker, WORKER).pool + index * CELL


@helper
def index_of(worker: int, b: int) -> int:
    """Index of the buffer at address ``b``."""
    return (b - rec(worker, WORKER).pool) // CELL


@helper
def lock(word: int) -> None:
    """Spin until the lock word is ours."""
    while compare_and_swap(word, 0, 1) != 0:
        pause()


@helper
def unlock(word: int) -> None:
    """Give the lock word back."""
    store_release(word, 0)


def _refill(worker: int) -> int:
    """Move up to a batch from the shared stack to the worker's; gives the number moved."""
    w = rec(worker, WORKER)
    central = w.central
    lock(central + LOCK)
    n = ld64(central + COUNT)
    take = min(n, BATCH)
    for i in range(take):
        st32(w.cache + 4 * (w.cache_n + i), ld32s(central + STACK + 4 * (n - 1 - i)))
    st64(central + COUNT, n - take)
    unlock(central + LOCK)
    w.cache_n += take
    return take


refill = routine(_refill)


def _spill(worker: int) -> int:
    """Give a batch of the worker's free buffers back to the shared stack."""
    w = rec(worker, WORKER)
    central = w.central
    lock(central + LOCK)
    n = ld64(central + COUNT)
    for i in range(BATCH):
        st32(central + STACK + 4 * (n + i), ld32s(w.cache + 4 * (w.cache_n - 1 - i)))
    st64(central + COUNT, n + BATCH)
    unlock(central + LOCK)
    w.cache_n -= BATCH
    return BATCH


spill = routine(_spill)


@helper
def reserve(worker: int, want: int) -> int:
    """Make sure that ``want`` (at most 256) `take` calls will succeed; gives how many will.

    What is missing counts as allocation failures.
    """
    w = rec(worker, WORKER)
    have = w.cache_n
    if have < want:
        refill(worker)
        have = w.cache_n
        if have < want:
            w.alloc_failures += want - have
            return have
    return want


@helper
def take(worker: int) -> int:
    """A free buffer's index, after `reserve` has promised it. Its metadata is as the last owner left it."""
    w = rec(worker, WORKER)
    n = w.cache_n - 1
    w.cache_n = n
    return ld32s(w.cache + 4 * n)


@helper
def allocate(worker: int) -> int:
    """A free buffer's index; -1 (and a counted failure) when the pool is empty. Metadata cleared."""
    if reserve(worker, 1) < 1:
        return -1
    index = take(worker)
    b = buffer_at(worker, index)
    for i in range(16):
        st64(b + 8 * i, 0)
    m = rec(b, BUFFER)
    m.tx_sw_if = -1
    m.ref_count = 1
    return index


@helper
def give(worker: int, index: int) -> None:
    """Put one buffer on the free list (its owner has checked chains and references)."""
    w = rec(worker, WORKER)
    n = w.cache_n
    st32(w.cache + 4 * n, index)
    w.cache_n = n + 1
    if n + 1 >= CACHE_SIZE:
        spill(worker)


@helper
def add_references(b: int, n: int) -> None:
    """So many references more to a buffer. Atomic, as `release`."""
    fetch_add(b + _LAST_WORD, n << 48)


@routine
def release(b: int) -> bool:
    """One reference less to a buffer that had several; True when it was the last after all.

    Atomic: replicas that share it may be freed by other workers at the same time.
    """
    if fetch_add(b + _LAST_WORD, -(1 << 48)) >> 48 > 1:
        return False
    rec(b, BUFFER).ref_count = 1
    return True


@helper
def free(worker: int, index: int) -> None:
    """Free a packet: every buffer of its chain, or one reference to each."""
    while True:
        m = rec(buffer_at(worker, index), BUFFER)
        more = m.flags & NEXT_PRESENT
        following = m.next_buffer
        if m.ref_count < 2 or release(buffer_at(worker, index)):
            give(worker, index)
        if more == 0:
            break
        index = following


@helper
def length_in_chain(b: int) -> int:
    """Bytes of the whole packet."""
    m = rec(b, BUFFER)
    if m.flags & NEXT_PRESENT:
        return m.current_length + m.total_rest
    return int(m.current_length)
