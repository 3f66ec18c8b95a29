"""ip4-midchain, gre-teb-encap, gre-erspan-encap, adj-l2-midchain, tunnel-output, and the outer packet's ip4-rewrite.

All are real; the naive oracle says what leaves pg1, scapy takes some of it apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.erspan import ERSPAN_II
from scapy.layers.inet import IP
from scapy.layers.l2 import GRE, Ether

from tests.budget import examples
from tests.graph_nodes.l2.frames import frames
from tests.graph_nodes.tunnels.bench import TunnelBench
from tests.harness import Out
from tests.naive.ip4_fast import header, rewrite
from tests.naive.tunnels import encap
from tests.naive.tunnels.tunnel import IpTunnel
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.forwarding import (
    ADJ_COUNTED,
    DPO_ADJACENCY,
    DPO_LOAD_BALANCE,
    DPO_MIDCHAIN,
    DPO_RECEIVE,
)
from vectorplane.graph_nodes.ip4_lookup import IP4_LOOKUP, LOAD_BALANCE_NEXT, REWRITE
from vectorplane.graph_nodes.ip4_rewrite import IP4_MIDCHAIN, IP4_OUTPUT, IP4_REWRITE
from vectorplane.graph_nodes.tunnels.gre_encap import GRE_ERSPAN_ENCAP, GRE_TEB_ENCAP
from vectorplane.graph_nodes.tunnels.ip_tunnel import GreTable
from vectorplane.graph_nodes.tunnels.tunnel_output import ADJ_L2_MIDCHAIN, TUNNEL_OUTPUT
from vectorplane.graph_nodes.tunnels.underlay import ROOM
from vectorplane.graph_nodes.turns import MOST_TURNS, TURN

HERE, THERE = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
ETHERNET = bytes(range(12)) + b"\x08\0"
TUNNEL, INNER, OUTER = 5, 3, 7
"""The tunnel's interface, its adjacency, the one that the outer packet leaves by."""
LB = 9
FLAGS = [0, 1, 2, 3, 4, 8, 12, 64, 79]
COPIED = encap.COPY_DF | encap.COPY_DSCP | encap.COPY_ECN | encap.COPY_TTL


class MidchainBench(TunnelBench):
    """ip4-midchain, or one of GRE's Ethernet encapsulations, with all that is behind."""

    def __init__(self, kind: str) -> None:
        nodes = {"l3": IP4_MIDCHAIN, "teb": GRE_TEB_ENCAP, "erspan": GRE_ERSPAN_ENCAP}
        real = [IP4_MIDCHAIN, IP4_REWRITE, TUNNEL_OUTPUT, ADJ_L2_MIDCHAIN, IP4_LOOKUP]
        super().__init__(nodes[kind], types=[t for t in real if t is not nodes[kind]], arcs=(IP4_OUTPUT,))
        self.kind = kind
        self.forwarding.adj_counters.extend(16)
        graph = self.plane.graph
        self.add_stub("pg1-output")
        rewriter = graph.add("ip4-rewrite")
        self.slots = {name: graph.add_next(rewriter, name) for name in ("pg1-output", "tunnel-output")}
        if kind == "l3":
            graph.add("ip4-midchain")
        self.adjacency(OUTER, ETHERNET, "pg1-output", 2, mtu=9000)
        self.load_balance(LB, REWRITE, DPO_ADJACENCY, OUTER)
        self.numbers = Region(8, name="a sequence number")
        self.sequence = self.numbers.view(np.dtype("i8"), 0, 1)

    def close(self) -> None:
        super().close()
        self.numbers.close()

    def adjacency(self, index: int, prefix: bytes, following: str, interface: int, mtu: int = 1500) -> Any:
        """Write one; gives its record."""
        a = self.forwarding.adjacencies[index]
        a["next"], a["rewrite_length"], a["sw_if_index"] = self.slots[following], len(prefix), interface
        a["mtu"], a["flags"], a["fixup"], a["stacked"] = mtu, 0, 0, LB
        a["short"][32 - len(prefix) :] = np.frombuffer(prefix, "i1")
        return a

    def tunnel(self, t: IpTunnel, gre: bool = True, flags: int = 0, dscp: int = 0) -> None:
        """This one is the tunnel."""
        whole = encap.midchain(t, b"", gre=gre, flags=flags, dscp=dscp, copies=False)
        template = whole[:2] + b"\0\0" + whole[4:10] + b"\0\0" + whole[12:]
        self.adjacency(INNER, template, "tunnel-output", TUNNEL)["fixup"] = flags & COPIED
        record = self.plane.shared(GreTable).records[TUNNEL]
        record["adj"], record["session"], record["sequence"] = INNER, t.session, self.numbers.address

    def through(self, packets: Sequence[bytes], **fields: int) -> list[Out]:
        """Packets to the tunnel."""

        def meta(k: int, m: Any) -> None:
            m["adj"], m["tx_sw_if"] = INNER, TUNNEL
            for name, value in fields.items():
                m[name] = value

        return self.send(packets, meta=meta)


