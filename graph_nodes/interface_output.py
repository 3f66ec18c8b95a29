"""Interface output: ``<interface>-output`` counts what leaves by an interface and hands it to ``<interface>-tx``.

Each interface has a node of its own (as in VPP, its name begins with the interface's): that is what an adjacency's
next leads to. An interface that is down drops ("interface is down"). Checksums that were left to the device are
filled in here when it cannot do it. Features of the arc interface-output run between an interface's output node and its
transmit node. The node `interface-output`, the end of the ip4-output arc, sends each packet to the
output node of its `tx_sw_if`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, GSO, NEXT_PRESENT, OFFLOAD_IP_CHECKSUM, OFFLOAD_L4_CHECKSUM
from vectorplane.dataplane.feature import ArcType
from vectorplane.dataplane.interface import (
    ADMIN_UP,
    CHECKSUM_OFFLOAD,
    INTERFACE,
    INTERFACE_SIZE,
    LINK_UP,
    MAX_INTERFACES,
)
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.region import Region
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.checksum_offload import finish_checksums
from vectorplane.graph_nodes.trace_formats import ethernet_header
from vectorplane.graph_nodes.trace_packet import kept_bytes, snapshot
from vectorplane.jit.kernel import kernel, routine
from vectorplane.jit.ops import ld32s, ld64, offsets, prefetch, rec, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("error-drop",)
DROP, TX = range(2)
ERRORS = (("down", "interface is down"), ("deleted", "interface is deleted"))
E_DOWN, E_DELETED = range(2)

RUNTIME = np.dtype([("slots", "i8")])
OUTPUT_RUNTIME = np.dtype([("arc", "i8")])
ARC = "interface-output"
OUTPUT_ARC = ArcType(ARC)

TRACE = np.dtype([("sw_if_index", "i4"), ("flags", "i4"), ("size", "i4"), ("data", "i1", (120,))], align=True)
_DATA = offsets(TRACE, "data")[0]
_OFFLOAD = OFFLOAD_IP_CHECKSUM | OFFLOAD_L4_CHECKSUM


@kernel
def trace(worker: int, node: int, frame: int) -> int:
    """Interface, flags and the first bytes of what leaves."""
    pool = rec(worker, WORKER).pool
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            b = pool + buffer_index(frame, i) * CELL
            r = rec(t, TRACE)
            r.sw_if_index = rec(b, BUFFER).tx_sw_if
            r.flags = rec(b, BUFFER).flags
            r.size = snapshot(t + _DATA, b, 120)
    return n


def format_trace(record: Any, plane: Dataplane) -> str:
    """``pg1 flags 0x00000001`` and the headers; an interface that is gone since is shown as its number."""
    index = int(record["sw_if_index"])
    if index in plane.interfaces.names:
        first = f"{plane.interfaces.names[index]} flags 0x{int(record['flags']) & 0xFFFFFFFF:08x}"
    else:
        first = f"sw_if_index: {index}"
    return f"{first}\n{ethernet_header(kept_bytes(record))}"


@routine
def fill_in(worker: int, frame: int) -> None:
    """Fill in the checksums that were left to devices which cannot do it."""
    w = rec(worker, WORKER)
    for i in range(frame_n(frame)):
        b = w.pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        if (m.flags & _OFFLOAD) != 0 and (m.flags & GSO) == 0:
            sup = rec(w.interfaces + m.tx_sw_if * INTERFACE_SIZE, INTERFACE).sup
            if (rec(w.interfaces + sup * INTERFACE_SIZE, INTERFACE).flags & CHECKSUM_OFFLOAD) == 0:
                finish_checksums(worker, b)


@kernel
def output(worker: int, node: int, frame: int) -> int:
    """One interface's output: counted, and once more for a sub-interface; then its transmit node (slot 1)."""
    w = rec(worker, WORKER)
    pool = w.pool
    interfaces = w.interfaces
    d = rec(node, NODE)
    err = d.err_base
    arc = rec(d.data, OUTPUT_RUNTIME).arc
    counters = w.if_tx
    n = frame_n(frame)
    chain = 0
    packets = 0
    total = 0
    last = -1
    sup = -1
    up = False
    seen = 0
    for i in range(n):
        prefetch(pool + buffer_index(frame, i + 4) * CELL)
        m = rec(pool + buffer_index(frame, i) * CELL, BUFFER)
        if m.tx_sw_if != last:
            last = m.tx_sw_if
            s = rec(interfaces + last * INTERFACE_SIZE, INTERFACE)
            sup = s.sup
            chain = ld32s(arc + 4 * last)
            h = rec(interfaces + sup * INTERFACE_SIZE, INTERFACE)
            up = (s.flags & ADMIN_UP) != 0 and (h.flags & (ADMIN_UP | LINK_UP)) == (ADMIN_UP | LINK_UP)
        if up:
            length = m.current_length
            seen |= m.flags
            if m.flags & NEXT_PRESENT:
                length += m.total_rest
            packets += 1
            total += length
            if sup != last:
                c = counters + 16 * last
                st64(c, ld64(c) + 1)
                st64(c + 8, ld64(c + 8) + length)
            if chain == 0:
                set_next(frame, i, TX)
            else:
                m.config_index = chain + 1
                set_next(frame, i, ld32s(arc + 4 * chain))
        else:
            m.error = err + E_DOWN
            set_next(frame, i, DROP)
    if seen & _OFFLOAD:
        fill_in(worker, frame)
    if packets > 0:
        c = counters + 16 * sup
        st64(c, ld64(c) + packets)
        st64(c + 8, ld64(c + 8) + total)
    return n


@kernel
def interface_output(worker: int, node: int, frame: int) -> int:
    """To the output node of each packet's interface."""
    w = rec(worker, WORKER)
    pool = w.pool
    d = rec(node, NODE)
    slots = rec(d.data, RUNTIME).slots
    n = frame_n(frame)
    for i in range(n):
        m = rec(pool + buffer_index(frame, i) * CELL, BUFFER)
        slot = 0
        if m.tx_sw_if >= 0:
            slot = ld32s(slots + 4 * m.tx_sw_if)
        if slot == 0:
            m.error = d.err_base + E_DELETED
        set_next(frame, i, slot)
    return n


class OutputSlots:
    """For `interface-output`: the slot of each interface's output node (0: drop)."""

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        self._region = Region(4 * MAX_INTERFACES, name="output slots")
        self.address = self._region.address
        self._slots = self._region.view(np.dtype("i4"), 0, MAX_INTERFACES)

    def set(self, sw_if_index: int, output_node: str | None) -> None:
        """Name the output node of an interface; None forgets it."""
        slot = 0
        if output_node is not None:
            slot = self._plane.graph.add_next(self._plane.graph.add("interface-output"), output_node)
        self._slots[sw_if_index] = slot

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()


def bind(plane: Dataplane, node: Node) -> None:
    """The table of output nodes."""
    node.data["slots"] = plane.shared(OutputSlots).address


def bind_output(plane: Dataplane, node: Node) -> None:
    """The arc of output features."""
    node.data["arc"] = plane.arcs[ARC].address


INTERFACE_OUTPUT = NodeType(
    name="interface-output",
    kernel=interface_output,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    bind=bind,
    doc=__doc__ or "",
)
OUTPUT = NodeType(
    name="interface-output-template",
    kernel=output,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=OUTPUT_RUNTIME,
    trace=Trace(TRACE, trace, format_trace),
    bind=bind_output,
)
