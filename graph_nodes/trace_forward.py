"""The trace of IPv4 forwarding nodes: which table and which object a packet was given, and its header.

One record serves ip4-lookup, ip4-load-balance, ip4-rewrite, ip4-midchain, ip4-drop and others; their texts differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import WORKER, buffer_index, frame_n
from vectorplane.dataplane.buffer import BUFFER, CELL
from vectorplane.dataplane.interface import I_IP4_TABLE, INTERFACE_SIZE
from vectorplane.dataplane.node import Trace
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.forwarding import ADJ_HAS_FEATURES, MAX_ADJACENCIES, Forwarding
from vectorplane.graph_nodes.trace_formats import hex_bytes, ip4_address, ip4_header
from vectorplane.graph_nodes.trace_packet import interface_name, kept_bytes, snapshot
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import ld32s, offsets, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

FORWARD_BYTES = 60
FORWARD = np.dtype(
    [
        ("fib_index", "i4"),  # or tx_sw_if_index, behind nodes that have set it
        ("dpo_index", "i4"),
        ("flow_hash", "i4"),
        ("size", "i4"),
        ("data", "i1", (FORWARD_BYTES,)),
    ],
    align=True,
)
_DATA = offsets(FORWARD, "data")[0]


@kernel
def trace_forward(worker: int, node: int, frame: int) -> int:
    """A `FORWARD` for each traced packet."""
    w = rec(worker, WORKER)
    pool = w.pool
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            b = pool + buffer_index(frame, i) * CELL
            m = rec(b, BUFFER)
            r = rec(t, FORWARD)
            table = m.tx_sw_if
            if table < 0:
                table = ld32s(w.interfaces + m.rx_sw_if * INTERFACE_SIZE + I_IP4_TABLE)
            r.fib_index = table
            r.dpo_index = m.adj
            r.flow_hash = m.flow_hash
            r.size = snapshot(t + _DATA, b, FORWARD_BYTES)
    return n


def _hash(record: Any) -> str:
    return f"0x{int(record['flow_hash']) & 0xFFFFFFFF:08x}"


def lookup_text(record: Any, plane: Dataplane) -> str:
    """``fib 0 dpo-idx 3 flow hash: 0x00000000`` and the header."""
    first = f"fib {record['fib_index']} dpo-idx {record['dpo_index']} flow hash: {_hash(record)}"
    return f"{first}\n{ip4_header(kept_bytes(record))}"


def forward_text(record: Any, plane: Dataplane) -> str:
    """The same in the form of nodes that follow: ``fib:0 adj:3 flow:0x00000000``."""
    first = f"  fib:{record['fib_index']} adj:{record['dpo_index']} flow:{_hash(record)}"
    return f"{first}\n{ip4_header(kept_bytes(record))}"


def adjacency_text(plane: Dataplane, index: int) -> str:
    """``ipv4 via 10.0.1.2 pg1: mtu:9000 next:5 flags:[] 0200...0800``: the adjacency as it is now."""
    if not 0 <= index < MAX_ADJACENCIES:
        return "<invalid adjacency>"
    adj = plane.shared(Forwarding).adjacencies[index]
    length = int(adj["rewrite_length"])
    where = adj["short"] if length <= 32 else adj["long"]
    rewrite = where.tobytes()[len(where) - length :].hex() if 0 < length <= len(where) else ""
    name = interface_name(plane, int(adj["sw_if_index"]))
    hop = ip4_address(int(adj["next_hop"]).to_bytes(4, "little", signed=True))
    flags = "features " if int(adj["flags"]) & ADJ_HAS_FEATURES else ""
    return f"ipv4 via {hop} {name}: mtu:{adj['mtu']} next:{adj['next']} flags:[{flags}] {rewrite}".rstrip()


def rewrite_text(record: Any, plane: Dataplane) -> str:
    """The adjacency, and the packet with its new header in hexadecimal."""
    index = int(record["dpo_index"])
    first = f"tx_sw_if_index {record['fib_index']} dpo-idx {index} : {adjacency_text(plane, index)}"
    return f"{first} flow hash: {_hash(record)}\n{hex_bytes(kept_bytes(record))}"


def midchain_text(record: Any, plane: Dataplane) -> str:
    """The tunnel's adjacency, and the packet before its outer header."""
    index = int(record["dpo_index"])
    sw_if = plane.shared(Forwarding).adjacencies[index]["sw_if_index"] if 0 <= index < MAX_ADJACENCIES else -1
    first = f"tx_sw_if_index {sw_if} dpo-idx {index} : {adjacency_text(plane, index)} flow hash: {_hash(record)}"
    return f"{first}\n{hex_bytes(kept_bytes(record))}"


LOOKUP_TRACE = Trace(FORWARD, trace_forward, lookup_text)
REWRITE_TRACE = Trace(FORWARD, trace_forward, rewrite_text)
MIDCHAIN_TRACE = Trace(FORWARD, trace_forward, midchain_text, before=True)
"""Before, since the kernel goes on to the object that the adjacency is stacked on: what follows shows the header."""
FORWARD_TRACE = Trace(FORWARD, trace_forward, forward_text)
