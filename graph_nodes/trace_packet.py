"""The trace records that most nodes share, with the kernels that write them and their texts.

`PACKET`  the bytes that the node sees (`packet_trace` with one of the formats of trace_formats.py)
`BUFFER_TRACE`  the buffer's metadata and its bytes: for nodes at the edges of the graph
`ERROR`  why a packet was dropped, and where it came from

A tracer is a loop over the traced packets of a frame; it never reads outside a packet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import INPUT, NODE, WORKER, buffer_index, frame_n, get_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, NEXT_PRESENT
from vectorplane.dataplane.node import Trace
from vectorplane.dataplane.trace import add_trace, begin_trace, is_traced
from vectorplane.graph_nodes.trace_formats import ethernet_header, hex_bytes, ip4_header, llc_header, snap_header
from vectorplane.jit.kernel import helper, kernel
from vectorplane.jit.ops import copy, offsets, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

PACKET_BYTES = 64
PACKET = np.dtype([("size", "i4"), ("data", "i1", (PACKET_BYTES,))], align=True)
_PACKET_DATA = offsets(PACKET, "data")[0]

BUFFER_BYTES = 112
BUFFER_TRACE = np.dtype(
    [
        ("buffer_index", "i4"),
        ("rx_sw_if_index", "i4"),
        ("length", "i4"),  # of the whole packet
        ("current_data", "i4"),
        ("current_length", "i4"),
        ("rest", "i4"),  # bytes in the buffers behind the first
        ("flags", "i4"),
        ("ref_count", "i4"),
        ("handle", "i4"),
        ("slot", "i4"),  # input nodes: where the packet goes; others: -1
        ("size", "i4"),
        ("data", "i1", (BUFFER_BYTES,)),
    ],
    align=True,
)
_BUFFER_DATA = offsets(BUFFER_TRACE, "data")[0]

ERROR = np.dtype([("sw_if_index", "i4"), ("error", "i4")], align=True)


@helper
def snapshot(to: int, b: int, most: int) -> int:
    """Copy up to ``most`` of the bytes in the packet's first buffer; gives how many."""
    m = rec(b, BUFFER)
    size = max(0, min(int(m.current_length), most))
    copy(to, b + DATA + m.current_data, size)
    return size


@kernel
def trace_packet(worker: int, node: int, frame: int) -> int:
    """A `PACKET` for each traced packet."""
    pool = rec(worker, WORKER).pool
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            b = pool + buffer_index(frame, i) * CELL
            rec(t, PACKET).size = snapshot(t + _PACKET_DATA, b, PACKET_BYTES)
    return n


@kernel
def trace_buffer(worker: int, node: int, frame: int) -> int:
    """A `BUFFER_TRACE` for each traced packet."""
    pool = rec(worker, WORKER).pool
    n = frame_n(frame)
    for i in range(n):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            bi = buffer_index(frame, i)
            b = pool + bi * CELL
            m = rec(b, BUFFER)
            r = rec(t, BUFFER_TRACE)
            r.buffer_index = bi
            r.rx_sw_if_index = m.rx_sw_if
            r.current_data = m.current_data
            r.current_length = m.current_length
            r.rest = m.total_rest if m.flags & NEXT_PRESENT else 0
            r.length = m.current_length + r.rest
            r.flags = m.flags
            r.ref_count = m.ref_count
            r.handle = m.trace
            r.slot = get_next(frame, i) if rec(node, NODE).kind == INPUT else -1
            r.size = snapshot(t + _BUFFER_DATA, b, BUFFER_BYTES)
    return n


@kernel
def trace_error(worker: int, node: int, frame: int) -> int:
    """An `ERROR` for each traced packet."""
    pool = rec(worker, WORKER).pool
    n = frame_n(frame)
    for i in range(n):
        bi = buffer_index(frame, i)
        b = pool + bi * CELL
        if is_traced(b):
            t = add_trace(worker, node, b, bi, -1)
            if t != 0:
                r = rec(t, ERROR)
                r.sw_if_index = rec(b, BUFFER).rx_sw_if
                r.error = rec(b, BUFFER).error
    return n


def kept_bytes(record: Any) -> bytes:
    """The bytes of the packet that a record kept."""
    return bytes(record["data"].tobytes()[: max(0, int(record["size"]))])


def interface_name(plane: Dataplane, sw_if_index: int) -> str:
    """An interface's name; ``DELETED`` when there is none any more."""
    return plane.interfaces.names.get(sw_if_index, "DELETED")


def error_text(record: Any, plane: Dataplane) -> str:
    """``ethernet-input: l3 mac mismatch``."""
    names, error = plane.graph.error_names, int(record["error"])
    return ": ".join(names[error]) if 0 <= error < len(names) else f"error {error}"


def rx_text(record: Any, plane: Dataplane) -> str:
    """``rx:pg0``."""
    return f"rx:{interface_name(plane, int(record['sw_if_index']))}"


_FLAGS = (
    (2, "next-present"),
    (4, "l4-cksum-computed"),
    (8, "l4-cksum-correct"),
    (64, "vlan-2-deep"),
    (32, "vlan-1-deep"),
    (16, "local"),
    (128, "ip4"),
    (1024, "dvr"),
    (256, "offload-ip-cksum"),
    (512, "offload-l4-cksum"),
    (4096, "gso"),
)


def buffer_text(record: Any) -> str:
    """The buffer's metadata, and its flags on a second line when there are any."""
    text = f"current data {record['current_data']}, length {record['current_length']}, buffer-pool 0, "
    text += f"ref-count {record['ref_count']}"
    text += f", totlen-nifb {record['rest']}" if int(record["flags"]) & NEXT_PRESENT else ""
    text += f", trace handle 0x{int(record['handle']):x}"
    flags = " ".join(name for bit, name in _FLAGS if int(record["flags"]) & bit)
    return f"{text}\n{flags}" if flags else text


def next_text(record: Any, node: str, plane: Dataplane) -> str:
    """``next_node ethernet-input``: where the input node ``node`` sent the packet."""
    names = plane.graph[node].next_names() if node in plane.graph else []
    slot = int(record["slot"])
    return f"next_node {names[slot] if 0 <= slot < len(names) else slot}"


def tx_text(record: Any, plane: Dataplane) -> str:
    """A packet that leaves by an interface."""
    return f"  buffer 0x{record['buffer_index']:x}: {buffer_text(record)}\n{ethernet_header(kept_bytes(record))}"


def packet_trace(header: Callable[[bytes], str], *, before: bool = False) -> Trace:
    """The trace of a node that shows a packet from its current position on."""
    return Trace(PACKET, trace_packet, lambda record, plane: header(kept_bytes(record)), before)


ETHERNET_TRACE = packet_trace(lambda data: ethernet_header(data, payload=False), before=True)
LLC_TRACE = packet_trace(llc_header, before=True)
SNAP_TRACE = packet_trace(snap_header, before=True)
HEX_TRACE = packet_trace(hex_bytes, before=True)
IP4_TRACE = packet_trace(ip4_header)
TX_TRACE = Trace(BUFFER_TRACE, trace_buffer, tx_text, before=True)
DROP_TRACE = Trace(ERROR, trace_error, rx_text, before=True, second=("drop", error_text))
PUNT_TRACE = Trace(ERROR, trace_error, rx_text, before=True, second=("punt", error_text))
NULL_TRACE = Trace(ERROR, trace_error, error_text, before=True)
