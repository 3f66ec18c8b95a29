"""ip4-pmtu-dpo: packets to a host behind another router, cut to the path's MTU (VPP's ip path-mtu).

The packet's `adj` names the record that holds the MTU and the load-balance that the packet then follows. A packet that
fits goes on as it is; a longer one as its fragments, or, with DF set, is answered by `ip4-icmp-error` ("can't fragment
this packet"). For neighbours the MTU is their adjacency's and this node is not needed.

Errors and balance are those of `ip4-frag`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.abi import KEPT, NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, LOCALLY_ORIGINATED, buffer_at
from vectorplane.dataplane.frame import emit
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.flow_state import FlowState, next_fragment_id
from vectorplane.graph_nodes.forwarding import IndexPool
from vectorplane.graph_nodes.ip4_fragment import (
    E_DONT_FRAGMENT_SET,
    E_FRAGMENT_SENT,
    E_MEMORY,
    E_NONE,
    ERRORS,
    fragment,
    refusal,
)
from vectorplane.graph_nodes.ip4_header import FRAGMENT, LENGTH, MORE_FRAGMENTS, OFFSET_MASK
from vectorplane.graph_nodes.rare import free
from vectorplane.graph_nodes.trace_ip4 import FRAGMENT_TRACE
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import be16, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NAME = "ip4-pmtu-dpo"
NEXTS = ("ip4-icmp-error", "ip4-drop", "ip4-load-balance")
ICMP_ERROR, DROP, ON = range(3)

PATH_MTU = np.dtype([("mtu", "i4"), ("load_balance", "i4")])
PATH_MTU_SIZE = PATH_MTU.itemsize
MAX_PATH_MTUS = 1 << 20

RUNTIME = np.dtype([("flows", "i8"), ("table", "i8")])


@kernel
def ip4_pmtu_dpo(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    for i in range(frame_n(frame)):
        bi = buffer_index(frame, i)
        b = w.pool + bi * CELL
        m = rec(b, BUFFER)
        ip = b + DATA + m.current_data
        path = rec(r.table + m.adj * PATH_MTU_SIZE, PATH_MTU)
        mtu = path.mtu
        m.adj = path.load_balance
        if m.current_length >= 20 and be16(ip + LENGTH) <= mtu:
            set_next(frame, i, ON)
            continue
        error = refusal(b, ip, mtu)
        first = -1
        if error == E_NONE:
            new_id = 0
            if (be16(ip + FRAGMENT) & (MORE_FRAGMENTS | OFFSET_MASK)) == 0:
                new_id = next_fragment_id(r.flows, b)
            first = fragment(worker, b, ip, mtu, new_id)
            if first < 0:
                error = E_MEMORY
        if error == E_NONE:
            sent = 0
            while first >= 0:
                n = rec(buffer_at(worker, first), BUFFER)
                following = n.next_buffer
                n.next_buffer = 0
                n.flags |= m.flags & LOCALLY_ORIGINATED
                emit(worker, node, ON, first)
                sent += 1
                first = following
            w.generated += sent - 1
            count(worker, d.err_base + E_FRAGMENT_SENT, sent)
            free(worker, bi)
            set_next(frame, i, KEPT)
            continue
        m.error = d.err_base + error
        if error == E_DONT_FRAGMENT_SET:
            m.icmp_type = 3
            m.icmp_code = 4
            m.icmp_data = mtu
            m.tx_sw_if = -1
            set_next(frame, i, ICMP_ERROR)
        else:
            set_next(frame, i, DROP)
    return frame_n(frame)


class PathMtuTable:
    """The records of an engine's path MTUs to remote hosts."""

    def __init__(self, plane: Dataplane) -> None:
        self._region = Region(PATH_MTU_SIZE * MAX_PATH_MTUS, name="path MTUs")
        self.address = self._region.address
        self.records: npt.NDArray[Any] = self._region.view(PATH_MTU, 0, MAX_PATH_MTUS)
        self.pool = IndexPool(plane, MAX_PATH_MTUS, "path MTU")

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()


def bind(plane: Dataplane, node: Node) -> None:
    """Identifications of fragments; the records."""
    node.data["flows"] = plane.shared(FlowState).addresses
    node.data["table"] = plane.shared(PathMtuTable).address


IP4_PMTU_DPO = NodeType(
    name=NAME,
    kernel=ip4_pmtu_dpo,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=FRAGMENT_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
