"""Where input nodes take packets from: a run of records over bytes in memory, one `SOURCE` each.

A source is a window of a capture file, a packet-generator stream or the rx ring of a simulated port. Records
have the dtype of `vectorplane.pcap.index.RECORD`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import FAST, FRAME_SIZE, WORKER
from vectorplane.dataplane.buffer import (
    BUFFER,
    CELL,
    DATA,
    DATA_SIZE,
    NEXT_PRESENT,
    allocate,
    buffer_at,
    free,
    refill,
    take,
)
from vectorplane.dataplane.worker_tables import WorkerTables
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import copy, ld64, rec, st16, st32, st64
from vectorplane.pcap.index import RECORD

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

SOURCE = np.dtype(
    [
        ("data", "i8"),  # address that record offsets count from
        ("records", "i8"),  # address of the first record
        ("count", "i8"),
        ("position", "i8"),  # the next record
        ("state", "i4"),  # EMPTY ...
        ("sw_if_index", "i4"),
        ("remaining", "i8"),  # packets still to be taken
        ("loop", "i4"),  # begin again at the end of the records (packet generator)
        ("queue", "i4"),  # take only records of this queue; -1: all
        ("time_offset", "i8"),  # added to record times
        ("mac", "i8"),  # destination of made-up Ethernet headers
        ("max_frame", "i8"),  # most packets in a vector; 0: no limit of its own
        ("burst", "i8"),  # packets in a row before the next stream's turn within a vector; 0: as many as fit
        ("flag_mask", "i8"),  # rx rings of simulated ports: buffer flags that records bring in `interface`
        ("next", "i4"),  # packet generator: slot of the node that the packets go to; 0: ethernet-input
        ("offload", "i4"),  # packet generator: leave these checksums to whoever transmits (OFFLOAD flags of buffers)
        ("gso_size", "i8"),  # packet generator: TCP in chains is to be cut into segments of this size; 0: no
        ("pad", "i8", (2,)),
    ],
    align=True,
)
SOURCE_SIZE = SOURCE.itemsize
assert SOURCE_SIZE == 128
EMPTY, READY, ENDED = 0, 1, 2
PARTITION_SHIFT = 16
"""`RECORD.interface` of a classified record: buffer flags, and from this bit on the partition of its flow."""
MAX_SOURCES = 4096


@helper
def copy_in(to: int, source: int, size: int) -> None:
    """Copy ``size`` bytes in steps of 32: may read and write up to 31 bytes more (windows and cells have room)."""
    at = 0
    while at < size:
        a = ld64(source + at)
        b = ld64(source + at + 8)
        c = ld64(source + at + 16)
        d = ld64(source + at + 24)
        st64(to + at, a)
        st64(to + at + 8, b)
        st64(to + at + 16, c)
        st64(to + at + 24, d)
        at += 32


def _extend(worker: int, first: int, source: int, size: int) -> int:
    """``size`` bytes more behind the full buffer ``first``; 0 when buffers ran out (all but it freed)."""
    head = rec(buffer_at(worker, first), BUFFER)
    head.current_length = DATA_SIZE
    head.total_rest = size
    previous = first
    done = 0
    while done < size:
        # leave alone what `reserve` has promised for the heads of the packets behind this one
        index = -1
        if rec(worker, WORKER).cache_n > FRAME_SIZE or (
            refill(worker) > 0 and rec(worker, WORKER).cache_n > FRAME_SIZE
        ):
            index = allocate(worker)
        else:
            rec(worker, WORKER).alloc_failures += 1
        if index < 0:
            if head.flags & NEXT_PRESENT:
                head.flags &= ~NEXT_PRESENT
                free(worker, head.next_buffer)
            return 0
        part = min(DATA_SIZE, size - done)
        b = buffer_at(worker, index)
        copy(b + DATA, source + done, part)
        rec(b, BUFFER).current_length = part
        p = rec(buffer_at(worker, previous), BUFFER)
        p.next_buffer = index
        p.flags |= NEXT_PRESENT
        previous = index
        done += part
    return 1


extend = routine(_extend)


@helper
def chain_in(worker: int, first: int, source: int, size: int) -> int:
    """Fill buffer ``first`` and as many more as ``size`` bytes need; 0 when buffers ran out (all but it freed)."""
    copy(buffer_at(worker, first) + DATA, source, DATA_SIZE)
    return int(extend(worker, first, source + DATA_SIZE, size - DATA_SIZE))


@helper
def new_head(worker: int, b: int, size: int, flags: int, time: int, sw_if: int, seq: int, partition: int) -> None:
    """Metadata of a packet that an interface receives: ``size`` bytes in its first buffer, the one at ``b``."""
    m = rec(b, BUFFER)
    m.current_data = 0
    m.current_length = size
    m.flags = flags
    m.time = time
    m.rx_sw_if = sw_if
    m.tx_sw_if = -1
    m.total_rest = 0
    m.error = 0
    m.seq = seq
    m.ref_count = 1
    if rec(worker, WORKER).clock != FAST:
        # on the second cache line; without time nothing asks for it
        m.partition = partition


@helper
def receive(worker: int, source: int, record: int, time: int, seq: int) -> int:
    """Make a packet of a record; gives its buffer index, -1 when buffers ran out. `reserve` one buffer before."""
    s = rec(source, SOURCE)
    r = rec(record, RECORD)
    index = take(worker)
    b = rec(worker, WORKER).pool + index * CELL
    m = rec(b, BUFFER)
    size = r.caplen
    new_head(worker, b, size, r.interface & s.flag_mask, time, s.sw_if_index, seq, r.interface >> PARTITION_SHIFT)
    at = s.data + r.offset
    if size <= DATA_SIZE:
        copy_in(b + DATA, at, size)
    elif chain_in(worker, index, at, size) == 0:
        free(worker, index)
        return -1
    if r.ethertype != 0:
        # the link layer had no Ethernet header: make one up, to the interface's own address
        m.current_data = -14
        m.current_length = m.current_length + 14
        st64(b + DATA - 14, s.mac)
        st32(b + DATA - 8, 0)
        st16(b + DATA - 4, 0)
        kind = r.ethertype
        st16(b + DATA - 2, ((kind & 0xFF) << 8) | ((kind >> 8) & 0xFF))
    return index


class SourceTables(WorkerTables):
    """The sources of one input node of a dataplane: a table of `SOURCE` a worker."""

    def __init__(self, plane: Dataplane) -> None:
        super().__init__(plane, SOURCE, MAX_SOURCES)
