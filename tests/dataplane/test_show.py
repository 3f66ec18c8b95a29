"""What ``show`` prints, as data and as text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests import golden
from tests.dataplane.small_router import Router, udp
from vectorplane.dataplane import show
from vectorplane.dataplane.abi import INPUT, TERMINAL
from vectorplane.dataplane.feature import ArcType, Feature
from vectorplane.dataplane.graphviz import dot, quoted
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.plane import Dataplane
from vectorplane.dataplane.show.columns import centre, scientific
from vectorplane.graph_nodes.drop import error_drop, pass_on

PACKETS = [udp()] * 20 + [udp("11.0.0.1"), udp(mac="02fe00000009"), udp()[:10]]


@pytest.fixture(scope="module")
def router() -> Iterator[Router]:
    """Two workers; the first one has forwarded 20 packets and dropped 3, the second one has forwarded 5."""
    made = Router(workers=2)
    made.run(PACKETS)
    made.run([udp()] * 5, worker=1)
    yield made
    made.close()


@pytest.fixture(scope="module")
def tiny() -> Iterator[Dataplane]:
    """Three nodes, an arc with a feature, two interfaces; nothing has run."""
    types = [
        NodeType("in", pass_on, INPUT, nexts=("middle",), doc="Packets come in.\n\nHere."),
        NodeType("middle", pass_on, nexts=("end", "in"), errors=(("bad", "bad packet"), ("worse", "worse packet"))),
        NodeType("twin", pass_on, sibling_of="middle"),
        NodeType("extra", pass_on, features=(Feature("some-arc", before=("later",)),)),
        NodeType("later", pass_on, features=(Feature("some-arc", after=("extra",)),)),
        NodeType("end", error_drop, TERMINAL),
    ]
    plane = Dataplane(types, [ArcType("some-arc", ("middle",), "end"), ArcType("arc-two", ("in",), "middle")])
    plane.graph.add("in")
    plane.graph.add("twin")
    plane.add_interface("local0")
    index = plane.add_interface("eth0")
    plane.arcs["some-arc"].enable(index, "later")
    plane.arcs["some-arc"].enable(index, "extra")
    yield plane
    plane.close()


def masked(text: str) -> str:
    """Without what depends on the machine: times, rates and clocks."""
    text = re.sub(r"Time \d+\.\d+", "Time #", re.sub(r"loops/sec \d+\.\d+", "loops/sec #", text))
    text = re.sub(r"(in|out|drop|punt) \d\.\d+e-?\d+", r"\1 #", text)
    return re.sub(r" +\d\.\d\de-?\d+( +[\d.]+)$", r" #\1", text, flags=re.M)


def test_runtime(router: Router) -> None:
    golden.check("show_runtime.txt", masked(show.show_runtime(router.plane)))
    first, second = show.runtime(router.plane)
    rows = {row["name"]: row for row in first["nodes"]}
    assert rows["pg1-tx"]["vectors"] == 20 and rows["error-drop"]["vectors"] == 3
    assert {row["name"]: row["vectors"] for row in second["nodes"]}["pg1-tx"] == 5
    assert first["nodes"][-1]["name"] == "dispatcher" and first["nodes"][-1]["clocks"] > 0
    assert first["rates"]["in"] == pytest.approx(23 / first["seconds"])
    assert first["rates"]["out"] == pytest.approx(20 / first["seconds"])
    assert first["rates"]["drop"] == pytest.approx(3 / first["seconds"])
    json.dumps([first, second])


def test_errors_are_summed(router: Router) -> None:
    golden.check("show_errors.txt", show.show_errors(router.plane))
    assert all(e["severity"] == "error" and e["count"] == 1 for e in show.errors(router.plane))


def test_interfaces(router: Router) -> None:
    golden.check("show_interface.txt", show.show_interface(router.plane))
    golden.check("show_hardware.txt", show.show_hardware(router.plane, {1: "packet generator"}))
    (pg1,) = show.interfaces(router.plane, "pg1")
    assert pg1["counters"] == {"tx packets": 25, "tx bytes": 25 * 64}
    assert show.show_interface(router.plane, "pg1").count("\n") == 3
    with pytest.raises(KeyError, match="no interface pg9"):
        show.interfaces(router.plane, "pg9")


def test_buffers(router: Router) -> None:
    pool = show.buffers(router.plane)
    assert pool["used"] == 0 and pool["available"] + pool["cached"] == pool["total"] == 8192
    golden.check("show_buffers.txt", show.show_buffers(router.plane))
    router.plane.workers[0].record["alloc_failures"] = 3
    assert show.show_buffers(router.plane).endswith("3 allocations found no free buffer\n")
    router.plane.workers[0].record["alloc_failures"] = 0


def test_nodes(tiny: Dataplane) -> None:
    texts = [show.show_nodes(tiny), *(show.show_node(tiny, n) for n in ("in", "middle", "twin", "end", "extra"))]
    golden.check("show_nodes.txt", "\n".join(texts))
    with pytest.raises(KeyError, match="no node type is named nowhere"):
        show.show_node(tiny, "nowhere")


def test_a_type_outside_the_graph(router: Router) -> None:
    text = show.show_node(router.plane, "capture-input")
    assert text.startswith("node capture-input, type input, not in the graph\n")
    assert "no buffers: packet lost on receive" in text and "packet trace: yes" in text


def test_features(tiny: Dataplane) -> None:
    golden.check("show_features.txt", show.show_features(tiny) + "\n" + show.show_interface_features(tiny, "eth0"))
    assert show.interface_features(tiny, "local0") == {"arc-two": [], "some-arc": []}
    with pytest.raises(KeyError, match="no interface eth9"):
        show.interface_features(tiny, "eth9")


def test_clear() -> None:
    router = Router()
    plane = router.plane
    router.run(PACKETS)
    drops = plane.error_counts("drops")
    show.clear_errors(plane)
    show.clear_runtime(plane)
    show.clear_interfaces(plane)
    assert show.errors(plane) == [] and show.runtime(plane)[0]["nodes"] == []
    assert all(i["counters"] == {} for i in show.interfaces(plane))
    assert plane.error_counts("drops") == drops, "the balance of packets goes on"
    router.run([udp()] * 4 + [udp(mac="02fe00000009")])
    assert [(e["count"], e["reason"]) for e in show.errors(plane)] == [(1, "l3 mac mismatch")]
    rows = {row["name"]: row["vectors"] for row in show.runtime(plane)[0]["nodes"]}
    assert rows["pg-input"] == rows["dispatcher"] == 5 and rows["pg1-tx"] == 4
    assert {i["name"]: i["counters"] for i in show.interfaces(plane)}["pg1"] == {"tx packets": 4, "tx bytes": 256}
    # counters that somebody else sets to zero are shown from zero, never below
    for vector in plane.node_stats.values():
        vector.clear()
    plane.workers[0].record["dispatch_clocks"] = plane.workers[0].record["rounds"] = 0
    assert show.runtime(plane)[0]["nodes"] == []
    router.close()


def test_columns() -> None:
    assert [centre("ab", 5), centre(7, 4), centre("long name", 3)] == ["  ab ", "  7 ", "lon"]
    assert [scientific(0, 2), scientific(123.4, 2), scientific(0.05, 1)] == ["0.00e0", "1.23e2", "5.0e-2"]


def edges(text: str) -> set[tuple[str, str]]:
    return set(re.findall(r'^  "([^"]+)" -> "([^"]+)";$', text, re.M))


def test_picture_of_the_whole_graph(tiny: Dataplane) -> None:
    golden.check("graph.dot", dot(tiny))


def test_picture_of_what_ran(router: Router) -> None:
    text = dot(router.plane)
    assert text.count("{") == text.count("}") and text.startswith("digraph vectorplane {\n  rankdir=LR;")
    assert {("pg-input", "ethernet-input"), ("ip4-lookup", "ip4-rewrite"), ("pg1-output", "pg1-tx")} <= edges(text)
    assert '"ip4-frag"' not in text, "it has not run"
    colours = {n: float(h) for n, h in re.findall(r'^  "([\w-]+)" \[.*fillcolor="([\d.]+) ', text, re.M)}
    assert colours["pg-input"] == 0.58 and colours["pg1-tx"] == colours["error-drop"] == 0.09
    assert 'label="pg1-tx\\n25 packets\\n' in text and "cluster_legend" in text
    whole = dot(router.plane, active_only=False)
    assert '"ip4-frag"' in whole and edges(text) < edges(whole)


def test_names_are_quoted() -> None:
    assert quoted('a"b\\c\nd') == '"a\\"b\\\\c\\nd"'
