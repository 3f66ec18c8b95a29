"""vxlan4-input and geneve4-input against their naive oracles; scapy makes the packets of a few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.geneve import GENEVE
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN

from tests.budget import examples
from tests.graph_nodes.tunnels.bench import TunnelBench
from tests.graph_nodes.tunnels.packets import outers, udp_packet, udp_tunnels
from tests.harness import collector
from tests.naive.tunnels import udp_input as naive
from tests.naive.tunnels.tunnel import Decapsulated, UdpTunnel
from tests.naive.tunnels.udp_input import Outer
from vectorplane.dataplane.buffer import L4_CHECKSUM_COMPUTED, L4_CHECKSUM_CORRECT, LOCALLY_ORIGINATED
from vectorplane.graph_nodes.tunnels.geneve4_input import GENEVE4_INPUT
from vectorplane.graph_nodes.tunnels.udp_tunnel import GeneveTable, VxlanTable
from vectorplane.graph_nodes.tunnels.vxlan4_input import VXLAN4_INPUT

OUTER = L4_CHECKSUM_COMPUTED | L4_CHECKSUM_CORRECT | LOCALLY_ORIGINATED
GOOD = "good packets decapsulated"


class InputBench(TunnelBench):
    """One of the two nodes."""

    def __init__(self, geneve: bool) -> None:
        super().__init__(
            GENEVE4_INPUT if geneve else VXLAN4_INPUT,
            types=(collector("ip4-input"), collector("ethernet-input")),
        )
        for name in ("ip4-input", "ethernet-input"):
            self.plane.graph.add_next(self.node, name)
        self.geneve = geneve

    def tunnels(self, tunnels: Sequence[UdpTunnel]) -> None:
        """These ones."""
        self.udp(GeneveTable if self.geneve else VxlanTable, tunnels)

    def decapsulate(self, packets: Sequence[Outer]) -> list[Decapsulated]:
        """What the node makes of packets that it gets as from ip4-udp-lookup."""

        def meta(k: int, m: Any) -> None:
            m["l3_offset"], m["l4_offset"], m["fib_index"] = 0, 20, packets[k].fib
            m["current_data"], m["current_length"] = 28, int(m["current_length"]) - 28
            m["flags"] |= OUTER

        return [self._found(out) for out in self.send([udp_packet(o) for o in packets], meta=meta)]

    def _found(self, out: Any) -> Decapsulated:
        if out.next == "error-drop":
            return Decapsulated(out.next, out.error)
        assert not out.meta["flags"] & OUTER, "what was true of the outer packet"
        assert out.tx_sw_if == -1
        return Decapsulated(out.next, None, out.data, out.rx_sw_if)


@pytest.fixture(scope="module", params=["vxlan", "geneve"])
def bench(request: pytest.FixtureRequest) -> Iterator[InputBench]:
    made = InputBench(request.param == "geneve")
    yield made
    assert made.leaked() == 0
    made.close()


def expected(bench: InputBench, tunnels: Sequence[UdpTunnel], o: Outer) -> Decapsulated:
    """The oracle's."""
    return (naive.geneve if bench.geneve else naive.vxlan)(tunnels, o)


def check(bench: InputBench, tunnels: Sequence[UdpTunnel], packets: Sequence[Outer]) -> list[Decapsulated]:
    """The node does as the oracle, and counts as it."""
    bench.tunnels(tunnels)
    before, good = bench.counted("rx"), bench.errors().get(f"{bench.node.name}: {GOOD}", 0)
    wanted = [expected(bench, tunnels, o) for o in packets]
    assert bench.decapsulate(packets) == [w._replace(counts=-1) for w in wanted]
    sums = [list(pair) for pair in before]
    for w in wanted:
        if w.error is None:
            sums[w.counts][0] += 1
            sums[w.counts][1] += len(w.data)
    assert bench.counted("rx") == [tuple(pair) for pair in sums]
    through = sum(w.error is None for w in wanted)
    assert bench.errors().get(f"{bench.node.name}: {GOOD}", 0) == good + through
    return wanted


