"""Nodes written in plain Python (with scapy, say): the dispatcher hands their frames up and goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vectorplane.dataplane.buffer import CELL, DATA, DATA_SIZE, META, NEXT_PRESENT
from vectorplane.dataplane.inject import enqueue_packet, free_packet

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane
    from vectorplane.dataplane.worker import Worker


@dataclass
class PythonPacket:
    """A packet in the hands of a Python node.

    ``data`` may be replaced (up to 2,048 bytes); ``next`` is the name of the next node, at first the node's
    first one; ``error`` is the code of one of the node's errors and matters when it goes to a drop node.
    """

    data: bytes
    time: int
    rx_sw_if: int
    tx_sw_if: int
    next: str
    error: int = 0


def run_python_node(plane: Dataplane, worker: Worker) -> None:
    """Run the frame that `dispatch` handed up through its node's Python function.

    Raises:
        ValueError: the function gave a packet more than 2,048 bytes, or a next that the node does not have.
    """
    from vectorplane.dataplane.frame_view import take_frame

    node_index, indices = take_frame(worker)
    node = plane.graph.nodes[node_index]
    names = node.next_names()
    meta = plane.pool.meta
    packets = [
        PythonPacket(
            plane.pool.data(i), int(meta[i]["time"]), int(meta[i]["rx_sw_if"]), int(meta[i]["tx_sw_if"]), names[0]
        )
        for i in indices
    ]
    before = [p.data for p in packets]
    assert node.type.python is not None
    w = worker.index
    try:
        node.type.python(packets)
        _check(plane, node, indices, packets, before)
    except BaseException:
        for index in indices:
            free_packet(plane, index, w)
        raise
    plane.node_stats["calls"].thread(w)[node.index] += 1
    plane.node_stats["vectors"].thread(w)[node.index] += len(indices)
    for index, packet, old in zip(indices, packets, before, strict=True):
        if packet.data != old:
            _store(plane, index, packet.data)
        meta[index]["tx_sw_if"] = packet.tx_sw_if
        meta[index]["error"] = node.error_index(packet.error)
        enqueue_packet(plane, packet.next, index, w)


def _check(plane: Dataplane, node: Node, indices: list[int], packets: list[PythonPacket], before: list[bytes]) -> None:
    for index, packet, old in zip(indices, packets, before, strict=True):
        if packet.next not in node.slots:
            raise ValueError(f"node {node.name} sent a packet to {packet.next}, which is not one of its next nodes")
        chained = int(plane.pool.meta[index]["flags"]) & NEXT_PRESENT
        if packet.data != old and (len(packet.data) > DATA_SIZE or chained):
            raise ValueError(f"node {node.name}: a replaced packet may have at most {DATA_SIZE} bytes in one buffer")


def _store(plane: Dataplane, index: int, data: bytes) -> None:
    meta = plane.pool.meta[index]
    meta["current_data"], meta["current_length"] = 0, len(data)
    start = index * CELL + META + DATA
    plane.pool.bytes[start : start + len(data)] = memoryview(data)
