"""Nodes of plain Python: the dispatcher hands their frames up and goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.harness import collector
from vectorplane.dataplane.abi import IDLE, PYTHON_NODE
from vectorplane.dataplane.inject import enqueue_packet, make_packet
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.plane import Dataplane
from vectorplane.dataplane.python_node import PythonPacket, run_python_node

Function = Callable[[list[PythonPacket]], None]


class Bed:
    """A Python node between compiled ones."""

    def __init__(self, function: Function) -> None:
        errors = (("zero", "none"), ("odd", "odd length"))
        node = NodeType("py", python=function, nexts=("one", "two"), errors=errors)
        self.plane = Dataplane([collector("one"), collector("two"), node])
        self.plane.graph.add("py")
        self.plane.graph.link_kernels()
        self.worker = self.plane.workers[0]

    def run(self, packets: list[bytes]) -> dict[str, list[bytes]]:
        """Send packets through; what the nodes behind it got."""
        for k, data in enumerate(packets):
            index = make_packet(self.plane, data)
            meta = self.plane.pool.meta[index]
            meta["rx_sw_if"], meta["time"] = k, 1000 + k
            enqueue_packet(self.plane, "py", index)
        reasons = []
        while True:
            reasons.append(self.worker.dispatch(1))
            if reasons[-1] != PYTHON_NODE:
                break
            run_python_node(self.plane, self.worker)
        assert reasons == [PYTHON_NODE] * (len(reasons) - 1) + [IDLE]
        got = {}
        for name in ("one", "two"):
            data = self.plane.graph[name].data[0]
            self.indices = [int(i) for i in data["bi"][: int(data["count"])]]
            got[name] = [self.plane.pool.data(i) for i in self.indices]
            data["count"] = 0
        return got


@pytest.fixture
def beds() -> Iterator[list[Bed]]:
    """Closes what a test puts in."""
    made: list[Bed] = []
    yield made
    for b in made:
        b.plane.close()


def build(beds: list[Bed], function: Function) -> Bed:
    """Closed after the test."""
    beds.append(Bed(function))
    return beds[-1]


def test_passes_on_in_order(beds: list[Bed]) -> None:
    seen: list[PythonPacket] = []
    bed = build(beds, seen.extend)
    packets = [bytes([i]) * (i + 1) for i in range(5)]
    assert bed.run(packets) == {"one": packets, "two": []}
    assert [(p.data, p.time, p.rx_sw_if, p.tx_sw_if, p.next) for p in seen] == [
        (data, 1000 + k, k, -1, "one") for k, data in enumerate(packets)
    ]
    index = bed.plane.graph["py"].index
    assert int(bed.plane.node_stats["calls"].total(index)) == 1
    assert int(bed.plane.node_stats["vectors"].total(index)) == 5


def test_more_than_a_frame(beds: list[Bed]) -> None:
    sizes: list[int] = []
    bed = build(beds, lambda packets: sizes.append(len(packets)))
    assert len(bed.run([b"x"] * 600)["one"]) == 600 and sizes == [256, 256, 88]


def test_chooses_next_data_interface_and_error(beds: list[Bed]) -> None:
    def function(packets: list[PythonPacket]) -> None:
        for p in packets:
            if len(p.data) % 2:
                p.next, p.error, p.tx_sw_if = "two", 1, 3
            else:
                p.data = p.data.upper() + b"!"

    bed = build(beds, function)
    assert bed.run([b"ab", b"abc", b""]) == {"one": [b"AB!", b"!"], "two": [b"abc"]}


def test_errors_and_interfaces_are_kept(beds: list[Bed]) -> None:
    def function(packets: list[PythonPacket]) -> None:
        for p in packets:
            p.next, p.error, p.tx_sw_if = "two", 1, 3

    bed = build(beds, function)
    assert bed.run([b"abc"])["two"] == [b"abc"]
    meta = bed.plane.pool.meta[bed.indices[0]]
    assert int(meta["error"]) == bed.plane.graph["py"].error_index(1) and int(meta["tx_sw_if"]) == 3


@pytest.mark.parametrize("data", [b"", b"y", b"y" * 2048])
def test_replaced_data(beds: list[Bed], data: bytes) -> None:
    def function(packets: list[PythonPacket]) -> None:
        packets[1].data = data

    bed = build(beds, function)
    assert bed.run([b"one", b"two", b"three"])["one"] == [b"one", data, b"three"]


def test_chains_are_seen_whole(beds: list[Bed]) -> None:
    long = bytes(range(256)) * 20
    bed = build(beds, lambda packets: None)
    assert bed.run([long])["one"] == [long]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"next": "three"}, "to three, which is not one of its next nodes"),
        ({"data": bytes(2049)}, "at most 2048 bytes"),
    ],
)
def test_mistakes_are_value_errors(beds: list[Bed], change: dict[str, object], message: str) -> None:
    def function(packets: list[PythonPacket]) -> None:
        for name, value in change.items():
            setattr(packets[0], name, value)

    bed = build(beds, function)
    with pytest.raises(ValueError, match=message):
        bed.run([b"abc"])
