"""tap-tx: ``<interface>-tx`` of a tap: hands frames to the host, which receives them as if from a wire.

Each packet is one ``writev`` of its vnet header and its buffers; nothing is copied here. Packets that wait for their
checksums have got them in the interface's output node. With ``gro`` TCP is put together first (`tcp_coalesce`). TCP
that is to be cut goes to a host that does it as one packet; to another it is a drop ("gso disabled on itf  -- gso
packet drop"). The host takes nothing while its interface is down ("interface is down on the host") or its queue full
("no free tx slots").
"""

from __future__ import annotations

from vectorplane.dataplane.abi import NODE, TERMINAL, WORKER, buffer_index, frame_n
from vectorplane.dataplane.buffer import BUFFER, CELL, GSO, free
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import count_tx_drops
from vectorplane.graph_nodes.gather import gather
from vectorplane.graph_nodes.host_queue import OPEN, lose
from vectorplane.graph_nodes.tap_queue import EAGAIN, EINTR, EINVAL, EIO, MAX_IOV, QUEUE
from vectorplane.graph_nodes.tcp_coalesce import coalesce
from vectorplane.graph_nodes.trace_packet import TX_TRACE
from vectorplane.graph_nodes.vnet_header import clear_vnet_header, put_vnet_header
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import rec
from vectorplane.jit.system_call import WRITEV, system_call

ERRORS = (
    ("no_free_slots", "no free tx slots"),
    ("trunc_packet", "packet > buffer size -- truncated in tx ring"),
    ("gso_packet_drop", "gso disabled on itf  -- gso packet drop"),
    ("host_down", "interface is down on the host"),
    ("host_gone", "interface is gone on the host"),
)
E_NO_FREE_SLOTS, E_TRUNCATED, E_GSO, E_DOWN, E_GONE = range(5)
RUNTIME = QUEUE
"""The transmit queue of this worker."""


@helper
def send(worker: int, node: int, b: int) -> int:
    """Hand one packet to the host; gives the error, -1 when it has taken it."""
    queue = rec(node, NODE).data
    q = rec(queue, QUEUE)
    if q.state != OPEN:
        return E_GONE
    if rec(b, BUFFER).flags & GSO:
        if q.gso == 0 or not put_vnet_header(b, q.header):
            return E_GSO
    else:
        clear_vnet_header(q.header)
    pieces = gather(worker, b, q.iov, 1, MAX_IOV)
    if pieces == 0:
        return E_TRUNCATED
    result = system_call(WRITEV, q.fd, q.iov, pieces)
    while result == -EINTR:
        result = system_call(WRITEV, q.fd, q.iov, pieces)
    if result >= 0:
        return -1
    if result == -EAGAIN:
        return E_NO_FREE_SLOTS
    if result == -EIO:
        return E_DOWN
    if result == -EINVAL:
        return E_TRUNCATED  # the host finds the frame too short, or its vnet header wrong
    lose(worker, queue)
    return E_GONE


@kernel
def tap_tx(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    n = frame_n(frame)
    gro = rec(d.data, QUEUE).gro
    i = 0
    while i < n:
        index = buffer_index(frame, i)
        b = w.pool + index * CELL
        packets = coalesce(worker, frame, i) if gro != 0 else 1
        error = send(worker, node, b)
        if error >= 0:
            count_tx_drops(worker, d.err_base + error, rec(b, BUFFER).tx_sw_if, packets)
        free(worker, index)
        i += packets
    return n


TAP_TX = NodeType(
    name="tap-tx",
    kernel=tap_tx,
    kind=TERMINAL,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=TX_TRACE,
    doc=__doc__ or "",
)
