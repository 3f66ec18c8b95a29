"""Packets led through a graph one by one: each node sees them as it would from the dispatcher."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dataplane.toys import CONSUME, HOLD, RELEASE, REPLICATE, Log, sink_type, toy_type
from vectorplane.dataplane.abi import KEPT
from vectorplane.dataplane.inject import enqueue_packet, make_packet
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.plane import Dataplane
from vectorplane.dataplane.python_node import PythonPacket
from vectorplane.dataplane.stepper import Stepper

RULES = (0, 1, HOLD, CONSUME, REPLICATE, RELEASE, 0, 1)
"""By label: to a; to b; held; freed; itself to a and a copy (the next label) to b; what is held to a, itself to b."""


def to_b(packets: list[PythonPacket]) -> None:
    """A node of plain Python."""
    for packet in packets:
        packet.next, packet.data = "b", packet.data + b"!"


@pytest.fixture
def plane() -> Iterator[Dataplane]:
    python = NodeType("py", python=to_b, nexts=("a", "b"), errors=())
    made = Dataplane([toy_type("toy", ("a", "b"), RULES), sink_type("a"), sink_type("b"), python])
    made.graph.add("toy")
    made.graph.add("py")
    yield made
    made.close()


def put(plane: Dataplane, label: int, node: str = "toy") -> int:
    index = make_packet(plane, b"packet")
    plane.pool.meta[index]["adj"] = label
    enqueue_packet(plane, node, index)
    return index


def named(plane: Dataplane) -> list[tuple[str, list[int]]]:
    return [(plane.graph.nodes[i].name, labels) for i, labels in plane.shared(Log).runs()]


def test_all_that_a_node_can_do(plane: Dataplane) -> None:
    stepper = Stepper(plane)
    buffers = [put(plane, label) for label in range(6)]
    assert [w.buffer for w in stepper.waiting()] == buffers
    taken = stepper.take()
    assert [(w.node.name, w.worker, w.buffer) for w in taken] == [("toy", 0, b) for b in buffers]
    assert stepper.waiting() == []
    # 4 puts itself in a's queue and a copy in b's, 5 lets go of what 2 held
    slots = [stepper.run(packet) for packet in taken]
    assert slots == [0, 1, KEPT, KEPT, KEPT, 1]
    assert named(plane) == [("toy", [label]) for label in range(6)]
    waiting = {(w.node.name, w.buffer) for w in stepper.waiting()}
    assert {("a", buffers[0]), ("b", buffers[1]), ("a", buffers[4]), ("a", buffers[2]), ("b", buffers[5])} < waiting
    assert len(waiting) == 6
    while frame := stepper.take():
        for packet in frame:
            stepper.run(packet)
    ran = named(plane)
    assert all(len(labels) == 1 for _, labels in ran)
    assert sorted(labels[0] for node, labels in ran if node == "a") == [0, 2, 4]
    assert sorted(labels[0] for node, labels in ran if node == "b") == [1, 5, 5]
    assert plane.free_buffers() == plane.pool.count


def test_a_node_of_plain_python(plane: Dataplane) -> None:
    stepper = Stepper(plane)
    index = put(plane, 0, "py")
    (packet,) = stepper.take()
    assert stepper.run(packet) == KEPT
    (waiting,) = stepper.waiting()
    assert (waiting.node.name, waiting.buffer, plane.pool.data(index)) == ("b", index, b"packet!")


def test_the_dispatcher_goes_on_where_the_stepper_stopped(plane: Dataplane) -> None:
    stepper = Stepper(plane)
    for label in (0, 1, 6):
        put(plane, label)
    first, *rest = stepper.take()
    stepper.run(first)
    for packet in rest:
        stepper.run(packet)
    put(plane, 7)
    plane.graph.link_kernels()
    plane.workers[0].dispatch(0)
    named(plane)
    assert plane.free_buffers() == plane.pool.count and stepper.take() == []
