"""dpdk-tx: ``<interface>-tx`` of a DPDK port: buffers become mbufs and are handed to the driver.

Where memory is shared the buffer itself is what is sent, chains as segments, and the driver frees it when it has left.
Copied into fresh mbufs is what cannot be given away: a packet of a port that copies, a buffer that several packets
share, a chain that the driver does not take as it is. What the driver does not take, after 16 tries, is dropped ("Tx
packet drops (dpdk tx failure)", VPP's name), as is a packet for which there is no mbuf or that is too long for one
where only one is taken. TCP that was to be cut is dropped. Workers that share a transmit queue take turns.
"""

from __future__ import annotations

import numpy as np

from vectorplane.dataplane.abi import NODE, TERMINAL, WORKER, buffer_index, frame_n
from vectorplane.dataplane.buffer import (
    BUFFER,
    CELL,
    DATA_SIZE,
    GSO,
    META,
    NEXT_PRESENT,
    free,
    length_in_chain,
    lock,
    unlock,
)
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import count_tx_drops
from vectorplane.graph_nodes.mbuf import ARRAY, BURST, DATA_OFF, FRESH, OL_FLAGS, PKT_LEN, REARM
from vectorplane.graph_nodes.mbuf_copy import chain_of, mbufs_of, shared
from vectorplane.graph_nodes.trace_packet import TX_TRACE
from vectorplane.jit.kernel import helper, kernel, routine
from vectorplane.jit.ops import call3, ld64, prefetch, rec, st64

ERRORS = (
    ("pkt_drop", "Tx packet drops (dpdk tx failure)"),
    ("no_mbuf", "no free mbuf"),
    ("too_long", "packet too long for one mbuf"),
    ("gso_packet_drop", "gso disabled on itf  -- gso packet drop"),
)
E_DROP, E_NO_MBUF, E_TOO_LONG, E_GSO = range(4)

_NOT_SIMPLE = (NEXT_PRESENT | GSO) << 32

RUNTIME = np.dtype(
    [
        ("handle", "i8"),  # port << 16 | queue
        ("lock", "i8"),  # address of the queue's lock word; 0: the queue is this worker's alone
        ("mbufs", "i8"),  # address of an array of mbuf pointers, and of room for one behind it
        ("pool", "i8"),  # that fresh mbufs come from
        ("copies", "i8"),  # 1: memory is not shared
        ("chains", "i8"),  # 1: the driver takes packets of several segments
        ("tx", "i8"),  # the shim's functions
        ("free", "i8"),
        ("alloc", "i8"),
    ]
)


@routine
def lost(worker: int, error: int, sw_if: int) -> None:
    """A packet that does not leave."""
    count_tx_drops(worker, error, sw_if, 1)


@routine
def made(worker: int, node: int, index: int, b: int) -> int:
    """The mbuf of a packet that is no single buffer of our own, or that is to be copied; 0: it was dropped."""
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    m = rec(b, BUFFER)
    sw_if = m.tx_sw_if
    if m.flags & GSO:
        lost(worker, d.err_base + E_GSO, sw_if)
        free(worker, index)
        return 0
    if r.copies == 0 and not shared(worker, b) and ((m.flags & NEXT_PRESENT) == 0 or r.chains != 0):
        return chain_of(worker, b)
    mbuf = 0
    if r.chains == 0 and length_in_chain(b) > DATA_SIZE:
        lost(worker, d.err_base + E_TOO_LONG, sw_if)
    else:
        mbuf = mbufs_of(worker, b, r.pool, r.alloc, r.mbufs + ARRAY)
        if mbuf <= 0:
            if mbuf < 0:
                st64(r.mbufs + ARRAY, -mbuf)
                call3(r.free, r.mbufs + ARRAY, 1, 0)
            mbuf = 0
            lost(worker, d.err_base + E_NO_MBUF, sw_if)
    free(worker, index)
    return int(mbuf)


@helper
def send(worker: int, node: int, count: int, sw_if: int) -> None:
    """Hand the ``count`` mbufs of the array to the driver; what it does not take is dropped."""
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    if r.lock != 0:
        lock(r.lock)
    sent = call3(r.tx, r.handle, r.mbufs, count)
    if r.lock != 0:
        unlock(r.lock)
    if sent < count:
        for _ in range(count - sent):
            lost(worker, d.err_base + E_DROP, sw_if)
        call3(r.free, r.mbufs + 8 * sent, count - sent, 0)


@kernel
def dpdk_tx(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    pool = w.pool
    r = rec(rec(node, NODE).data, RUNTIME)
    mbufs = r.mbufs
    copies = r.copies
    n = frame_n(frame)
    count = 0
    sw_if = rec(pool + buffer_index(frame, 0) * CELL, BUFFER).tx_sw_if
    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead - META)
        index = buffer_index(frame, i)
        b = pool + index * CELL
        head = ld64(b)  # current_data, current_length and flags
        mbuf = b - META
        if (head & _NOT_SIMPLE) == 0 and rec(b, BUFFER).ref_count < 2 and copies == 0:
            size = (head >> 16) & 0xFFFF
            st64(mbuf + REARM, ((head + DATA_OFF) & 0xFFFF) | FRESH)
            st64(mbuf + OL_FLAGS, 0)
            st64(mbuf + PKT_LEN, size | (size << 32))
        else:
            mbuf = made(worker, node, index, b)
        if mbuf != 0:
            st64(mbufs + 8 * count, mbuf)
            count += 1
            if count == BURST:
                send(worker, node, count, sw_if)
                count = 0
    if count > 0:
        send(worker, node, count, sw_if)
    return n


DPDK_TX = NodeType(
    name="dpdk-tx",
    kernel=dpdk_tx,
    kind=TERMINAL,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=TX_TRACE,
    doc=__doc__ or "",
)
