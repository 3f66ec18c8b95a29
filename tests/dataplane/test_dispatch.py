"""The node ABI and the dispatcher (rule 3): every shape that a node can have, order, counters, time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.dataplane.toys import CONSUME, HOLD, RELEASE, REPLICATE, Log, sink_type, source_type, toy_type
from tests.naive.dispatcher import Dispatcher
from vectorplane.dataplane.abi import ATTENTION, DEADLINE, FAST, IDLE, POLLING, ROUNDS, STOPPED, VIRTUAL
from vectorplane.dataplane.inject import enqueue_packet, make_packet
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.plane import Dataplane
from vectorplane.jit.kernel import JIT


class Toys:
    """A dataplane of toy nodes."""

    def __init__(self, *types: NodeType, buffers: int = 4096) -> None:
        self.plane = Dataplane(types, buffers=buffers)
        for t in types:
            self.plane.graph.add(t.name)
        self.worker = self.plane.workers[0]
        self.plane.graph.link_kernels()

    def send(self, node: str, labels: Sequence[int]) -> None:
        """Packets with these labels wait for a node."""
        for label in labels:
            index = make_packet(self.plane, b"")
            self.plane.pool.meta[index]["adj"] = label
            enqueue_packet(self.plane, node, index)

    def poll(self, node: str, packets: int, *, slots: int = 1, step: int = 0, first: int = 0) -> None:
        """An input node has packets."""
        made = self.plane.graph[node]
        made.data["left"], made.data["slots"], made.data["step"] = packets, slots, step
        made.record(0)["next_time"] = first
        made.record(0)["state"] = POLLING
        self.worker.add_input(made.index)

    def runs(self) -> list[tuple[str, list[int]]]:
        """(node, labels) of each run since the last call."""
        return [(self.plane.graph.nodes[i].name, labels) for i, labels in self.plane.shared(Log).runs()]

    def counter(self, name: str, node: str) -> int:
        """One of the node counters."""
        return int(self.plane.node_stats[name].total(self.plane.graph[node].index))

    def used(self) -> int:
        """Buffers that are not free."""
        return self.plane.pool.count - self.plane.free_buffers()

    def frames_are_back(self) -> bool:
        """All frames are free, each once, and no node thinks that one is open."""
        from vectorplane.dataplane.frame import FRAMES

        free = self.worker.memory(int(self.worker.record["free_frames"]), "i4", FRAMES)  # type: ignore[arg-type]
        whole = int(self.worker.record["free_frames_n"]) == FRAMES
        return whole and len(set(free.tolist())) == FRAMES and all(n.record(0)["open"] == -1 for n in self.plane.graph)

    def close(self) -> None:
        """Give the memory back."""
        self.plane.close()


@pytest.fixture
def made() -> Iterator[list[Toys]]:
    """Closes what a test puts in."""
    toys: list[Toys] = []
    yield toys
    for t in toys:
        assert t.frames_are_back()
        t.close()


def build(made: list[Toys], *types: NodeType, buffers: int = 4096) -> Toys:
    """A dataplane that is closed after the test."""
    made.append(Toys(*types, buffers=buffers))
    return made[-1]


def test_one_to_one_hands_the_frame_over(made: list[Toys]) -> None:
    """256 packets, four nodes: one call each, with all 256 in order."""
    chain = [toy_type("a", ["b"]), toy_type("b", ["c"]), toy_type("c", ["end"]), sink_type("end")]
    t = build(made, *chain)
    labels = list(range(256))
    t.send("a", labels)
    t.worker.dispatch(0)
    assert t.runs() == [("a", labels), ("b", labels), ("c", labels), ("end", labels)]
    for name in ("a", "b", "c", "end"):
        assert (t.counter("calls", name), t.counter("vectors", name)) == (1, 256)
        assert t.counter("clocks", name) > 0
    assert t.used() == 0


def test_vectors_stay_full_from_an_input_node(made: list[Toys]) -> None:
    t = build(made, source_type("in", ["a"]), toy_type("a", ["end"]), sink_type("end"))
    t.worker.record["clock"] = FAST
    t.poll("in", 256 * 10)
    assert t.worker.dispatch() == IDLE
    for name in ("in", "a", "end"):
        assert (t.counter("calls", name), t.counter("vectors", name)) == (10, 2560)
    assert int(t.worker.record["rounds"]) >= 10 and int(t.worker.record["dispatch_clocks"]) > 0


def test_mixed_nexts_keep_their_order(made: list[Toys]) -> None:
    t = build(
        made,
        toy_type("a", ["x", "y", "z"], [0, 1, 2, 0, 1, 2, 2, 1]),
        *(sink_type(n) for n in ("x", "y", "z")),
    )
    t.send("a", range(256))
    t.worker.dispatch(0)
    runs = t.runs()
    assert [n for n, _ in runs] == ["a", "x", "y", "z"], "in the order in which they got their first packet"
    assert dict(runs[1:]) == {
        "x": [i for i in range(256) if i % 8 in (0, 3)],
        "y": [i for i in range(256) if i % 8 in (1, 4, 7)],
        "z": [i for i in range(256) if i % 8 in (2, 5, 6)],
    }


def test_one_to_many_spills_into_further_frames(made: list[Toys]) -> None:
    """Three replicating nodes: 256 packets become 2,048, in full frames, none lost."""
    copies = [toy_type(f"c{i}", [f"c{i + 1}" if i < 2 else "end"], [REPLICATE] * 8) for i in range(3)]
    t = build(made, *copies, sink_type("end"))
    t.send("c0", range(256))
    t.worker.dispatch(0)
    runs = t.runs()
    assert [len(p) for n, p in runs if n == "end"] == [256] * 8
    flat = sorted(p for n, ps in runs if n == "end" for p in ps)
    expected = sorted(i + k for i in range(256) for k in (0, 1, 1, 1, 2, 2, 2, 3))
    assert flat == expected and t.used() == 0


def test_hold_and_release_later(made: list[Toys]) -> None:
    """Seven of eight are held (many to one, reassembly); the eighth releases them, in a later dispatch too."""
    t = build(made, toy_type("h", ["end"], [HOLD] * 7 + [RELEASE]), sink_type("end"))
    t.send("h", [0, 1, 2])
    t.worker.dispatch(0)
    assert t.runs() == [("h", [0, 1, 2])] and t.used() == 3
    t.send("h", [3, 7])
    t.worker.dispatch(0)
    assert t.runs() == [("h", [3, 7]), ("end", [0, 1, 2, 3, 7])] and t.used() == 0


def test_a_whole_frame_kept(made: list[Toys]) -> None:
    t = build(made, toy_type("h", ["end"], [CONSUME] * 8), sink_type("end"))
    t.send("h", range(100))
    t.worker.dispatch(0)
    assert t.runs() == [("h", list(range(100)))] and t.used() == 0


def test_the_queue_decides_not_the_number(made: list[Toys]) -> None:
    """First in, first out: the node with the higher number runs first when its packets came first."""
    t = build(
        made,
        sink_type("late"),
        sink_type("early"),
        toy_type("a", ["early", "late"], [0, 1] * 4),
    )
    assert t.plane.graph["late"].index < t.plane.graph["early"].index < t.plane.graph["a"].index
    t.send("a", [0, 1])
    t.worker.dispatch(0)
    assert [n for n, _ in t.runs()] == ["a", "early", "late"]
    t.send("a", [1, 0])
    t.worker.dispatch(0)
    assert [n for n, _ in t.runs()] == ["a", "late", "early"]


def test_packets_join_the_frame_that_waits(made: list[Toys]) -> None:
    """Two nodes send to a third before it runs: one call, first come first."""
    t = build(made, toy_type("a", ["c"]), toy_type("b", ["c"]), toy_type("c", ["end"]), sink_type("end"))
    t.send("a", [1, 2])
    t.send("b", [3])
    t.worker.dispatch(0)
    assert t.runs() == [("a", [1, 2]), ("b", [3]), ("c", [1, 2, 3]), ("end", [1, 2, 3])]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[int], list[list[int]], list[list[int]], list[list[int]]]:
    """Numbers for nodes in topological order, next nodes, rules, and what is sent to the first node in turns."""
    n = draw(st.integers(2, 6))
    numbers = draw(st.permutations(range(n)))
    nexts: list[list[int]] = [[] for _ in range(n)]
    rules: list[list[int]] = [[] for _ in range(n)]
    copies = 0
    for position, number in enumerate(numbers[:-1]):
        later = numbers[position + 1 :]
        nexts[number] = draw(st.lists(st.sampled_from(later), min_size=1, max_size=4, unique=True))
        actions = [*range(len(nexts[number])), HOLD, CONSUME, RELEASE, *([REPLICATE] if copies < 3 else [])]
        rules[number] = draw(st.lists(st.sampled_from(actions), min_size=8, max_size=8))
        copies += REPLICATE in rules[number]
    most = 600 if JIT else 40
    lengths = st.one_of(st.integers(1, 12), st.sampled_from([255, 256, 257, most]))
    bursts = draw(st.lists(lengths, min_size=1, max_size=3))
    first = st.integers(0, 7)
    sent = [[draw(first) + (k if draw(st.booleans()) else 0) for k in range(min(b, 24))] for b in bursts]
    sent = [(s * (b // len(s) + 1))[:b] for s, b in zip(sent, bursts, strict=True)]
    return list(numbers), nexts, rules, sent


@examples(48)
@given(made=graphs())
def test_random_graphs(made: tuple[list[int], list[list[int]], list[list[int]], list[list[int]]]) -> None:
    """Every run of every node, with its packets in order, is what the naive dispatcher says."""
    numbers, nexts, rules, sent = made
    last = numbers[-1]
    types = [
        sink_type(f"n{i}") if i == last else toy_type(f"n{i}", [f"n{k}" for k in nexts[i]], rules[i])
        for i in range(len(numbers))
    ]
    # node i of the graph is number i: the type names alone are registered first
    toys = Toys.__new__(Toys)
    toys.plane = Dataplane(types, buffers=8192)
    for i in range(len(numbers)):
        toys.plane.graph.add(f"n{i}")
    toys.worker = toys.plane.workers[0]
    toys.plane.graph.link_kernels()
    naive = Dispatcher(nexts, rules)
    naive.rules[last] = [CONSUME] * 8
    try:
        for labels in sent:
            toys.send(f"n{numbers[0]}", labels)
            toys.worker.dispatch(0)
            for label in labels:
                naive.enqueue(numbers[0], label)
            naive.run()
            expected = [(f"n{node}", packets) for node, packets in naive.log]
            naive.log.clear()
            assert toys.runs() == expected
        assert toys.used() == sum(len(h) for h in naive.held.values())
        assert toys.frames_are_back()
    finally:
        toys.close()


def test_why_dispatch_returns(made: list[Toys]) -> None:
    t = build(made, source_type("in", ["end"]), sink_type("end"))
    t.worker.record["clock"] = VIRTUAL
    t.poll("in", 1000, step=10, first=5)
    t.worker.record["deadline"] = 4
    assert t.worker.dispatch() == DEADLINE and t.runs() == []
    t.worker.record["deadline"] = 5 + 10 * 99
    assert t.worker.dispatch() == DEADLINE
    assert t.counter("vectors", "in") == 100, "those due by the deadline, that at it included"
    t.worker.record["vector_size"] = 7
    t.worker.record["deadline"] = (1 << 63) - 1
    assert t.worker.dispatch(3) == ROUNDS and t.counter("vectors", "in") == 121
    t.worker.record["stop"] = 1
    assert t.worker.dispatch() == STOPPED and t.counter("vectors", "in") == 121
    t.worker.record["stop"], t.worker.record["attention"] = 0, 1
    assert t.worker.dispatch() == ATTENTION
    t.worker.record["attention"] = 0
    assert t.worker.dispatch() == IDLE and t.counter("vectors", "in") == 1000
    assert t.worker.dispatch() == IDLE


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_two_inputs_merge_by_time_whatever_the_vector_size(made: list[Toys], order: tuple[str, str]) -> None:
    """Packets of two input nodes in the order of their times; equal times in the order of the nodes."""
    results = []
    for size in (1, 3, 256):
        t = build(made, source_type("one", ["a"]), source_type("two", ["b"]), sink_type("a"), sink_type("b"))
        t.worker.record["clock"], t.worker.record["vector_size"] = VIRTUAL, size
        for name in order:
            t.poll(name, 30, step=6 if name == "one" else 4, first=0 if name == "one" else 2)
        assert t.worker.dispatch() == IDLE
        results.append([(node, label) for node, labels in t.runs() for label in labels])
    step = {"a": (0, 6), "b": (2, 4)}
    rank = {"a": order.index("one"), "b": order.index("two")}
    every = [(step[n][0] + step[n][1] * k, rank[n], n, k) for n in "ab" for k in range(30)]
    expected = [(n, k) for _, _, n, k in sorted(every)]
    assert results == [expected] * 3
