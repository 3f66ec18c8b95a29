"""The graph and its registry: instances, slots shared by siblings, what is refused, nodes of other packages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any

import numpy as np
import pytest

from tests.dataplane.toys import sink, toy
from tests.harness import collector
from vectorplane.dataplane import graph as graph_module
from vectorplane.dataplane import node as node_module
from vectorplane.dataplane.abi import INPUT, POLLING, PYTHON, TERMINAL
from vectorplane.dataplane.node import NodeType, Registry, Trace
from vectorplane.dataplane.plane import Dataplane

RUNTIME = np.dtype([("a", "i8"), ("b", "i4")])


def plain(name: str, *nexts: str, **options: Any) -> NodeType:
    """A node type that is never run."""
    return NodeType(name, kernel=toy, nexts=nexts, **options)


@pytest.fixture
def planes() -> Iterator[list[Dataplane]]:
    """Closes what a test puts in."""
    made: list[Dataplane] = []
    yield made
    for p in made:
        p.close()


def build(planes: list[Dataplane], *types: NodeType, **options: Any) -> Dataplane:
    """A dataplane that is closed after the test."""
    planes.append(Dataplane(types, **options))
    return planes[-1]


def test_nodes_join_when_needed(planes: list[Dataplane]) -> None:
    plane = build(planes, plain("a", "b", "c"), plain("b", "c"), plain("c"), plain("unused"))
    a = plane.graph.add("a")
    assert {n.name for n in plane.graph} == {"a", "b", "c"}
    assert a.next_names() == ["b", "c"]
    assert [int(x) for x in a.nexts[:2]] == [plane.graph["b"].index, plane.graph["c"].index]
    assert plane.graph.add("a") is a and "unused" not in plane.graph


def test_circles_of_next_nodes(planes: list[Dataplane]) -> None:
    plane = build(planes, plain("a", "b"), plain("b", "a", "b"))
    plane.graph.add("a")
    assert plane.graph["b"].next_names() == ["a", "b"]


def test_instances_of_one_type(planes: list[Dataplane]) -> None:
    """Each has a name, an index, runtime data, error counters and next slots of its own."""
    template = plain("template", "drop", runtime=RUNTIME, errors=(("down", "is down"),))
    plane = build(planes, template, plain("tx"), plain("drop"), workers=2)
    one, two = plane.graph.add("pg0-output", "template"), plane.graph.add("pg1-output", "template")
    assert one is not two and one.type is two.type and one.index != two.index
    assert plane.graph.add_next(one, "pg0-tx", "tx") == 1 and plane.graph.add_next(two, "pg1-tx", "tx") == 1
    assert one.next_names() == ["drop", "pg0-tx"] and two.next_names() == ["drop", "pg1-tx"]
    assert plane.graph.add_next(one, "pg0-tx") == 1, "there already"
    one.data["a"] = [1, 2]
    assert [int(x) for x in two.data["a"]] == [0, 0]
    assert one.error_index(0) != two.error_index(0)
    assert plane.graph.error_names[two.error_index(0)] == ("pg1-output", "is down")
    for w in range(2):
        record = one.record(w)
        assert int(record["data"]) == one.data.ctypes.data + w * one.data.dtype.itemsize
        assert int(record["data"]) % 64 == 0, "no line shared between workers"
        assert (int(record["index"]), int(record["n_next"]), int(record["open"])) == (one.index, 2, -1)


def test_siblings_share_slots(planes: list[Dataplane]) -> None:
    plane = build(
        planes, plain("a", "x"), plain("b", "y", sibling_of="a"), plain("x"), plain("y"), plain("z"), plain("w")
    )
    b = plane.graph.add("b")
    a = plane.graph["a"]
    assert a.next_names() == b.next_names() == ["x", "y"]
    assert plane.graph.add_next(a, "z") == plane.graph.add_next(b, "z") == 2
    assert plane.graph.add_next(b, "w") == 3
    assert a.record(0)["nexts"] == b.record(0)["nexts"]
    assert int(a.record(0)["n_next"]) == int(b.record(0)["n_next"]) == 4


def test_a_late_sibling_knows_the_slots(planes: list[Dataplane]) -> None:
    plane = build(planes, plain("a", "x"), plain("b", sibling_of="a"), plain("x"))
    plane.graph.add("a")
    assert int(plane.graph.add("b").record(0)["n_next"]) == 1


def test_nothing_moves(planes: list[Dataplane]) -> None:
    """Next tables, runtime data and records keep their addresses, however many nodes join (rule 4)."""
    plane = build(planes, plain("a", runtime=RUNTIME), *(plain(f"n{i}", runtime=RUNTIME) for i in range(300)))
    a = plane.graph.add("a")
    before = (a.nexts.ctypes.data, a.data.ctypes.data, a.record(0).ctypes.data if hasattr(a.record(0), "ctypes") else 0)
    for i in range(300):
        plane.graph.add_next(a, f"n{i}")
    after = (a.nexts.ctypes.data, a.data.ctypes.data, a.record(0).ctypes.data if hasattr(a.record(0), "ctypes") else 0)
    assert before == after and len(a.slots) == 300
    assert len({n.data.ctypes.data for n in plane.graph}) == 301


def test_unknown_names(planes: list[Dataplane]) -> None:
    plane = build(planes, plain("a", "nowhere"), plain("b", sibling_of="nobody"), plain("c"))
    for name, missing in (("a", "nowhere"), ("b", "nobody"), ("zzz", "zzz")):
        for _ in range(2):  # a failed attempt leaves nothing behind that a second one would take for the node
            with pytest.raises(KeyError, match=missing):
                plane.graph.add(name)
            assert name not in plane.graph
    with pytest.raises(KeyError, match="no node c"):
        plane.graph["c"]
    assert plane.graph.add("c").index == len(plane.graph.nodes) - 1
    with pytest.raises(KeyError, match="nothing"):
        plane.graph.add_next(plane.graph["c"], "nothing")
    assert plane.graph["c"].next_names() == []


def test_too_many_nexts(planes: list[Dataplane], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_module, "MAX_NEXTS", 20)
    plane = build(planes, plain("a"), plain("t"))
    a = plane.graph.add("a")
    for i in range(20):
        plane.graph.add_next(a, f"t{i}", "t")
    with pytest.raises(OverflowError, match="more than"):
        plane.graph.add_next(a, "one too many", "t")


def test_declarations_are_checked() -> None:
    with pytest.raises(TypeError, match="kernel or a Python function"):
        NodeType("n")
    with pytest.raises(TypeError, match="kernel or a Python function"):
        NodeType("n", kernel=toy, python=print)
    with pytest.raises(ValueError, match="unknown kind"):
        NodeType("n", kernel=toy, kind=9)
    with pytest.raises(ValueError, match="room for"):
        Trace(np.dtype([("x", "i8", (21,))]), toy, lambda r, p: "")
    with pytest.raises(ValueError, match="two node types are named a"):
        Registry([plain("a"), plain("a")])
    same = plain("a")
    assert list(Registry([same, same])) == [same]


def test_kinds_and_states(planes: list[Dataplane]) -> None:
    plane = build(
        planes, plain("i", kind=INPUT), NodeType("s", kernel=sink, kind=TERMINAL), NodeType("p", python=print)
    )
    kinds = {n: int(plane.graph.add(n).record(0)["kind"]) for n in ("i", "s", "p")}
    assert kinds == {"i": INPUT, "s": TERMINAL, "p": PYTHON}
    assert int(plane.graph["i"].record(0)["state"]) != POLLING, "polled only when asked to"


def test_link_kernels(planes: list[Dataplane]) -> None:
    plane = build(planes, collector("a"), NodeType("p", python=print))
    a, p = plane.graph.add("a"), plane.graph.add("p")
    plane.graph.link_kernels()
    assert int(a.record(0)["function"]) == a.type.kernel.address != 0  # type: ignore[union-attr]
    assert int(p.record(0)["function"]) == 0


@dataclass(frozen=True)
class Point:
    """What an installed package offers."""

    name: str
    offered: Any

    def load(self) -> Any:
        """Import it."""
        return self.offered


def test_nodes_of_other_packages(planes: list[Dataplane], monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point is a type, several, or a function that gives several."""
    one, two, three, four = (plain(n, "end") for n in ("one", "two", "three", "four"))
    groups = []

    def entry_points(*, group: str) -> list[Point]:
        groups.append(group)
        return [Point("x", one), Point("y", [two, three]), Point("z", lambda: (four,))]

    monkeypatch.setattr(node_module, "entry_points", entry_points)
    plane = build(planes, plain("end"))
    plane.graph.registry.load_entry_points()
    assert groups == ["vectorplane.nodes"]
    assert {t.name for t in plane.graph.registry} == {"end", "one", "two", "three", "four"}
    assert plane.graph.add("four").next_names() == ["end"]


def test_a_real_entry_point(planes: list[Dataplane], monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("mine", "tests.harness:collector", "vectorplane.nodes")
    assert point.load() is collector
    point = EntryPoint("mine", "tests.dataplane.test_graph:OFFERED", "vectorplane.nodes")
    monkeypatch.setattr(node_module, "entry_points", lambda *, group: [point])
    plane = build(planes)
    plane.graph.registry.load_entry_points()
    assert "offered" in plane.graph.registry


OFFERED = plain("offered")
