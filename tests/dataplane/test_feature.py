"""Feature arcs: the order that constraints ask for, chains an interface, and packets on their way when one changes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.harness import COLLECTOR, collect
from vectorplane.dataplane.abi import NODE, TERMINAL, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, buffer_at
from vectorplane.dataplane.feature import ArcType, Feature, FeatureArc, feature_next, feature_start, ordered
from vectorplane.dataplane.graph import Node
from vectorplane.dataplane.inject import enqueue_packet, free_packet, make_packet
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.plane import Dataplane
from vectorplane.jit.kernel import kernel
from vectorplane.jit.ops import rec

ARC = np.dtype([("arc", "i8")])
MARK = np.dtype([("arc", "i8"), ("digit", "i8")])


@kernel
def begin(worker: int, node: int, frame: int) -> int:
    """Starts the arc; without features its slot 0 is the arc's end."""
    arc = rec(rec(node, NODE).data, ARC).arc
    n = frame_n(frame)
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        slot = feature_start(arc, rec(b, BUFFER).rx_sw_if, b)
        set_next(frame, i, slot if slot >= 0 else 0)
    return n


@kernel
def mark(worker: int, node: int, frame: int) -> int:
    """A feature: writes its digit behind those before (in `adj`), goes on along the chain."""
    r = rec(rec(node, NODE).data, MARK)
    n = frame_n(frame)
    for i in range(n):
        b = buffer_at(worker, buffer_index(frame, i))
        m = rec(b, BUFFER)
        m.adj = m.adj * 10 + r.digit
        set_next(frame, i, feature_next(r.arc, b))
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The arc, and the digit in the node's name."""
    node.data["arc"] = plane.arcs["arc"].address
    if "digit" in (node.data.dtype.names or ()):
        node.data["digit"] = int(node.name[1:])


def start_type(name: str = "start", *nexts: str, sibling: str | None = None) -> NodeType:
    """A node that starts the arc."""
    return NodeType(name, kernel=begin, nexts=("end", *nexts), runtime=ARC, bind=bind, sibling_of=sibling)


