"""af-packet-input: frames that interfaces of the host received (packet sockets, TPACKET_V3; see `af_packet_queue`).

One node serves all such interfaces, as in VPP. It copies each frame out of the block that the host gave, until the
block is done and given back. A worker begins each time with the queue behind the one that it began with before.

The VLAN tag that the host took out goes back in; a checksum that it left to its card is filled in; TCP and UDP that it
left its card to cut are cut here (`vnet_cut`), unless the interface is told to take TCP as it is. A frame that the host
cut short is a "partial packet", one whose vnet header asks for what can't be done a "bad vnet header"; without buffers
frames are read and dropped ("buffer alloc error"). A block that contradicts itself is given back ("damaged block").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.dataplane.abi import INPUT, NODE, WORKER
from vectorplane.dataplane.buffer import BUFFER, DATA, buffer_at, free, length_in_chain, reserve
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.graph_nodes.af_packet_queue import (
    FRAME_STATUS,
    FRAME_TAG,
    FRAME_TAG_TYPE,
    FRAME_WIRE,
    QUEUE,
    QUEUE_SIZE,
    TAG_TYPE_KNOWN,
    TAGGED,
    TIMED_OUT,
    AfPacketQueues,
)
from vectorplane.graph_nodes.af_packet_ring import DAMAGED, close_block, frame_here, go_on, open_block
from vectorplane.graph_nodes.capture_input import received_text
from vectorplane.graph_nodes.drop import count, count_drop
from vectorplane.graph_nodes.frame_in import count_received, frame_in, send_up
from vectorplane.graph_nodes.host_queue import OPEN
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.queue_input import RUNTIME, begin_turn, bind_to, end_turn, in_turn
from vectorplane.graph_nodes.trace_packet import BUFFER_TRACE, trace_buffer
from vectorplane.graph_nodes.vnet_cut import BAD, cut, next_cut
from vectorplane.graph_nodes.vnet_header import GSO_ECN, GSO_TCP4, take_vnet_header
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import bswap16, ld8, ld16, ld32, ld64, rec, st16, st32, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "ethernet-input")
DROP, ETHERNET = range(2)
ERRORS = named_by_text(
    "partial packet",
    "timed out block",
    "total received block",
    "buffer alloc error",
    "bad vnet header",
    "damaged block",
)
"""The first three are VPP's."""
E_PARTIAL, E_TIMED_OUT, E_BLOCKS, E_NO_BUFFERS, E_BAD_HEADER, E_DAMAGED = range(6)


@helper
def put_tag(b: int, kind: int, tag: int) -> None:
    """Put a VLAN tag (both values as numbers) behind the MAC addresses of the packet at ``b``, into its headroom."""
    at = b + DATA
    a = ld64(at)
    st32(at + 4, ld32(at + 8))
    st64(at - 4, a)
    st16(at + 8, bswap16(kind))
    st16(at + 10, bswap16(tag))
    m = rec(b, BUFFER)
    m.current_data = -4
    m.current_length = m.current_length + 4


@helper
def packet_of(worker: int, queue: int, header: int, data: int, size: int) -> int:
    """Make the next packet of the frame, whose header is at ``header``; gives its buffer, or - 1 - the error.

    The queue is where it goes on then. `reserve` one buffer before.
    """
    q = rec(queue, QUEUE)
    vnet = data - q.vnet
    status = ld32(header + FRAME_STATUS)
    sw_if = q.sw_if_index
    kind = ld8(vnet + 1) if q.vnet else 0
    if kind != 0 and not (q.gso and kind & ~GSO_ECN == GSO_TCP4):
        index = cut(worker, data, size, vnet, q.done, sw_if)
        following = next_cut(data, size, vnet, q.done) if index >= 0 else 0
    else:
        index = frame_in(worker, data, size, sw_if, 0)
        following = 0
        if index >= 0 and q.vnet and ld16(vnet) != 0 and not take_vnet_header(worker, buffer_at(worker, index), vnet):
            free(worker, index)
            index = BAD
    if index >= 0 and status & TAGGED:
        type_ = ld16(header + FRAME_TAG_TYPE) if status & TAG_TYPE_KNOWN else 0x8100
        put_tag(buffer_at(worker, index), type_, ld32(header + FRAME_TAG))
    if following > 0:
        q.done = following
    else:
        go_on(queue)
    if index >= 0:
        return index
    return -1 - (E_BAD_HEADER if index == BAD else E_NO_BUFFERS)


@helper
def drain(worker: int, node: int, queue: int, frame: int, n: int) -> int:
    """Read what the queue has, at most until the frame is full; gives the packets in the frame."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    q = rec(queue, QUEUE)
    sw_if = q.sw_if_index
    packets = 0
    total = 0
    while n < w.vector_size:
        if q.left == 0:
            status = open_block(queue)
            if status == 0:
                break
            count(worker, d.err_base + E_BLOCKS, 1)
            if status & TIMED_OUT:
                count(worker, d.err_base + E_TIMED_OUT, 1)
            if q.left == 0:
                close_block(queue)
            continue
        found = frame_here(queue)
        if found == DAMAGED:
            count(worker, d.err_base + E_DAMAGED, 1)
            close_block(queue)
            continue
        size = found >> 16
        header = q.ring + q.block * q.block_size + q.at
        packets += 1
        error = -1
        index = 0
        if ld32(header + FRAME_WIRE) != size:
            error = E_PARTIAL
        elif reserve(worker, 1) < 1:
            # taken out of the ring all the same: left there it would wake us for ever
            error = E_NO_BUFFERS
        if error >= 0:
            go_on(queue)
        else:
            index = packet_of(worker, queue, header, header + (found & 0xFFFF), size)
            if index < 0:
                error = -1 - index
        if error >= 0:
            total += size
            count_drop(worker, d.err_base + error)
            continue
        total += length_in_chain(buffer_at(worker, index))
        send_up(worker, frame, n, index, r.arc, sw_if, ETHERNET)
        n += 1
    if packets > 0:
        count_received(worker, sw_if, packets, total)
    return n


@kernel
def af_packet_input(worker: int, node: int, frame: int) -> int:
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
    return received_text(record, plane, "af-packet")


AF_PACKET_INPUT = NodeType(
    name="af-packet-input",
    kernel=af_packet_input,
    kind=INPUT,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=Trace(BUFFER_TRACE, trace_buffer, format_trace),
    bind=bind_to(AfPacketQueues),
    doc=__doc__ or "",
)
