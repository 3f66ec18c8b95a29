"""tap-input: frames that the host sent into the taps (``/dev/net/tun`` with a vnet header, see `vnet_header`).

One node serves all taps, as in VPP. Each queue is read until it is empty or the vector is full, straight into buffers:
two pieces a read, a buffer's data (its vnet header lies in the headroom) and room for what is longer. A worker begins
each time with the queue behind the one that it began with before, so that a busy tap does not starve another.

A packet that finds no buffer, or not enough for all of it, is read and dropped ("buffer alloc error"), one whose vnet
header asks for what can't be done is dropped as "bad vnet header". A queue whose interface is gone is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.dataplane.abi import INPUT, NODE, WORKER
from vectorplane.dataplane.buffer import CELL, DATA, DATA_SIZE, free, give, reserve, take
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.graph_nodes.capture_input import received_text
from vectorplane.graph_nodes.drop import count_drop
from vectorplane.graph_nodes.frame_in import count_received, send_up
from vectorplane.graph_nodes.host_queue import OPEN, lose
from vectorplane.graph_nodes.packet_source import extend, new_head
from vectorplane.graph_nodes.queue_input import RUNTIME, begin_turn, bind_to, end_turn, in_turn
from vectorplane.graph_nodes.tap_queue import EAGAIN, EINTR, QUEUE, QUEUE_SIZE, TapQueues
from vectorplane.graph_nodes.trace_packet import BUFFER_TRACE, trace_buffer
from vectorplane.graph_nodes.vnet_header import VNET_SIZE, take_vnet_header
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import ld16, rec, st64
from vectorplane.jit.system_call import READV, system_call

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "ethernet-input")
DROP, ETHERNET = range(2)
ERRORS = (
    ("buffer_alloc", "buffer alloc error"),
    ("bad_header", "bad vnet header"),
)
E_NO_BUFFERS, E_BAD_HEADER = range(2)


@helper
def read_one(worker: int, queue: int, b: int) -> int:
    """Read a frame into the buffer at ``b``; gives its bytes, 0 when there is none, -1 when the queue is lost."""
    q = rec(queue, QUEUE)
    st64(q.iov, b + DATA - VNET_SIZE)
    size = system_call(READV, q.fd, q.iov, 2)
    if size > 0:
        return max(size - VNET_SIZE, 1)
    if size == -EAGAIN or size == -EINTR:
        return 0
    lose(worker, queue)
    return -1


@helper
def drain(worker: int, node: int, queue: int, frame: int, n: int) -> int:
    """Read what the queue has, at most until the frame is full; gives the packets in the frame."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    sw_if = rec(queue, QUEUE).sw_if_index
    spill = rec(queue, QUEUE).spill
    packets = 0
    total = 0
    while n < w.vector_size:
        if reserve(worker, 1) < 1:
            # read it all the same: left in the queue it would wake us for ever
            size = system_call(READV, rec(queue, QUEUE).fd, rec(queue, QUEUE).iov + 16, 1) - VNET_SIZE
            if size <= 0:
                break
            packets += 1
            total += size
            count_drop(worker, d.err_base + E_NO_BUFFERS)
            continue
        index = take(worker)
        b = w.pool + index * CELL
        size = read_one(worker, queue, b)
        if size <= 0:
            give(worker, index)
            break
        packets += 1
        total += size
        new_head(worker, b, min(size, DATA_SIZE), 0, w.now, sw_if, 0, 0)
        error = -1
        if size > DATA_SIZE and extend(worker, index, spill, size - DATA_SIZE) == 0:
            error = E_NO_BUFFERS
        elif ld16(b + DATA - VNET_SIZE) != 0 and not take_vnet_header(worker, b, b + DATA - VNET_SIZE):
            error = E_BAD_HEADER
        if error >= 0:
            count_drop(worker, d.err_base + error)
            free(worker, index)
            continue
        send_up(worker, frame, n, index, r.arc, sw_if, ETHERNET)
        n += 1
    if packets > 0:
        count_received(worker, sw_if, packets, total)
    return n


@kernel
def tap_input(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    runtime = rec(node, NODE).data
    r = rec(runtime, RUNTIME)
    first = begin_turn(runtime)
    n = 0
    for k in range(r.n_queues):
        queue = r.queues + in_turn(runtime, first, k) * QUEUE_SIZE
        if rec(queue, QUEUE).state == OPEN and n < rec(worker, WORKER).vector_size:
            n = drain(worker, node, queue, frame, n)
    return end_turn(worker, node, frame, n)


def format_trace(record: Any, plane: Dataplane) -> str:
    """As capture-input's."""
    return received_text(record, plane, "tap")


TAP_INPUT = NodeType(
    name="tap-input",
    kernel=tap_input,
    kind=INPUT,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=Trace(BUFFER_TRACE, trace_buffer, format_trace),
    bind=bind_to(TapQueues),
    doc=__doc__ or "",
)
