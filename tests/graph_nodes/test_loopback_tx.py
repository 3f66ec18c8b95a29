"""loopback-tx: what goes out comes back in. One that is bridged: `tests/graph_nodes/l2/test_ends.py`."""

from __future__ import annotations

from tests.harness import Bench
from vectorplane.dataplane.buffer import LOCALLY_ORIGINATED, TRACED, VLAN_1_DEEP, VLAN_2_DEEP
from vectorplane.graph_nodes.loopback_tx import LOOPBACK_TX
from vectorplane.graph_nodes.turns import MOST_TURNS, TURN


def test_received_by_whoever_sent_it() -> None:
    """By the loopback itself, also what a sub-interface sent; nothing remains of the tags that it once came with."""
    bench = Bench(LOOPBACK_TX, arcs=())
    sub = bench.plane.add_interface("pg1.7")
    bench.plane.interfaces.records[sub]["sup"] = 2
    out_of = [1, 2, sub, 1]

    def meta(i: int, m: object) -> None:
        m["tx_sw_if"] = out_of[i]  # type: ignore[index]
        m["flags"] = (VLAN_1_DEEP, VLAN_2_DEEP, VLAN_1_DEEP | VLAN_2_DEEP, 0)[i]  # type: ignore[index]

    packets = [bytes([i]) * 60 for i in range(4)]
    outs = sorted(bench.run(packets, rx=3, meta=meta), key=lambda o: o.index)
    assert [(o.next, o.rx_sw_if, o.tx_sw_if) for o in outs] == [("ethernet-input", i, -1) for i in (1, 2, 2, 1)]
    assert [o.data for o in outs] == packets and {o.meta["flags"] & ~TRACED for o in outs} == {0}
    assert bench.leaked() == 0
    bench.close()


def test_what_no_ttl_ends() -> None:
    """Others go round until their TTL is used up; the router's own, whose TTL nobody decrements, only so often."""
    bench = Bench(LOOPBACK_TX, arcs=())
    starts = (0, TURN * MOST_TURNS, LOCALLY_ORIGINATED, LOCALLY_ORIGINATED | TURN * MOST_TURNS)

    def meta(i: int, m: object) -> None:
        m["tx_sw_if"], m["flags"] = 1, starts[i]  # type: ignore[index]

    outs = sorted(bench.run([bytes(60)] * 4, meta=meta), key=lambda o: o.index)
    assert [o.next for o in outs] == ["ethernet-input"] * 3 + ["error-drop"]
    assert [o.meta["flags"] for o in outs[:3]] == [0, TURN * MOST_TURNS, LOCALLY_ORIGINATED + TURN]
    bench.close()
