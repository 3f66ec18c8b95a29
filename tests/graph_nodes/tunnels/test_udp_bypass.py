"""ip4-vxlan-bypass and ip4-geneve-bypass against their naive oracle, and beside the long way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.graph_nodes.tunnels.bench import TunnelBench
from tests.graph_nodes.tunnels.packets import FIBS, outers, udp_packet, udp_tunnels
from tests.harness import Out
from tests.naive.ip4_fast import checksum
from tests.naive.tunnels import udp_input as naive
from tests.naive.tunnels.tunnel import UdpTunnel
from tests.naive.tunnels.udp_input import Outer
from vectorplane.graph_nodes.ip4_local import IP4_LOCAL
from vectorplane.graph_nodes.tunnels.udp_bypass import IP4_GENEVE_BYPASS, IP4_VXLAN_BYPASS
from vectorplane.graph_nodes.tunnels.udp_tunnel import GeneveTable, VxlanTable

HERE, THERE = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])


class BypassBench(TunnelBench):
    """One of the two nodes, on interface 1."""

    def __init__(self, geneve: bool) -> None:
        node = IP4_GENEVE_BYPASS if geneve else IP4_VXLAN_BYPASS
        super().__init__(node, types=(IP4_LOCAL,), arcs=None)
        self.geneve = geneve
        arc = self.plane.arcs["ip4-unicast"]
        arc.enable(1, node.name)
        self.cursor = int(arc._words[1]) + 1

    def tunnels(self, tunnels: Sequence[UdpTunnel]) -> None:
        """These ones."""
        self.udp(GeneveTable if self.geneve else VxlanTable, tunnels)

    def through(self, packets: Sequence[bytes], fibs: Sequence[int], own: bool) -> list[Out]:
        """Packets received on interface 1; ``own``: the FIB is the interface's, not what the packet was told."""

        def meta(k: int, m: Any) -> None:
            m["config_index"], m["tx_sw_if"] = self.cursor, -1 if own else fibs[k]

        return self.send(packets, meta=meta)


@pytest.fixture(scope="module", params=["vxlan", "geneve"])
def bench(request: pytest.FixtureRequest) -> Iterator[BypassBench]:
    made = BypassBench(request.param == "geneve")
    yield made
    assert made.leaked() == 0
    made.close()


def check(bench: BypassBench, tunnels: Sequence[UdpTunnel], packets: Sequence[tuple[bytes, int]]) -> list[str]:
    """The node does as the oracle."""
    bench.tunnels(tunnels)
    wanted = [naive.bypass(tunnels, packet, fib, bench.geneve) for packet, fib in packets]
    input_node = "geneve4-input" if bench.geneve else "vxlan4-input"
    outs = bench.through([packet for packet, _ in packets], [fib for _, fib in packets], False)
    for out, w, (packet, fib) in zip(outs, wanted, packets, strict=True):
        if w == "next":
            assert (out.next, out.data) == ("ip4-lookup", packet)
        elif w == "tunnel":
            assert (out.next, out.data) == (input_node, packet[28:])
            assert (out.meta["l3_offset"], out.meta["l4_offset"], out.meta["fib_index"]) == (0, 20, fib)
        else:
            assert (out.next, out.error) == ("error-drop", w)
    return wanted


def damaged(draw: st.DrawFn, packet: bytes) -> bytes:
    """A packet whose UDP header is right or wrong, that is a fragment or of another protocol; its length is right."""
    raw = bytearray(packet)
    what = draw(st.integers(0, 9))
    if what == 0:
        raw[6:8] = draw(st.sampled_from([b"\x20\0", b"\0\1", b"\x40\0"]))
    elif what == 1:
        raw[9] = 6
    elif what == 2:
        raw[24:26] = draw(st.sampled_from([7, 8, 40, 9000])).to_bytes(2, "big")
    if what == 3:
        raw[26:28] = draw(st.binary(min_size=2, max_size=2))
    elif what < 6:
        pseudo = packet[12:20] + b"\0\x11" + (len(packet) - 20).to_bytes(2, "big")
        raw[26:28] = (checksum(pseudo + bytes(raw[20:])) or 0xFFFF).to_bytes(2, "big")
    return bytes(raw)


@st.composite
def packets(draw: st.DrawFn, tunnels: Sequence[UdpTunnel], geneve: bool) -> tuple[bytes, int]:
    """A packet from the other end of one of the tunnels, most often."""
    o = draw(outers(geneve))
    if tunnels and draw(st.integers(0, 3)):
        t = draw(st.sampled_from(tunnels))
        payload = o.payload[:4] + t.vni.to_bytes(3, "big") + b"\0" + o.payload[8:] if len(o.payload) >= 8 else o.payload
        o = Outer(t.dst, t.src, t.src_port, t.fib, payload)
    return damaged(draw, udp_packet(o)), o.fib


@examples(250)
@given(data=st.data())
def test_random(bench: BypassBench, data: st.DataObject) -> None:
    tunnels = data.draw(udp_tunnels(bench.geneve))
    check(bench, tunnels, data.draw(st.lists(packets(tunnels, bench.geneve), max_size=8)))


@examples(60)
@given(rest=st.binary(max_size=60), fib=st.sampled_from(FIBS))
def test_random_bytes(bench: BypassBench, rest: bytes, fib: int) -> None:
    """Behind a healthy IPv4 header."""
    packet = udp_packet(Outer(THERE, HERE, 0, 0, rest))
    check(bench, [UdpTunnel(4, HERE, THERE, 0, src_port=0)], [(packet, fib)])


def test_headers_of_any_length(bench: BypassBench) -> None:
    """Nothing behind a short packet is read, and nobody takes it."""
    port = 6081 if bench.geneve else 4789
    head = b"\0\0\x65\x58\0\0\7\0" if bench.geneve else b"\x08\0\0\0\0\0\7\0"
    tunnels = [UdpTunnel(4, HERE, THERE, 7, src_port=port)]
    wanted = [udp_packet(Outer(THERE, HERE, port, 0, head[:n])) for n in range(9)]
    assert check(bench, tunnels, [(packet, 0) for packet in wanted]) == ["next"] * 8 + ["tunnel"]


def test_the_table_of_the_interface(bench: BypassBench) -> None:
    port = 6081 if bench.geneve else 4789
    head = b"\0\0\x65\x58\0\0\7\0" if bench.geneve else b"\x08\0\0\0\0\0\7\0"
    packet = udp_packet(Outer(THERE, HERE, port, 0, head + bytes(14)))
    bench.tunnels([UdpTunnel(4, HERE, THERE, 7, fib=3, src_port=port)])
    assert [out.next for out in bench.through([packet], [0], True)] == ["ip4-lookup"]
    bench.plane.interfaces.records[1]["ip4_table"] = 3
    (out,) = bench.through([packet], [0], True)
    assert out.next.endswith("4-input") and out.meta["fib_index"] == 3
    bench.plane.interfaces.records[1]["ip4_table"] = 0