def feature_type(digit: int, before: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> NodeType:
    """The feature that writes this digit."""
    feature = Feature("arc", before, after)
    return NodeType(f"f{digit}", kernel=mark, nexts=("drop",), runtime=MARK, bind=bind, features=(feature,))


END = NodeType("end", kernel=collect, kind=TERMINAL, runtime=COLLECTOR)
DROP = NodeType("drop", kernel=collect, kind=TERMINAL, runtime=COLLECTOR)


class Arcs:
    """A dataplane with one arc."""

    def __init__(self, *features: NodeType, starts: tuple[NodeType, ...] = (start_type(),)) -> None:
        arc = ArcType("arc", tuple(s.name for s in starts), "end")
        self.plane = Dataplane([*starts, *features, END, DROP], [arc])
        for i in range(4):
            self.plane.add_interface(f"if{i}")
        for s in starts:
            self.plane.graph.add(s.name)
        self.arc = self.plane.arcs["arc"]

    def put(self, interface: int, start: str = "start") -> int:
        """A packet of that interface waits at the start."""
        index = make_packet(self.plane, b"x")
        self.plane.pool.meta[index]["rx_sw_if"] = interface
        enqueue_packet(self.plane, start, index)
        return index

    def run(self) -> list[int]:
        """Run; the digits that each packet collected, in the order of arrival at the end."""
        self.plane.graph.link_kernels()
        self.plane.workers[0].dispatch(0)
        data = self.plane.graph["end"].data[0]
        found = []
        for index in data["bi"][: int(data["count"])]:
            found.append(int(self.plane.pool.meta[int(index)]["adj"]))
            free_packet(self.plane, int(index))
        data["count"] = 0
        return found

    def one(self, interface: int, start: str = "start") -> int:
        """The digits of one packet."""
        self.put(interface, start)
        (found,) = self.run()
        return found


@pytest.fixture
def made() -> Iterator[list[Arcs]]:
    """Closes what a test puts in."""
    arcs: list[Arcs] = []
    yield arcs
    for a in arcs:
        a.plane.close()


def build(made: list[Arcs], *features: NodeType, starts: tuple[NodeType, ...] = (start_type(),)) -> Arcs:
    """Closed after the test."""
    made.append(Arcs(*features, starts=starts))
    return made[-1]


@st.composite
def constraints(draw: st.DrawFn) -> dict[str, Feature]:
    """Features whose constraints a hidden order satisfies; some name features that do not exist."""
    order = draw(st.permutations([f"f{i}" for i in range(draw(st.integers(1, 7)))]))
    features = {}
    for i, name in enumerate(order):
        before = draw(st.lists(st.sampled_from([*order[i + 1 :], "ghost", "end"]), max_size=3))
        after = draw(st.lists(st.sampled_from([*order[:i], "ghost"]), max_size=3))
        features[name] = Feature("arc", tuple(before), tuple(after))
    return features


@examples(60)
@given(features=constraints())
def test_order_obeys_every_constraint(features: dict[str, Feature]) -> None:
    order = ordered(features, "end")
    assert sorted(order) == sorted(features)
    for name, f in features.items():
        assert all(order.index(name) < order.index(x) for x in f.before if x in features)
        assert all(order.index(x) < order.index(name) for x in f.after if x in features)
    assert ordered(dict(reversed(features.items())), "end") == order, "not the order of declaration"


def test_free_choices_are_alphabetical() -> None:
    assert ordered({n: Feature("arc") for n in ("c", "a", "b")}, "end") == ["a", "b", "c"]


@pytest.mark.parametrize(
    "features",
    [
        {"a": Feature("arc", before=("b",)), "b": Feature("arc", before=("a",))},
        {"a": Feature("arc", before=("b",), after=("b",)), "b": Feature("arc")},
        {"a": Feature("arc", before=("b",)), "b": Feature("arc", before=("c",)), "c": Feature("arc", before=("a",))},
        {"a": Feature("arc", after=("a",))},
    ],
)
def test_circles_are_refused(features: dict[str, Feature]) -> None:
    with pytest.raises(ValueError, match="each want to run before"):
        ordered(features, "end")


def test_circle_in_a_dataplane() -> None:
    with pytest.raises(ValueError, match="f1, f2"):
        Arcs(feature_type(1, before=("f2",)), feature_type(2, before=("f1",)))


def test_chains_per_interface(made: list[Arcs]) -> None:
    a = build(made, feature_type(1, after=("f2",)), feature_type(2, after=("f3",)), feature_type(3))
    assert a.arc.order == ["f3", "f2", "f1"]
    assert a.one(1) == 0, "no features: straight to the end"
    a.arc.enable(1, "f1")
    a.arc.enable(1, "f3")
    a.arc.enable(2, "f2")
    assert (a.one(1), a.one(2), a.one(3)) == (31, 2, 0)
    assert a.arc.chain(1) == ["f3", "f1"] and a.arc.chain(3) == []
    a.arc.enable(1, "f2")
    assert a.one(1) == 321
    a.arc.enable(1, "f3", False)
    a.arc.enable(1, "f1", False)
    assert (a.one(1), a.one(2)) == (2, 2)
    a.arc.enable(1, "f2", False)
    assert (a.one(1), a.one(2)) == (0, 2)


def test_enabling_is_counted(made: list[Arcs]) -> None:
    """As in VPP: on twice needs off twice. Off without on is nothing."""
    a = build(made, feature_type(1))
    a.arc.enable(1, "f1")
    a.arc.enable(1, "f1")
    a.arc.enable(1, "f1", False)
    assert a.one(1) == 1
    a.arc.enable(1, "f1", False)
    assert a.one(1) == 0
    a.arc.enable(1, "f1", False)
    a.arc.enable(1, "f1")
    assert a.one(1) == 1
    with pytest.raises(KeyError, match="no feature zzz"):
        a.arc.enable(1, "zzz")


def test_packets_under_way_finish_on_the_old_chain(made: list[Arcs]) -> None:
    """The chain changes while packets stand between two features, and memory of old chains is not used too soon."""
    a = build(made, feature_type(1), feature_type(2), feature_type(3))
    for name in ("f1", "f2", "f3"):
        a.arc.enable(1, name)
    # a packet as it is between f1 and f2: it waits for f2, its cursor stands on the old run
    start = int(a.arc._words[1])
    packet = make_packet(a.plane, b"x")
    a.plane.pool.meta[packet]["config_index"] = start + 2
    a.plane.pool.meta[packet]["adj"] = 1
    a.plane.epochs.enter(0)
    for name in ("f2", "f1", "f3"):
        a.arc.enable(1, name, False)
    for interface in (2, 3):
        for name in ("f1", "f2", "f3"):
            a.arc.enable(interface, name)
    a.plane.epochs.poll()
    enqueue_packet(a.plane, "f2", packet)
    assert a.run() == [123]
    a.plane.epochs.poll()
    assert (a.one(1), a.one(2), a.one(3)) == (0, 123, 123)


def test_old_runs_are_used_again(made: list[Arcs]) -> None:
    """Switching on and off for ever takes no more memory."""
    a = build(made, feature_type(1), feature_type(2))
    for _ in range(50):
        for on in (True, False):
            a.arc.enable(1, "f1", on)
            a.arc.enable(1, "f2", on)
        a.plane.epochs.poll()
    assert a.arc._top < 65536 + 40


def test_siblings_start_the_same_arc(made: list[Arcs]) -> None:
    a = build(made, feature_type(1), starts=(start_type(), start_type("other", sibling="start")))
    a.arc.enable(1, "f1")
    assert (a.one(1), a.one(1, "other")) == (1, 1)


def test_starts_that_are_no_siblings(made: list[Arcs]) -> None:
    """Input nodes start device-input each with next nodes of their own: the chain's first slot is right for all."""
    a = build(made, feature_type(1), feature_type(2), starts=(start_type(), start_type("other", "drop", "f2")))
    a.arc.enable(1, "f1")
    assert (a.one(1), a.one(1, "other")) == (1, 1)
    a.arc.enable(1, "f2")
    a.arc.enable(1, "f1", False)
    assert (a.one(1), a.one(1, "other")) == (2, 2)
    assert (a.one(2), a.one(2, "other")) == (0, 0)


def test_features_of_nodes_that_come_later(made: list[Arcs]) -> None:
    """Other packages' nodes are loaded after the dataplane was made."""
    a = build(made, feature_type(2))
    a.plane.graph.registry.add(feature_type(1, before=("f2",)))
    a.arc.enable(1, "f2")
    a.arc.enable(1, "f1")
    assert a.one(1) == 12
    assert isinstance(a.arc, FeatureArc)
