"""The ends of a packet's way: error-drop, error-punt, null-node, and ip4-drop in front of them.

error-drop counts each packet against the error that it carries (set by the node that gave it up, in that
node's own counters) and frees it; error 0 is null-node's "blackholed packets" (no route, a drop route).
error-punt does the same for what VPP would hand to the host: nobody takes it here, so it is a drop with a
reason. ip4-drop is where features for dropped IPv4 packets hook in (arc ip4-drop); `ip4_punt` has ip4-punt.
"""

from __future__ import annotations

from vectorplane.dataplane.abi import TERMINAL, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, free
from vectorplane.dataplane.interface import INTERFACE, INTERFACE_SIZE, SUB_INTERFACE
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.errors4 import ERRORS
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.trace_forward import FORWARD_TRACE
from vectorplane.graph_nodes.trace_packet import DROP_TRACE, NULL_TRACE, PUNT_TRACE
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import ld64, prefetch, rec, st64


@helper
def count_drop(worker: int, error: int) -> None:
    """One packet dropped for the reason with this error index."""
    w = rec(worker, WORKER)
    st64(w.errors + 8 * error, ld64(w.errors + 8 * error) + 1)
    st64(w.drops + 8 * error, ld64(w.drops + 8 * error) + 1)


@helper
def count_tx_drops(worker: int, error: int, sw_if: int, n: int) -> None:
    """``n`` packets that a transmit node dropped for this reason: against the interface's tx-error, too."""
    w = rec(worker, WORKER)
    st64(w.errors + 8 * error, ld64(w.errors + 8 * error) + n)
    st64(w.drops + 8 * error, ld64(w.drops + 8 * error) + n)
    st64(w.if_tx_error + 8 * sw_if, ld64(w.if_tx_error + 8 * sw_if) + n)


@helper
def count_consumed(worker: int, error: int) -> None:
    """One packet consumed (delivered to this router itself), counted as error index ``error``."""
    w = rec(worker, WORKER)
    st64(w.errors + 8 * error, ld64(w.errors + 8 * error) + 1)
    st64(w.consumed + 8 * error, ld64(w.consumed + 8 * error) + 1)


@helper
def count(worker: int, error: int, n: int) -> None:
    """An informational counter: ``n`` events that neither drop nor consume a packet."""
    w = rec(worker, WORKER)
    st64(w.errors + 8 * error, ld64(w.errors + 8 * error) + n)


@helper
def drop_frame(worker: int, frame: int, interface_counter: int) -> int:
    """Count and free all packets of the frame; as in VPP a sub-interface's count for its super-interface too."""
    w = rec(worker, WORKER)
    pool = w.pool
    n = frame_n(frame)
    for i in range(n):
        prefetch(pool + buffer_index(frame, i + 4) * CELL)
        bi = buffer_index(frame, i)
        m = rec(pool + bi * CELL, BUFFER)
        count_drop(worker, m.error)
        c = interface_counter + 8 * m.rx_sw_if
        st64(c, ld64(c) + 1)
        interface = rec(w.interfaces + m.rx_sw_if * INTERFACE_SIZE, INTERFACE)
        if interface.flags & SUB_INTERFACE:
            c = interface_counter + 8 * interface.sup
            st64(c, ld64(c) + 1)
        free(worker, bi)
    return n


@kernel
def error_drop(worker: int, node: int, frame: int) -> int:
    """Count by reason, count against the receiving interface, free."""
    return drop_frame(worker, frame, rec(worker, WORKER).if_drops)


@kernel
def error_punt(worker: int, node: int, frame: int) -> int:
    """The same; the interface counts it as punt."""
    return drop_frame(worker, frame, rec(worker, WORKER).if_punt)


@kernel
def pass_on(worker: int, node: int, frame: int) -> int:
    """All packets to slot 0."""
    n = frame_n(frame)
    for i in range(n):
        set_next(frame, i, 0)
    return n


NULL_NODE = NodeType(
    name="null-node", kernel=error_drop, kind=TERMINAL, errors=named_by_text("blackholed packets"), trace=NULL_TRACE
)
ERROR_DROP = NodeType(name="error-drop", kernel=error_drop, kind=TERMINAL, trace=DROP_TRACE, doc=__doc__ or "")
ERROR_PUNT = NodeType(name="error-punt", kernel=error_punt, kind=TERMINAL, trace=PUNT_TRACE)
IP4_DROP = NodeType(name="ip4-drop", kernel=pass_on, nexts=("error-drop",), errors=ERRORS, trace=FORWARD_TRACE)
