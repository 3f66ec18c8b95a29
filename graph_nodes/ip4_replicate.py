"""ip4-replicate: a multicast packet goes to each of its entry's data-path objects; the last one gets the packet itself.

The packet's `adj` is the entry. The entry's packets are counted (``/net/mroute``). Without a free buffer a copy is not
made: "Buffer Allocation Failure".

Balance: copies are generated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, DATA, META, NEXT_PRESENT, buffer_at, length_in_chain
from vectorplane.dataplane.frame import emit
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.mfib import ENTRY_SIZE, MFIB_ENTRY, Mfibs
from vectorplane.graph_nodes.rare import allocate, copy, free
from vectorplane.graph_nodes.trace_forward import FORWARD_TRACE
from vectorplane.jit.kernel import kernel, routine
from vectorplane.jit.ops import ld64, rec, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

ERRORS = (("buffer_allocation_failure", "Buffer Allocation Failure"),)

RUNTIME = np.dtype([("entries", "i8"), ("words", "i8"), ("counters", "i8")])


def _copy_packet(worker: int, index: int) -> int:
    """A copy of a packet with its whole chain; -1 without buffers, and then nothing is left of it."""
    first = -1
    last = -1
    while True:
        source = buffer_at(worker, index)
        made = allocate(worker)
        if made < 0:
            if first >= 0:
                free(worker, first)
            return -1
        m = rec(source, BUFFER)
        to = buffer_at(worker, made)
        copy(to, source, META)
        n = rec(to, BUFFER)
        n.ref_count = 1
        n.flags = m.flags & ~NEXT_PRESENT
        n.next_buffer = 0
        copy(to + DATA + m.current_data, source + DATA + m.current_data, m.current_length)
        if first < 0:
            first = made
        else:
            p = rec(buffer_at(worker, last), BUFFER)
            p.next_buffer = made
            p.flags |= NEXT_PRESENT
        last = made
        if (m.flags & NEXT_PRESENT) == 0:
            return first
        index = m.next_buffer


copy_packet = routine(_copy_packet)


@kernel
def ip4_replicate(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    n = frame_n(frame)
    for i in range(n):
        bi = buffer_index(frame, i)
        b = buffer_at(worker, bi)
        m = rec(b, BUFFER)
        c = r.counters + 16 * m.adj
        st64(c, ld64(c) + 1)
        st64(c + 8, ld64(c + 8) + length_in_chain(b))
        run = rec(r.entries + ENTRY_SIZE * m.adj, MFIB_ENTRY).replicas
        more = (run & 0xFFFF) - 1
        for k in range(more):
            dpo = ld64(r.words + 8 * ((run >> 16) + k))
            made = copy_packet(worker, bi)
            if made < 0:
                count(worker, d.err_base, 1)
            else:
                rec(buffer_at(worker, made), BUFFER).adj = dpo >> 32
                w.generated += 1
                emit(worker, node, dpo & 0xFFFF, made)
        # the packet itself last: its object, or slot 0 (a drop) if the entry has just lost all of them
        dpo = 0
        if more >= 0:
            dpo = ld64(r.words + 8 * ((run >> 16) + more))
        m.adj = dpo >> 32
        set_next(frame, i, dpo & 0xFFFF)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The multicast FIBs and their counters."""
    mfibs = plane.shared(Mfibs)
    node.data["entries"], node.data["words"] = mfibs.entries_address, mfibs.words_address
    node.data["counters"] = mfibs.counters.addresses


IP4_REPLICATE = NodeType(
    name="ip4-replicate",
    kernel=ip4_replicate,
    sibling_of="ip4-lookup",
    errors=ERRORS,
    runtime=RUNTIME,
    trace=FORWARD_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
