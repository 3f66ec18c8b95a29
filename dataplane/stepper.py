"""Runs the packets of a graph one by one and node by node, so that what each node does can be looked at.

What waits for a node is taken from the workers' queues; `run` lets one packet through its node, in a frame of its own.
Nothing is polled and no event is handled. No worker may be dispatching.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import F_NODE, F_NX, KEPT, PYTHON, WORKER
from vectorplane.dataplane.dispatch import run_node
from vectorplane.dataplane.frame import QUEUE, append, frame_at, new_frame
from vectorplane.dataplane.frame_view import take_frame
from vectorplane.dataplane.python_node import run_python_node
from vectorplane.jit.kernel import compiled
from vectorplane.jit.ops import cycles, ld16s, rec, st16, st32

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane


@compiled
def _frame_of(worker: int, node: int, bi: int) -> int:
    """The number of a new frame for node ``node`` (an index) that holds packet ``bi`` alone."""
    number = new_frame(worker)
    frame = frame_at(worker, number)
    append(frame, bi)
    st32(frame + F_NODE, node)
    st16(frame + F_NX, KEPT)
    return number


@compiled
def _run(worker: int, node: int, number: int) -> int:
    """Run the frame; gives the slot that its packet was given."""
    rec(worker, WORKER).last_cycles = cycles()
    run_node(worker, node, number)
    return ld16s(frame_at(worker, number) + F_NX)


@dataclass(frozen=True)
class Waiting:
    """A packet that waits for a node."""

    worker: int
    node: Node
    buffer: int


class Stepper:
    """The packets under way in one dataplane."""

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane

    def waiting(self) -> list[Waiting]:
        """All packets that wait, in the order in which they will be run."""
        found = []
        for worker in self._plane.workers:
            r = worker.record
            pending = worker.memory(int(r["pending"]), np.dtype("i4"), QUEUE)
            for at in range(int(r["head"]), int(r["tail"])):
                frame = worker.frames[int(pending[at & (QUEUE - 1)])]
                node = self._plane.graph.nodes[int(frame["node"])]
                found += [Waiting(worker.index, node, int(bi)) for bi in frame["bi"][: int(frame["n"])]]
        return found

    def take(self) -> list[Waiting]:
        """The packets of the frame that is next, which no longer wait; none: nothing is under way."""
        for worker in self._plane.workers:
            r: Any = worker.record
            if int(r["head"]) == int(r["tail"]):
                continue
            pending = worker.memory(int(r["pending"]), np.dtype("i4"), QUEUE)
            number = int(pending[int(r["head"]) & (QUEUE - 1)])
            r["head"] += 1
            node = self._plane.graph.nodes[int(worker.frames[number]["node"])]
            record = node.record(worker.index)
            if int(record["open"]) == number:
                record["open"] = -1
            r["python_frame"] = number
            return [Waiting(worker.index, node, bi) for bi in take_frame(worker)[1]]
        return []

    def run(self, packet: Waiting) -> int:
        """Let the node work on a packet that was taken; gives the slot of its next, or `KEPT`."""
        plane, node = self._plane, packet.node
        worker = plane.workers[packet.worker]
        number = _frame_of(worker.address, node.index, packet.buffer)
        record = node.record(worker.index)
        if int(record["kind"]) == PYTHON:
            worker.record["python_frame"] = number
            run_python_node(plane, worker)
            return KEPT
        if not int(record["function"]):
            plane.graph.link_kernels([node])
        return _run(worker.address, node.index, number)
