"""ip4-replicate: a multicast packet goes to each of its entry's data-path objects; the last one gets the packet itself.

The packet's `adj` is the entry. The entry's packets are counted (``/net/mroute``). Without a free buffer a copy is not
made: "Buffer Allocation Failure".

Balance: copies are generated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, buffer_at, length_in_chain
from vectorplane.dataplane.frame import emit
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.mfib import ENTRY_SIZE, MFIB_ENTRY, Mfibs
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.replicate import copy_packet
from vectorplane.graph_nodes.trace_forward import FORWARD_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import ld64, rec, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

ERRORS = named_by_text(
    "Buffer Allocation Failure",
)

RUNTIME = np.dtype([("entries", "i8"), ("words", "i8"), ("counters", "i8")])


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
