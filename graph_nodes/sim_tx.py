"""sim-tx: ``<interface>-tx`` of a simulated NIC: hands packets to the card, which sends them in order of time.

The node copies each packet into its worker's share of the card's memory, with the packet's time and arrival number
beside it. Within a vector some packets take longer ways through the graph than others; when they leave, and which of
them find the transmit ring full, must not depend on that. So the rings and the wire
(`vectorplane.backends.engine.sim_tx_ring`) take them over later, sorted, up to a time that nothing can undercut.

A packet that finds the ring full is dropped there as "no free tx slots" of this node. Checksums that the packet's
buffer asks for are filled in here when the port offers that; when it does not, such a packet is dropped.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.abi import ATTENTION_FLUSH, NODE, TERMINAL, WORKER, buffer_index, frame_n
from vectorplane.dataplane.buffer import (
    BUFFER,
    CELL,
    DATA,
    NEXT_PRESENT,
    OFFLOAD_IP_CHECKSUM,
    OFFLOAD_L4_CHECKSUM,
    free,
)
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.capture_tx import append_rest
from vectorplane.graph_nodes.checksum_offload import finish_checksums
from vectorplane.graph_nodes.drop import count_tx_drops
from vectorplane.graph_nodes.trace_packet import TX_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import copy, offsets, prefetch, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node

ERRORS = (
    ("no_free_slots", "no free tx slots"),
    ("no_offload", "checksum offload not possible"),
)
E_NO_FREE_SLOTS, E_NO_OFFLOAD = range(2)

STAGED = np.dtype(
    [
        ("time", "i8"),
        ("seq", "i4"),
        ("size", "i4"),
        ("address", "i8"),  # of the frame's bytes
        ("queue", "i4"),
        ("pad", "i4"),
    ],
    align=True,
)
"""A packet that the card has not taken over yet."""
STAGED_SIZE = STAGED.itemsize

RUNTIME = np.dtype(
    [
        ("data", "i8"),  # address of the bytes
        ("staged", "i8"),  # address of the STAGED
        ("used", "i8"),  # bytes
        ("count", "i8"),
        ("data_size", "i8"),
        ("max_count", "i8"),
        ("flush_at", "i8"),  # bytes from which Python shall let the card take over
        ("queue", "i8"),  # transmit queue of this worker
        ("offload", "i8"),
        ("sorted", "i8"),  # 1 while every packet came at least at its predecessor's time, and as its successor
        ("last_time", "i8"),
        ("last_seq", "i8"),
    ]
)
STAGE_BYTES = 1 << 28
MAX_STAGED = STAGE_BYTES // 64
FLUSH_BYTES = 1 << 20


@kernel
def sim_tx(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    pool = w.pool
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    n = frame_n(frame)
    used = r.used
    count = r.count
    last_time = r.last_time
    last_seq = r.last_seq
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
        error = -1
        wanted = m.flags & (OFFLOAD_IP_CHECKSUM | OFFLOAD_L4_CHECKSUM)
        if wanted != 0 and (r.offload == 0 or finish_checksums(worker, b) == 0):
            error = E_NO_OFFLOAD
        if used + length > r.data_size or count >= r.max_count:
            error = E_NO_FREE_SLOTS
        if error >= 0:
            count_tx_drops(worker, d.err_base + error, m.tx_sw_if, 1)
            free(worker, bi)
            continue
        to = r.data + used
        copy(to, b + DATA + m.current_data, first)
        if length > first:
            append_rest(worker, b, to + first)
        time = m.time
        seq = m.seq
        if time < last_time or (time == last_time and seq < last_seq):
            r.sorted = 0
        last_time = time
        last_seq = seq
        k = rec(r.staged + count * STAGED_SIZE, STAGED)
        k.time = time
        k.seq = seq
        k.size = length
        k.address = to
        k.queue = r.queue
        used += length
        count += 1
        free(worker, bi)
    r.used = used
    r.count = count
    r.last_time = last_time
    r.last_seq = last_seq
    if used >= r.flush_at:
        w.attention |= ATTENTION_FLUSH
    return n


class TxStage:
    """Memory of one sim-tx node: what each worker has sent and the card has not taken over."""

    def __init__(self, node: Node, queues: int, offload: bool) -> None:
        workers = len(node.data)
        self._node = node
        self._data = Region(STAGE_BYTES * workers, name=f"{node.name} stage")
        self._staged = Region(MAX_STAGED * STAGED_SIZE * workers, name=f"{node.name} staged")
        for i in range(workers):
            r = node.data[i]
            r["data"] = self._data.address + i * STAGE_BYTES
            r["staged"] = self._staged.address + i * MAX_STAGED * STAGED_SIZE
            r["data_size"], r["max_count"], r["flush_at"] = STAGE_BYTES, MAX_STAGED, FLUSH_BYTES
            r["queue"], r["offload"], r["sorted"] = i % queues, offload, 1
        # asked for at every turn of an engine, of each of its ports: fifty times faster than by numpy
        first, each = node.data.ctypes.data + offsets(RUNTIME, "count")[0], node.data.strides[0]
        self._counts = [ctypes.c_int64.from_address(first + i * each) for i in range(workers)]

    def __len__(self) -> int:
        return sum(c.value for c in self._counts) if len(self._counts) > 1 else self._counts[0].value

    def take(self, until: int) -> npt.NDArray[Any]:
        """Packets (`STAGED`) of times up to ``until`` ns, in order of time, arrival and worker; `release` them soon."""
        runs = self._node.data
        first = runs[0]
        if len(runs) == 1 and first["sorted"] and int(first["last_time"]) <= until:
            staged: npt.NDArray[Any] = self._staged.view(STAGED, 0, int(first["count"])).copy()
            first["count"] = first["last_time"] = first["last_seq"] = 0
            return staged
        parts = []
        for worker, r in enumerate(runs):
            staged = self._staged.view(STAGED, worker * MAX_STAGED * STAGED_SIZE, int(r["count"]))
            due = staged["time"] <= until
            parts.append(staged[due])
            left = staged[~due]
            staged[: len(left)] = left
            r["count"] = len(left)
            r["sorted"], r["last_time"], r["last_seq"] = len(left) == 0, 0, 0
            r["flush_at"] = min(int(r["used"]) + FLUSH_BYTES, STAGE_BYTES // 2)
        taken = np.concatenate(parts)
        return taken[np.lexsort((taken["seq"], taken["time"]))]

    def release(self) -> None:
        """The bytes of what was taken are no longer needed."""
        for worker, r in enumerate(self._node.data):
            if int(r["count"]) == 0:
                r["used"], r["flush_at"] = 0, FLUSH_BYTES
            elif int(r["used"]) > STAGE_BYTES // 2:
                self._compact(worker, r)

    def _compact(self, worker: int, r: Any) -> None:
        staged: npt.NDArray[Any] = self._staged.view(STAGED, worker * MAX_STAGED * STAGED_SIZE, int(r["count"]))
        at = 0
        for k in staged:
            start, size = int(k["address"]) - self._data.address, int(k["size"])
            to = worker * STAGE_BYTES + at
            self._data.bytes[to : to + size] = self._data.bytes[start : start + size]
            k["address"] = self._data.address + to
            at += size
        r["used"], r["flush_at"] = at, min(at + FLUSH_BYTES, STAGE_BYTES)

    def close(self) -> None:
        """Give the memory back."""
        self._data.close()
        self._staged.close()


SIM_TX = NodeType(
    name="sim-tx",
    kernel=sim_tx,
    kind=TERMINAL,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=TX_TRACE,
    doc=__doc__ or "",
)