def made(kind: str) -> Iterator[MidchainBench]:
    bench = MidchainBench(kind)
    yield bench
    assert bench.leaked() == 0
    bench.close()


@pytest.fixture(scope="module")
def bench() -> Iterator[MidchainBench]:
    """ip4-midchain."""
    yield from made("l3")


@pytest.fixture(scope="module", params=["teb", "erspan"])
def ethernet(request: pytest.FixtureRequest) -> Iterator[MidchainBench]:
    """GRE's two."""
    yield from made(request.param)


def on_the_wire(outer: bytes) -> tuple[str, bytes]:
    """What the outer packet's own rewrite makes of it."""
    left = rewrite(outer, mtu=9000, prefix=ETHERNET, output="pg1-output")
    return left.next, left.data


@examples(200)
@given(
    gre=st.booleans(),
    key=st.sampled_from([0, 0, 1, 0xCAFEBABE]),
    flags=st.sampled_from(FLAGS),
    dscp=st.sampled_from([0, 10, 63]),
    tos=st.integers(0, 255),
    ttl=st.integers(1, 255),
    fragment=st.sampled_from([0, 0x4000, 0x2000]),
    size=st.sampled_from([0, 8, 60, 1480, 1481]),
)
def test_packets(
    bench: MidchainBench, gre: bool, key: int, flags: int, dscp: int, tos: int, ttl: int, fragment: int, size: int
) -> None:
    """TTL and MTU as in any rewrite, then the outer header, then the outer packet's way."""
    t = IpTunnel(TUNNEL, HERE, THERE, key=key if gre else 0)
    bench.tunnel(t, gre, flags, dscp)
    packet = bytearray(header(total=20 + size, ttl=ttl, fragment=fragment) + bytes(size))
    packet[1] = tos
    packet[10:12] = b"\0\0"
    packet[10:12] = encap.checksum(bytes(packet[:20])).to_bytes(2, "big")
    inner = rewrite(bytes(packet), mtu=1500, prefix=b"", output="tunnel-output")
    before = bench.counted("tx")
    (out,) = bench.through([bytes(packet)])
    if inner.next != "tunnel-output":
        assert (out.next, out.error) == (inner.next, inner.error)
        assert bench.counted("tx") == before
        return
    outer = encap.midchain(t, inner.data, gre=gre, flags=flags, dscp=dscp)
    assert (out.next, out.data) == on_the_wire(outer)
    assert out.tx_sw_if == 2
    packets, size = before[TUNNEL]
    assert bench.counted("tx")[TUNNEL] == (packets + 1, size + len(outer))


@examples(120)
@given(data=st.data())
def test_frames(ethernet: MidchainBench, data: st.DataObject) -> None:
    """A vector of frames; ERSPAN's numbers go up by one from frame to frame, over vectors too."""
    kind = ethernet.kind
    key, session = (0, data.draw(st.sampled_from([0, 5, 1023]))) if kind == "erspan" else (data.draw(keys), 0)
    t = IpTunnel(TUNNEL, HERE, THERE, kind=kind, key=key, session=session)
    ethernet.tunnel(t)
    first = int(ethernet.sequence[0])
    sent = data.draw(st.lists(st.one_of(frames(), st.binary(min_size=14, max_size=80)), max_size=6))
    counts = ethernet.errors().get(f"{ethernet.node.name}: GRE output packets encapsulated", 0)
    for n, (out, frame) in enumerate(zip(ethernet.through(sent), sent, strict=True)):
        inside = (encap.erspan_header(t, first + n) if kind == "erspan" else b"") + frame
        assert (out.next, out.data) == on_the_wire(encap.midchain(t, inside, gre=True, copies=False))
    after = ethernet.errors().get(f"{ethernet.node.name}: GRE output packets encapsulated", 0)
    assert after == counts + len(sent)


keys = st.sampled_from([0, 0, 1, 0xCAFEBABE])


def test_chains(bench: MidchainBench, ethernet: MidchainBench) -> None:
    """The outer length is that of the whole packet."""
    t = IpTunnel(TUNNEL, HERE, THERE, kind=ethernet.kind)
    ethernet.tunnel(t)
    first = int(ethernet.sequence[0])
    frame = bytes(k & 0xFF for k in range(6000))
    (out,) = ethernet.through([frame])
    inside = (encap.erspan_header(t, first) if ethernet.kind == "erspan" else b"") + frame
    assert (out.next, out.data) == on_the_wire(encap.midchain(t, inside, gre=True, copies=False))
    bench.tunnel(IpTunnel(TUNNEL, HERE, THERE), False)
    bench.forwarding.adjacencies[INNER]["mtu"] = 9000
    packet = header(total=6020) + frame
    (out,) = bench.through([packet])
    inner = rewrite(packet, mtu=9000, prefix=b"", output="").data
    assert (out.next, out.data) == on_the_wire(encap.midchain(IpTunnel(TUNNEL, HERE, THERE), inner, gre=False))


