"""gre4-input and ipip4-input against their naive oracles; scapy makes the packets of a few."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import GRE, Ether
from scapy.packet import Packet

from tests.budget import examples
from tests.graph_nodes.tunnels.bench import TunnelBench
from tests.graph_nodes.tunnels.packets import FIBS, gre_packets, ip_tunnels, ipip_packets
from tests.naive.tunnels import ip_input as naive
from tests.naive.tunnels.encap import ip4
from tests.naive.tunnels.tunnel import Decapsulated, IpTunnel
from vectorplane.dataplane.buffer import L4_CHECKSUM_COMPUTED, L4_CHECKSUM_CORRECT, LOCALLY_ORIGINATED
from vectorplane.graph_nodes.tunnels.gre4_input import GRE4_INPUT
from vectorplane.graph_nodes.tunnels.ip_tunnel import GreTable, IpipTable
from vectorplane.graph_nodes.tunnels.ipip4_input import IPIP4_INPUT

OUTER = L4_CHECKSUM_COMPUTED | L4_CHECKSUM_CORRECT | LOCALLY_ORIGINATED
HERE, THERE = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])


class Kind(NamedTuple):
    """One of the two nodes."""

    bench: TunnelBench
    oracle: Callable[[Sequence[IpTunnel], bytes, int], Decapsulated]
    packets: Callable[[], st.SearchStrategy[bytes]]
    good: str

    @property
    def gre(self) -> bool:
        """Or IPIP?"""
        return self.oracle is naive.gre


@pytest.fixture(scope="module", params=["gre", "ipip"])
def kind(request: pytest.FixtureRequest) -> Iterator[Kind]:
    if request.param == "gre":
        made = Kind(TunnelBench(GRE4_INPUT), naive.gre, gre_packets, "GRE input packets decapsulated")
    else:
        made = Kind(TunnelBench(IPIP4_INPUT), naive.ipip, ipip_packets, "packets decapsulated")
    yield made
    assert made.bench.leaked() == 0
    made.bench.close()


def check(kind: Kind, tunnels: Sequence[IpTunnel], packets: Sequence[tuple[bytes, int]]) -> list[Decapsulated]:
    """Packets with their FIBs: the node does as the oracle, and counts as it."""
    bench = kind.bench
    bench.ip(GreTable if kind.gre else IpipTable, tunnels)
    sums = [list(pair) for pair in bench.counted("rx")]
    good = bench.errors().get(f"{bench.node.name}: {kind.good}", 0)
    wanted = [kind.oracle(tunnels, packet, fib) for packet, fib in packets]

    def meta(k: int, m: Any) -> None:
        m["l3_offset"], m["fib_index"] = 0, packets[k][1]
        m["flags"] |= OUTER

    for w, out in zip(wanted, bench.send([packet for packet, _ in packets], meta=meta), strict=True):
        if w.error is not None:
            assert (out.next, out.error) == (w.next, w.error)
            continue
        assert (out.next, out.data, out.rx_sw_if, out.tx_sw_if) == (w.next, w.data, w.interface, -1)
        assert not out.meta["flags"] & OUTER
        sums[w.counts][0] += 1
        sums[w.counts][1] += len(w.data)
    assert bench.counted("rx") == [tuple(pair) for pair in sums]
    through = sum(w.error is None for w in wanted)
    assert bench.errors().get(f"{bench.node.name}: {kind.good}", 0) == good + through
    return wanted


@examples(250)
@given(data=st.data())
def test_random(kind: Kind, data: st.DataObject) -> None:
    """Tunnels and packets that nearly fit them, all in one vector."""
    tunnels = data.draw(ip_tunnels(kind.gre))
    packets = st.tuples(kind.packets(), st.sampled_from(FIBS))
    check(kind, tunnels, data.draw(st.lists(packets, max_size=8)))


@examples(150)
@given(data=st.data())
def test_mostly_right(kind: Kind, data: st.DataObject) -> None:
    """Packets from the other end of tunnels, so that most come through."""
    tunnels = data.draw(ip_tunnels(kind.gre).filter(bool))
    packets = []
    for packet in data.draw(st.lists(kind.packets(), min_size=1, max_size=6)):
        t = data.draw(st.sampled_from(tunnels))
        packets.append((packet[:12] + t.dst + t.src + packet[20:] if len(packet) >= 20 else packet, t.fib))
    check(kind, tunnels, packets)


@examples(80)
@given(rest=st.binary(max_size=60), first=st.sampled_from([0x45, 0x46, 0x44, 0x4F]))
def test_random_bytes(kind: Kind, rest: bytes, first: int) -> None:
    packet = bytes([first]) + ip4(THERE, HERE, 47, 9, rest)[1:]
    check(kind, [IpTunnel(4, HERE, THERE)], [(packet, 0)])


def test_headers_of_any_length(kind: Kind) -> None:
    """A packet that ends anywhere in its headers is dropped with a reason, and nothing behind it is read."""
    gre = b"\xb0\0\x88\xbe" + bytes(4) + bytes(4) + bytes(4) + b"\x10\0\x18\0" + bytes(4)
    packet = ip4(THERE, HERE, 47, 9, gre) if kind.gre else ip4(THERE, HERE, 4, 9, b"")
    wanted = check(kind, [IpTunnel(4, HERE, THERE, kind="erspan")], [(packet[:n], 0) for n in range(len(packet) + 1)])
    assert [w.error for w in wanted].count(None) == 1 and wanted[-1].error is None


def test_chains(kind: Kind) -> None:
    inside = ip4(HERE, THERE, 17, 9, bytes(k & 0xFF for k in range(6000)))
    packet = ip4(THERE, HERE, 47, 9, b"\0\0\x08\0" + inside) if kind.gre else ip4(THERE, HERE, 4, 9, inside)
    (found,) = check(kind, [IpTunnel(4, HERE, THERE)], [(packet, 0)])
    assert found.data == inside


def test_scapys_packets(kind: Kind) -> None:
    outer = IP(src="10.0.0.2", dst="10.0.0.1")
    four, six = IP(src="1.1.1.1") / UDP() / b"four", IPv6(src="::1", dst="::2") / UDP() / b"six"
    tunnels = [IpTunnel(4, HERE, THERE)]
    ways: list[tuple[Packet, Packet]] = [(outer / four, four), (outer / six, six)]
    if kind.gre:
        frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / four
        tunnels += [IpTunnel(5, HERE, THERE, key=77), IpTunnel(6, HERE, THERE, kind="teb")]
        ways = [(outer / GRE() / four, four), (outer / GRE(chksum_present=1) / six, six)]
        ways += [(outer / GRE(key_present=1, key=77, seqnum_present=1) / four, four), (outer / GRE() / frame, frame)]
    wanted = check(kind, tunnels, [(bytes(packet), 0) for packet, _ in ways])
    assert [w.data for w in wanted] == [bytes(inside) for _, inside in ways]
    assert [w.interface for w in wanted] == ([4, 4, 5, 6] if kind.gre else [4, 4])


def test_sessions(kind: Kind) -> None:
    """ERSPAN's tunnels are told apart by the session; one with a key is nobody's."""
    if not kind.gre:
        return
    tunnels = [IpTunnel(4 + n, HERE, THERE, kind="erspan", session=n) for n in range(3)]
    head = b"\x10\0\x88\xbe\0\0\0\1"
    packets = [
        ip4(THERE, HERE, 47, 9, head + b"\x10\0" + (0x1800 | n).to_bytes(2, "big") + bytes(22)) for n in range(4)
    ]
    packets.append(ip4(THERE, HERE, 47, 9, b"\0\0\x88\xbe" + bytes(14)))
    packets.append(ip4(THERE, HERE, 47, 9, b"\x30\0\x88\xbe\0\0\0\1\0\0\0\1\x10\0\x18\1" + bytes(18)))
    wanted = check(kind, tunnels, [(packet, 0) for packet in packets])
    assert [w.interface for w in wanted] == [4, 5, 6, -1, 4, -1], "type I, without a header of its own, is session 0"