@examples(200)
@given(data=st.data())
def test_random(bench: InputBench, data: st.DataObject) -> None:
    """Tunnels and packets that nearly fit them, all in one vector."""
    tunnels = data.draw(udp_tunnels(bench.geneve))
    check(bench, tunnels, data.draw(st.lists(outers(bench.geneve), max_size=8)))


@examples(60)
@given(data=st.data())
def test_mostly_right(bench: InputBench, data: st.DataObject) -> None:
    """Packets from the other end of tunnels, so that most come through."""
    tunnels = data.draw(udp_tunnels(bench.geneve).filter(bool))
    packets = []
    for _ in range(data.draw(st.integers(1, 6))):
        t = data.draw(st.sampled_from(tunnels))
        o = data.draw(outers(bench.geneve))
        vni = t.vni.to_bytes(3, "big")
        payload = o.payload[:4] + vni + b"\0" + o.payload[8:] if len(o.payload) >= 8 else o.payload
        source = data.draw(st.sampled_from([t.dst] * 4 + [o.src]))
        packets.append(Outer(source, data.draw(st.sampled_from([t.src] * 4 + [o.dst])), t.src_port, t.fib, payload))
    check(bench, tunnels, packets)


@examples(60)
@given(payload=st.binary(max_size=80))
def test_random_bytes(bench: InputBench, payload: bytes) -> None:
    tunnel = UdpTunnel(4, bytes(4), bytes([10, 0, 0, 2]), 0)
    check(bench, [tunnel], [Outer(tunnel.dst, tunnel.src, 4789, 0, payload)])


def test_headers_of_any_length(bench: InputBench) -> None:
    """A packet that ends anywhere in its headers is dropped with a reason, and nothing behind it is read."""
    tunnel = UdpTunnel(4, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), 7)
    head = (b"\x02\0\x65\x58" if bench.geneve else b"\x08\0\0\0") + b"\0\0\7\0"
    whole = head + (bytes(8) if bench.geneve else b"") + bytes(12) + b"\x81\0\0\1\x81\0\0\2\x08\0"
    packets = [Outer(tunnel.dst, tunnel.src, 4789, 0, whole[:n]) for n in range(len(whole) + 1)]
    wanted = check(bench, [tunnel], packets)
    assert [w.error for w in wanted].count(None) == 1 and wanted[-1].error is None


def test_chains(bench: InputBench) -> None:
    """What is counted is all of the packet."""
    tunnel = UdpTunnel(4, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), 7)
    head = (b"\0\0\x65\x58" if bench.geneve else b"\x08\0\0\0") + b"\0\0\7\0"
    inside = bytes(k & 0xFF for k in range(6000))
    (found,) = check(bench, [tunnel], [Outer(tunnel.dst, tunnel.src, 4789, 0, head + inside)])
    assert found.data == inside


def test_a_group_counts_and_the_sender_receives(bench: InputBench) -> None:
    """As in VPP: the group's tunnel counts, the tunnel from its address to the sender is where the frame comes in."""
    here, there, group = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), bytes([239, 1, 1, 1])
    tunnels = [UdpTunnel(4, here, there, 7), UdpTunnel(5, here, group, 7)]
    head = (b"\0\0\x65\x58" if bench.geneve else b"\x08\0\0\0") + b"\0\0\7\0"
    (found,) = check(bench, tunnels, [Outer(there, group, 4789, 0, head + bytes(20))])
    assert (found.interface, found.counts) == (4, 5)
    wanted = check(bench, tunnels, [Outer(bytes([10, 0, 0, 9]), group, 4789, 0, head + bytes(20))])
    assert wanted[0].error == naive.NO_TUNNEL, "nobody has a tunnel to that sender"


def test_scapys_packets(bench: InputBench) -> None:
    tunnel = UdpTunnel(4, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), 0xABCDEF)
    bench.tunnels([tunnel])
    inner = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="1.1.1.1", dst="2.2.2.2") / UDP() / b"x"
    way = GENEVE(vni=0xABCDEF) if bench.geneve else VXLAN(vni=0xABCDEF, flags=8)
    payload = bytes(way / inner)
    (found,) = bench.decapsulate([Outer(tunnel.dst, tunnel.src, 4789, 0, payload)])
    assert found == Decapsulated("l2-input", None, bytes(inner), 4)
