"""Where frames enter and leave a bridge otherwise: l2-uu-fwd, feature-bitmap-drop, bvi-tx, bridged loopbacks; turns."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.graph_nodes.l2.bench import L2Bench, put, word
from tests.graph_nodes.l2.frames import HOSTS, frames
from tests.naive.l2.features import bits
from tests.naive.l2.header import header_length
from vectorplane.dataplane.buffer import TRACED, VLAN_1_DEEP, VLAN_2_DEEP
from vectorplane.dataplane.interface import ADMIN_UP, L2_MODE
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.l2.buffer import FROM_BVI
from vectorplane.graph_nodes.l2.bvi_tx import BVI_TX
from vectorplane.graph_nodes.l2.config import MODE_BRIDGE, MODE_BVI
from vectorplane.graph_nodes.l2.feature_bitmap_drop import FEATURE_BITMAP_DROP
from vectorplane.graph_nodes.l2.l2_uu_fwd import L2_UU_FWD
from vectorplane.graph_nodes.loopback_tx import LOOPBACK_TX
from vectorplane.graph_nodes.turns import MOST_TURNS, TURN

FRAME = HOSTS[0] + HOSTS[1] + b"\x08\0" + bytes(46)
BVI = 2
TAGS = VLAN_1_DEEP | VLAN_2_DEEP


def test_unknown_unicast_has_an_interface_of_its_own() -> None:
    """Each domain's; a frame of a domain without one is dropped."""
    bench = L2Bench(L2_UU_FWD)
    interfaces = {1: 3, 2: 1, 3: -1}
    for index, tx in interfaces.items():
        bench.config.domains[index]["uu_fwd"] = tx
    domains = [1 + k % 3 for k in range(64)]
    outs = bench.send([FRAME] * 64, meta=lambda i, m: put(m, fib_index=domains[i]))
    for out, index in zip(outs, domains, strict=True):
        tx = interfaces[index]
        expected = ("l2-output", None) if tx >= 0 else ("error-drop", "no interface for unknown unicast")
        assert (out.next, out.error, out.tx_sw_if, out.data) == (*expected, tx, FRAME)
    assert bench.errors()["l2-uu-fwd: L2 UU fwd"] == 64 and bench.leaked() == 0
    bench.close()


def test_frames_that_no_feature_takes() -> None:
    """VPP's reasons: nothing was left to do, or what was left does not exist."""
    bench = L2Bench(FEATURE_BITMAP_DROP)
    bitmaps = [0, bits("DROP"), bits("RW"), bits("DROP", "RW"), 1 << 31]
    outs = bench.send([FRAME] * len(bitmaps), meta=lambda i, m: put(m, adj=word(bitmaps[i])))
    none, not_there = "L2 feature forwarding disabled", "L2 feature not implemented"
    assert [o.error for o in outs] == [none, none, not_there, not_there, not_there]
    assert {o.next for o in outs} == {"error-drop"} and bench.leaked() == 0
    bench.close()


class Sender(L2Bench):
    """bvi-tx, or loopback-tx of a loopback that is bridged (interface 2: as a BVI, 3: as a port)."""

    def __init__(self, node_type: NodeType) -> None:
        super().__init__(node_type)
        if node_type is LOOPBACK_TX:
            self.node.data["l2_input"] = self.plane.graph.add_next(self.node, "l2-input")
        for index, mode in ((BVI, MODE_BRIDGE | MODE_BVI), (3, MODE_BRIDGE)):
            self.plane.interfaces.records[index]["flags"] = ADMIN_UP | L2_MODE
            self.config.inputs[index]["mode"] = mode


def check(bench: Sender, packets: list[bytes], tx: int, flags: int = 0) -> None:
    """Each frame goes to l2-input as received by its interface, its header measured; cut ones are dropped."""
    outs = bench.send(packets, rx=1, meta=lambda i, m: put(m, tx_sw_if=tx, flags=int(m["flags"]) | flags))
    from_bvi = bench.node.type is BVI_TX or tx == BVI
    for out, frame in zip(outs, packets, strict=True):
        length = header_length(frame)
        if not length:
            assert (out.next, out.error) == ("error-drop", "llc length > packet length"), frame.hex()
            continue
        assert (out.next, out.error, out.data, out.rx_sw_if) == ("l2-input", None, frame, tx), frame.hex()
        assert out.tx_sw_if == (FROM_BVI if from_bvi else -1) and out.meta["flow_hash"] & 0xFF == length
        tagged = {14: 0, 18: VLAN_1_DEEP, 22: VLAN_2_DEEP}[length]
        assert out.meta["flags"] & TAGS == tagged and out.meta["flags"] & ~(TAGS | TRACED) == TURN


@pytest.fixture(scope="module", params=[BVI_TX, LOOPBACK_TX], ids=lambda t: t.name)
def sender(request: pytest.FixtureRequest) -> Any:
    made = Sender(request.param)
    yield made
    assert made.leaked() == 0
    made.close()


@examples(60)
@given(
    packets=st.lists(frames(), min_size=1, max_size=12), tx=st.sampled_from([BVI, 3]), old=st.sampled_from([0, TAGS])
)
def test_what_is_sent_enters_the_bridge(sender: Sender, packets: list[bytes], tx: int, old: int) -> None:
    check(sender, packets, tx, old)


def test_every_length(sender: Sender) -> None:
    """A header that the frame does not hold is none: L3 would get less than nothing."""
    for tags in (b"", b"\x81\0\0\5", b"\x88\xa8\0\5", b"\x81\0\0\5\x81\0\0\6"):
        whole = FRAME[:12] + tags + FRAME[12:]
        check(sender, [whole[:n] for n in range(14, 30)], BVI)


@pytest.mark.parametrize("done", range(MOST_TURNS + 1))
def test_a_packet_begins_anew_only_so_often(sender: Sender, done: int) -> None:
    """What leads in a circle ends, with the node's own reason; nothing else that the flags hold is touched."""
    other = 1 << 30 | 1 << 23 | 2048
    start = other | done * TURN
    (out,) = sender.send([FRAME], meta=lambda i, m: put(m, tx_sw_if=BVI, flags=start))
    if done == MOST_TURNS:
        assert (out.next, out.error) == ("error-drop", "packet began anew too often")
    else:
        assert (out.next, out.meta["flags"]) == ("l2-input", start + TURN)
