"""capture-tx: ``<interface>-tx`` of interfaces whose output is a capture: whole pcap records into a chunk of memory.

Python writes a chunk out when it is large enough (`ATTENTION_FLUSH`), and at the end. Beside each record stands
its sort key, (time, arrival number): within a vector some packets take longer ways through the graph than others,
and in the file they shall lie as if each had travelled alone. In real time they lie as they came, as in VPP.

pg-tx is the same for packet-generator interfaces. As VPP's it drops TCP that was to be cut into segments ("gso
disabled on itf") where the interface does not do that, but captures it all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.abi import ATTENTION_FLUSH, NODE, REAL, TERMINAL, WORKER, buffer_index, frame_n
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, GSO, NEXT_PRESENT, buffer_at, free
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.region import Region, lent
from vectorplane.graph_nodes.drop import count_drop
from vectorplane.graph_nodes.trace_packet import TX_TRACE
from vectorplane.jit.kernel import compiled, helper, kernel, routine
from vectorplane.jit.ops import copy, ld64, prefetch, rec, st32, st64
from vectorplane.pcap.record import HEADER, put_record

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node

ERRORS = (("no_room", "no room in the transmit chunk"),)
E_NO_ROOM = 0
PG_ERRORS = (
    ("gso_packet_drop", "gso disabled on itf  -- gso packet drop"),
    ("csum_offload_packet_drop", "checksum offload disabled on itf -- csum offload packet drop"),
    ("no_room", "no room in the transmit chunk"),
)
E_PG_GSO, E_PG_CHECKSUM, E_PG_NO_ROOM = range(3)

RUNTIME = np.dtype(
    [
        ("data", "i8"),  # address of the bytes
        ("keys", "i8"),  # address of the KEYs
        ("used", "i8"),  # bytes
        ("count", "i8"),  # records
        ("data_size", "i8"),
        ("max_count", "i8"),
        ("flush_at", "i8"),  # bytes from which Python shall write the chunk out
        ("sorted", "i8"),  # 1 while every key was at least its predecessor
        ("last_time", "i8"),
        ("last_seq", "i8"),
        ("gso", "i8"),  # 1: the interface cuts TCP into segments
    ]
)
KEY = np.dtype([("time", "i8"), ("seq", "i4"), ("size", "i4"), ("offset", "i8")], align=True)
KEY_SIZE = KEY.itemsize


@routine
def append_rest(worker: int, b: int, to: int) -> None:
    """Copy the buffers of a chain behind the first one."""
    m = rec(b, BUFFER)
    while m.flags & NEXT_PRESENT:
        following = buffer_at(worker, m.next_buffer)
        m = rec(following, BUFFER)
        copy(to, following + DATA + m.current_data, m.current_length)
        to += m.current_length


@routine
def count_gso(worker: int, error: int, sw_if: int, n: int) -> None:
    """Packets that the interface should have cut: drops (though they are captured), against the interface too."""
    for _ in range(n):
        count_drop(worker, error)
    c = rec(worker, WORKER).if_drops + 8 * sw_if
    st64(c, ld64(c) + n)


@helper
def transmit(worker: int, node: int, frame: int, pg: bool) -> int:
    """The body of both nodes."""
    w = rec(worker, WORKER)
    pool = w.pool
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    n = frame_n(frame)
    used = r.used
    records = r.count
    last_time = r.last_time
    last_seq = r.last_seq
    segments = 0
    sw_if = 0
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        bi = buffer_index(frame, i)
        b = pool + bi * CELL
        m = rec(b, BUFFER)
        first = m.current_length
        length = first
        if m.flags & NEXT_PRESENT:
            length += m.total_rest
        if used + HEADER + length > r.data_size or records >= r.max_count:
            count_drop(worker, d.err_base + (E_PG_NO_ROOM if pg else E_NO_ROOM))
            free(worker, bi)
            continue
        if pg and (m.flags & GSO) != 0:
            segments += 1
            sw_if = m.tx_sw_if
        to = r.data + used
        put_record(to, m.time, b + DATA + m.current_data, first, length)
        if length > first:
            st32(to + 8, length)
            append_rest(worker, b, to + HEADER + first)
        time = m.time
        seq = m.seq if w.clock != REAL else 0
        if time < last_time or (time == last_time and seq < last_seq):
            r.sorted = 0
        last_time = time
        last_seq = seq
        k = rec(r.keys + records * KEY_SIZE, KEY)
        k.time = time
        k.seq = seq
        k.size = HEADER + length
        k.offset = used
        used += HEADER + length
        records += 1
        free(worker, bi)
    r.used = used
    r.count = records
    r.last_time = last_time
    r.last_seq = last_seq
    if segments > 0 and r.gso == 0:
        count_gso(worker, d.err_base + E_PG_GSO, sw_if, segments)
    if used >= r.flush_at:
        w.attention |= ATTENTION_FLUSH
    return n


@kernel
def capture_tx(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    return transmit(worker, node, frame, False)


@kernel
def pg_tx(worker: int, node: int, frame: int) -> int:
    """The same for a packet-generator interface."""
    return transmit(worker, node, frame, True)


@compiled
def gather(to: int, data: int, keys: int, order: int, count: int) -> int:
    """Copy ``count`` records in the order of the indices (int64) at ``order``; gives the bytes written."""
    at = to
    for i in range(count):
        k = rec(keys + ld64(order + 8 * i) * KEY_SIZE, KEY)
        copy(at, data + k.offset, k.size)
        at += k.size
    return at - to


class TxChunks:
    """The transmit chunks (one a worker) of one capture-tx node."""

    def __init__(self, node: Node, *, flush_bytes: int = 4 << 20) -> None:
        workers = len(node.data)
        size = 1 << 28
        count = size // 64
        self._node = node
        self._data = Region(size * workers, name=f"{node.name} chunk")
        self._keys = Region(count * KEY_SIZE * workers, name=f"{node.name} keys")
        self._sorted = Region(size * workers, name=f"{node.name} sorted chunk")
        self._size, self._count = size, count
        for i in range(workers):
            r = node.data[i]
            r["data"] = self._data.address + i * size
            r["keys"] = self._keys.address + i * count * KEY_SIZE
            r["data_size"], r["max_count"] = size, count
            # with several workers chunks are written at barriers only, merged
            r["flush_at"] = flush_bytes if workers == 1 else size
            r["sorted"] = 1
            r["used"] = r["count"] = r["last_time"] = r["last_seq"] = r["gso"] = 0  # the node may have had another one

    def take(self) -> tuple[npt.NDArray[np.uint8], int]:
        """The bytes of all records since the last call, in order of (time, arrival), and how many records."""
        runs = self._node.data
        total = int(runs["used"].sum())
        records = int(runs["count"].sum())
        one = runs[0]
        if records == int(one["count"]) and int(one["sorted"]):
            view = self._data.bytes[: int(one["used"])]
        else:
            view = self._merge(records, total)
        for r in runs:
            r["used"] = r["count"] = 0
            r["sorted"] = 1
            r["last_time"] = r["last_seq"] = 0
        return view, records

    def _merge(self, records: int, total: int) -> npt.NDArray[np.uint8]:
        parts = []
        for i, r in enumerate(self._node.data):
            keys: npt.NDArray[Any] = self._keys.view(KEY, i * self._count * KEY_SIZE, self._count)[: int(r["count"])]
            keys["offset"] += i * self._size
            parts.append(keys)
        keys = np.concatenate(parts)
        order = np.lexsort((keys["seq"], keys["time"])).astype(np.int64)
        with lent(keys, order) as (keys_at, order_at):
            gather(self._sorted.address, self._data.address, keys_at, order_at, records)
        return self._sorted.bytes[:total]

    def close(self) -> None:
        """Give the memory back."""
        for region in (self._data, self._keys, self._sorted):
            region.close()


CAPTURE_TX = NodeType(
    name="capture-tx",
    kernel=capture_tx,
    kind=TERMINAL,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=TX_TRACE,
    doc=__doc__ or "",
)
PG_TX = NodeType(name="pg-tx", kernel=pg_tx, kind=TERMINAL, errors=PG_ERRORS, runtime=RUNTIME, trace=TX_TRACE)
