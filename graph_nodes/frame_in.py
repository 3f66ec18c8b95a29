"""A packet made of bytes that a device shows us: what the input nodes of kernel devices, memif and the like share."""

from __future__ import annotations

from vectorplane.dataplane.abi import WORKER, put
from vectorplane.dataplane.buffer import CELL, DATA, DATA_SIZE, buffer_at, free, take
from vectorplane.dataplane.feature import feature_start
from vectorplane.graph_nodes.packet_source import chain_in, new_head
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import copy, ld32s, ld64, rec, st64


@helper
def frame_in(worker: int, data: int, size: int, sw_if: int, flags: int) -> int:
    """Make a packet of the ``size`` bytes at ``data``, received by an interface now; ``flags`` are the buffer's.

    Gives its buffer's index, -1 when a long packet's further buffers ran out. `reserve` one buffer before. Reads
    exactly ``size`` bytes, so that they may lie at the very end of what is mapped.
    """
    index = take(worker)
    b = rec(worker, WORKER).pool + index * CELL
    new_head(worker, b, size, flags, rec(worker, WORKER).now, sw_if, 0, 0)
    if size <= DATA_SIZE:
        copy(b + DATA, data, size)
    elif chain_in(worker, index, data, size) == 0:
        free(worker, index)
        return -1
    return index


@helper
def send_up(worker: int, frame: int, n: int, index: int, arc: int, sw_if: int, ethernet: int) -> None:
    """Packet ``n`` of an input node's frame is buffer ``index``: to the interface's features, else to ``ethernet``.

    ``arc``: address of the arc device-input; ``ethernet``: the slot of ethernet-input in the node's next table.
    """
    if ld32s(arc + 4 * sw_if) == 0:
        put(frame, n, index, ethernet)
    else:
        put(frame, n, index, feature_start(arc, sw_if, buffer_at(worker, index)))


@helper
def count_received(worker: int, sw_if: int, packets: int, total: int) -> None:
    """Add to the interface's rx counter."""
    c = rec(worker, WORKER).if_rx + 16 * sw_if
    st64(c, ld64(c) + packets)
    st64(c + 8, ld64(c + 8) + total)
