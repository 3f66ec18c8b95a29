"""memif-input: what the processes at the other end of memif interfaces have put into their rings.

One node serves all memif interfaces, as in VPP; worker ``q % workers`` serves queue q. Packets are copied out, those
of several descriptors into chains of buffers. A worker begins each time with the queue behind the one that it began
with before, so that a busy interface does not starve another.

A packet that finds no buffer is received and dropped ("buffer allocation failed"). A descriptor that can't be (it
does not lie within its region, has no bytes, or more than a packet can have) counts as "bad descriptor", a head or
tail that can't be as "wild head or tail"; either breaks the queue (see `memif_queue`), where VPP only skips the
packet. A packet whose last descriptors are not there yet waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.dataplane.abi import INPUT, NODE, WORKER
from vectorplane.dataplane.buffer import free, reserve
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.graph_nodes.drop import count, count_drop
from vectorplane.graph_nodes.frame_in import count_received, frame_in, send_up
from vectorplane.graph_nodes.memif_chain import append
from vectorplane.graph_nodes.memif_queue import (
    DESCRIPTOR_SIZE,
    DESCRIPTORS,
    ENDLESS,
    FLAGS,
    HEAD,
    MASK_INT,
    MAX_PACKET,
    NEXT,
    OPEN,
    QUEUE,
    QUEUE_SIZE,
    TAIL,
    TOO_LONG,
    WILD,
    MemifQueues,
    break_queue,
    locate,
    others_place,
)
from vectorplane.graph_nodes.queue_input import RUNTIME, begin_turn, bind_to, end_turn, in_turn
from vectorplane.graph_nodes.trace_formats import ethernet_header
from vectorplane.graph_nodes.trace_packet import BUFFER_TRACE, buffer_text, kept_bytes, next_text, trace_buffer
from vectorplane.jit.kernel import compiled, helper, kernel
from vectorplane.jit.ops import prefetch, rec, st16, st64
from vectorplane.jit.shared_memory import fence, load_once, store16_release

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop", "ethernet-input")
DROP, ETHERNET = range(2)
ERRORS = (
    ("buffer_alloc", "buffer allocation failed"),
    ("bad_desc", "bad descriptor"),
    ("bad_ring", "wild head or tail"),
)
E_NO_BUFFERS, E_BAD_DESCRIPTOR, E_BAD_RING = range(3)


@helper
def outstanding(queue: int) -> int:
    """Most descriptors that can lie before us: all of the ring, or the empty buffers that we had put in."""
    q = rec(queue, QUEUE)
    if q.server:
        return q.mask + 1
    return (q.given - q.last) & 0xFFFF


@helper
def give_back(queue: int, used: int) -> None:
    """``used`` descriptors are done with: the other side may fill them again."""
    q = rec(queue, QUEUE)
    q.last = (q.last + used) & 0xFFFF
    if q.server:
        store16_release(q.ring + TAIL, q.last)
        return
    for i in range(used):
        # written anew as a whole: whatever the other side made of it
        slot = (q.given + i) & q.mask
        at = q.ring + DESCRIPTORS + slot * DESCRIPTOR_SIZE
        st64(at, q.buffer_size << 32)
        st64(at + 8, q.buffers + slot * q.buffer_size)
    q.given = (q.given + used) & 0xFFFF
    store16_release(q.ring + HEAD, q.given)


@helper
def drain(worker: int, node: int, queue: int, frame: int, n: int) -> int:
    """Take what the queue has, at most until the frame is full; gives the packets in the frame."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    q = rec(queue, QUEUE)
    arc = rec(d.data, RUNTIME).arc
    place = others_place(queue)
    waiting = (place - q.last) & 0xFFFF
    if waiting == 0 or place == q.seen:
        return n
    most = outstanding(queue)
    if waiting > most:
        count(worker, d.err_base + E_BAD_RING, 1)
        break_queue(worker, queue, WILD)
        return n
    if q.armed:
        q.armed = 0
        st16(q.ring + FLAGS, MASK_INT)
    q.seen = -1
    room = reserve(worker, min(waiting, w.vector_size - n))
    sw_if = q.sw_if_index
    mask = q.mask
    slots = q.ring + DESCRIPTORS
    packets = 0
    total = 0
    done = 0  # descriptors of whole packets
    while done < waiting and n < w.vector_size:
        index = -1
        length = 0
        used = done
        lost = room == 0
        bad = 0
        more = NEXT
        while more != 0 and used < waiting:
            at = slots + ((q.last + used) & mask) * DESCRIPTOR_SIZE
            prefetch(slots + ((q.last + used + 8) & mask) * DESCRIPTOR_SIZE)
            first = load_once(at)
            offset = load_once(at + 8) & 0xFFFFFFFF
            size = (first >> 32) & 0xFFFFFFFF
            data = locate(queue, (first >> 16) & 0xFFFF, offset, size)
            length += size
            if data < 0:
                bad = -data
                break
            if length > MAX_PACKET:
                bad = TOO_LONG
                break
            more = first & NEXT
            used += 1
            if lost:
                continue
            if index < 0:
                index = frame_in(worker, data, size, sw_if, 0)
                room -= 1
                lost = index < 0
            elif append(worker, index, data, size) == 0:
                free(worker, index)
                index = -1
                lost = True
        if bad == 0 and more != 0 and waiting == most:
            bad = ENDLESS
        if bad != 0 or more != 0:
            if index >= 0:
                free(worker, index)
            if bad != 0:
                count(worker, d.err_base + E_BAD_DESCRIPTOR, 1)
                break_queue(worker, queue, bad)
            else:
                q.seen = place
            break
        done = used
        packets += 1
        total += length
        if lost:
            count_drop(worker, d.err_base + E_NO_BUFFERS)
        else:
            send_up(worker, frame, n, index, arc, sw_if, ETHERNET)
            n += 1
    if done > 0:
        give_back(queue, done)
        count_received(worker, sw_if, packets, total)
    return n


@kernel
def memif_input(worker: int, node: int, frame: int) -> int:
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


@compiled
def arm_queue(queue: int) -> int:
    """Ask for interrupts from now on, and look again: 1 when there is something to be taken already."""
    q = rec(queue, QUEUE)
    if q.state != OPEN:
        return 0
    q.armed = 1
    st16(q.ring + FLAGS, 0)
    fence()
    place = others_place(queue)
    return int(place != q.last and place != q.seen)


def format_trace(record: Any, plane: Dataplane) -> str:
    """``memif: sw_if_index 1, 64 bytes, next_node ethernet-input``, the buffer and the headers."""
    following = next_text(record, "memif-input", plane)
    first = f"memif: sw_if_index {int(record['rx_sw_if_index'])}, {record['length']} bytes, {following}"
    return f"{first}\n{buffer_text(record)}\n{ethernet_header(kept_bytes(record))}"


MEMIF_INPUT = NodeType(
    name="memif-input",
    kernel=memif_input,
    kind=INPUT,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=Trace(BUFFER_TRACE, trace_buffer, format_trace),
    bind=bind_to(MemifQueues),
    doc=__doc__ or "",
)