def test_no_room_and_too_often(bench: MidchainBench, ethernet: MidchainBench) -> None:
    """Encapsulated for ever? Headroom and turns are both at an end some time, each with its own reason."""
    bench.tunnel(IpTunnel(TUNNEL, HERE, THERE))
    packet = header(total=60) + bytes(40)
    (out,) = bench.through([packet], flags=TURN * MOST_TURNS)
    assert (out.next, out.error) == ("ip4-drop", "packet began anew too often")
    (out,) = bench.through([packet], flags=TURN * (MOST_TURNS - 1))
    assert out.next == "pg1-output"
    ethernet.tunnel(IpTunnel(TUNNEL, HERE, THERE, kind=ethernet.kind))
    (out,) = ethernet.through([bytes(60)], flags=TURN * MOST_TURNS)
    assert (out.next, out.error) == ("error-drop", "packet began anew too often")
    own = 12 if ethernet.kind == "erspan" else 0
    (out,) = ethernet.through([bytes(60)], current_data=24 + own - ROOM, current_length=60)
    assert out.next == "pg1-output"
    for less in (1, own + 1):
        (out,) = ethernet.through([bytes(60)], current_data=24 + own - less - ROOM, current_length=60)
        assert (out.next, out.error) == ("error-drop", "no room for another header")


def test_the_route_to_the_other_end(bench: MidchainBench) -> None:
    """It is read for each packet: none, this router itself, several paths, a circle."""
    bench.tunnel(IpTunnel(TUNNEL, HERE, THERE))
    packet = header(total=60) + bytes(40)
    for slot, kind, index, wanted in (
        (0, 0, 0, "ip4-drop"),
        (5, DPO_RECEIVE, 0, "ip4-drop"),
        (LOAD_BALANCE_NEXT, DPO_LOAD_BALANCE, LB, "ip4-drop"),
        (REWRITE, DPO_ADJACENCY, OUTER, "pg1-output"),
    ):
        bench.load_balance(LB, slot, kind, index)
        assert [out.next for out in bench.through([packet])] == [wanted]
    bench.forwarding.load_balances[LB]["n_minus_1"] = 1
    (out,) = bench.through([packet])
    assert (out.next, out.meta["adj"], out.meta["flow_hash"]) == ("ip4-load-balance", LB, 0)
    bench.load_balance(LB, REWRITE, DPO_ADJACENCY, OUTER)


def test_through_itself(bench: MidchainBench) -> None:
    """The tunnel's other end is reached through the tunnel: that ends, with a reason, and the buffer is whole."""
    bench.tunnel(IpTunnel(TUNNEL, HERE, THERE), False)
    slot = bench.plane.graph.add_next(bench.plane.graph.add("ip4-lookup"), "ip4-midchain")
    bench.load_balance(LB, slot, DPO_MIDCHAIN, INNER)
    (out,) = bench.through([header(total=60, ttl=200) + bytes(40)])
    assert (out.next, out.error) == ("ip4-drop", "no room for another header")
    bench.load_balance(LB, REWRITE, DPO_ADJACENCY, OUTER)


def test_adjacency_counters(bench: MidchainBench) -> None:
    """The packet with its outer header counts."""
    bench.tunnel(IpTunnel(TUNNEL, HERE, THERE))
    bench.forwarding.adjacencies[INNER]["flags"] = ADJ_COUNTED
    before = bench.forwarding.adj_counters.total(INNER).tolist()
    bench.through([header(total=60) + bytes(40)])
    after = bench.forwarding.adj_counters.total(INNER).tolist()
    assert [a - b for a, b in zip(after, before, strict=True)] == [1, 84]


def test_scapy_reads_it(ethernet: MidchainBench) -> None:
    ethernet.tunnel(IpTunnel(TUNNEL, HERE, THERE, kind=ethernet.kind, session=77))
    first = int(ethernet.sequence[0])
    frame = bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="1.1.1.1") / b"payload")
    (out,) = ethernet.through([frame])
    found = Ether(out.data)
    assert (found[IP].proto, found[IP].ttl, found[IP].len) == (47, 253, len(out.data) - 14)
    wanted = found[IP].chksum
    del found[IP].chksum
    assert Ether(bytes(found))[IP].chksum == wanted
    if ethernet.kind == "teb":
        assert found[GRE].proto == 0x6558 and bytes(found[GRE].payload) == frame
    else:
        assert (found[GRE].proto, found[GRE].sequence_number) == (0x88BE, first)
        assert found[ERSPAN_II].session_id == 77 and bytes(found)[-len(frame) :] == frame
