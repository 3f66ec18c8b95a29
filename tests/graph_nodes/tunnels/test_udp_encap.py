"""vxlan4-encap and geneve4-encap against their naive oracle; scapy takes the packets apart."""

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
from tests.graph_nodes.l2.frames import frames
from tests.graph_nodes.tunnels.bench import TunnelBench
from tests.harness import Out
from tests.naive.ip4_fast import checksum
from tests.naive.tunnels import encap, inner_hash
from tests.naive.tunnels.tunnel import UdpTunnel
from vectorplane.dataplane.buffer import OFFLOAD_IP_CHECKSUM, OFFLOAD_L4_CHECKSUM
from vectorplane.graph_nodes.forwarding import (
    DPO_ADJACENCY,
    DPO_ADJACENCY_MULTICAST,
    DPO_LOAD_BALANCE,
    DPO_RECEIVE,
)
from vectorplane.graph_nodes.ip4_lookup import IP4_LOOKUP, LOAD_BALANCE_NEXT, REWRITE
from vectorplane.graph_nodes.tunnels.udp_encap import GENEVE4_ENCAP, VXLAN4_ENCAP
from vectorplane.graph_nodes.tunnels.udp_tunnel import GeneveTable, VxlanTable
from vectorplane.graph_nodes.tunnels.underlay import ROOM
from vectorplane.graph_nodes.turns import MOST_TURNS, TURN

HERE, THERE = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
GOOD = "good packets encapsulated"


class EncapBench(TunnelBench):
    """One of the two nodes, with two tunnels and one for IP packets (VXLAN); load-balance 4 goes to adjacency 70 ..."""

    def __init__(self, geneve: bool) -> None:
        super().__init__(GENEVE4_ENCAP if geneve else VXLAN4_ENCAP, types=(IP4_LOOKUP,))
        self.geneve, self.table = geneve, GeneveTable if geneve else VxlanTable
        ports = {"src_port": 6081, "dst_port": 6081} if geneve else {"src_port": 4789, "dst_port": 5555}
        self.tunnels = [
            UdpTunnel(4, HERE, THERE, 0xABCDEF, **ports),
            UdpTunnel(5, HERE, bytes([255, 255, 255, 254]), 0, **ports),
            UdpTunnel(6, bytes(4), bytes([1, 2, 3, 4]), 1, is_l3=not geneve, **ports),
        ]
        self.udp(self.table, self.tunnels)
        self.usual_routes()

    def usual_routes(self) -> None:
        """Each tunnel's load-balance leads to an adjacency."""
        for t in self.tunnels:
            self.load_balance(t.interface, REWRITE, DPO_ADJACENCY, 66 + t.interface)

    def encapsulate(self, packets: Sequence[bytes], into: Sequence[int], **fields: int) -> list[Out]:
        """Send packets to tunnels."""

        def meta(k: int, m: Any) -> None:
            m["tx_sw_if"] = into[k]
            for name, value in fields.items():
                m[name] = value

        return self.send(packets, meta=meta)


@pytest.fixture(scope="module", params=["vxlan", "geneve"])
def bench(request: pytest.FixtureRequest) -> Iterator[EncapBench]:
    made = EncapBench(request.param == "geneve")
    yield made
    assert made.leaked() == 0
    made.close()


@pytest.fixture(autouse=True)
def routes(bench: EncapBench) -> Iterator[None]:
    yield
    bench.usual_routes()


def only(bench: EncapBench, **fields: int) -> Out:
    """A frame to the first tunnel."""
    (out,) = bench.encapsulate([bytes(range(60))], [4], **fields)
    return out


@examples(200)
@given(data=st.data(), router_id=st.sampled_from([0, 0xC0FFEE]))
def test_random(bench: EncapBench, data: st.DataObject, router_id: int) -> None:
    """Frames, and in L3 mode any bytes, all in one vector: the bytes, the hash, the way on, the counters."""
    into = data.draw(st.lists(st.integers(4, 6), max_size=8))
    packets = []
    for k in into:
        l3 = bench.tunnels[k - 4].is_l3
        packets.append(data.draw(st.binary(max_size=60) if l3 else frames()))
    bench.forwarding.router_id[0] = router_id
    sums = [list(pair) for pair in bench.counted("tx")]
    good = bench.errors().get(f"{bench.node.name}: {GOOD}", 0)
    for out, packet, k in zip(bench.encapsulate(packets, into), packets, into, strict=True):
        t = bench.tunnels[k - 4]
        wanted = encap.udp(t, packet, bench.geneve, router_id)
        assert (out.next, out.data, out.meta["adj"]) == ("ip4-rewrite", wanted, 66 + k)
        h = (inner_hash.packet_hash if t.is_l3 else inner_hash.frame_hash)(packet, router_id)
        assert out.meta["flow_hash"] & 0xFFFFFFFF == h
        sums[k][0] += 1
        sums[k][1] += len(wanted)
    assert bench.counted("tx") == [tuple(pair) for pair in sums]
    assert bench.errors().get(f"{bench.node.name}: {GOOD}", 0) == good + len(packets)


def test_chains(bench: EncapBench) -> None:
    """The lengths are those of the whole packet; the hash is of what the first buffer holds."""
    frame = bytes(12) + b"\x08\0\x45" + bytes(k & 0xFF for k in range(6000))
    bench.forwarding.router_id[0] = 0
    (out,) = bench.encapsulate([frame], [4])
    assert out.data == encap.udp(bench.tunnels[0], frame, bench.geneve)


def test_the_route_is_read_for_each_packet(bench: EncapBench) -> None:
    """What the load-balance of the other end says now: one path, several, none, this router; through others too."""
    bench.load_balance(4, REWRITE, DPO_ADJACENCY, 99)
    assert (only(bench).next, only(bench).meta["adj"]) == ("ip4-rewrite", 99)
    bench.load_balance(4, LOAD_BALANCE_NEXT, DPO_LOAD_BALANCE, 9)
    bench.load_balance(9, REWRITE, DPO_ADJACENCY, 98)
    assert only(bench).meta["adj"] == 98
    bench.forwarding.load_balances[9]["n_minus_1"] = 3
    out = only(bench)
    assert (out.next, out.meta["adj"]) == ("ip4-load-balance", 9) and out.meta["flow_hash"] != 0
    bench.load_balance(4, 0, 0, 0)
    assert (only(bench).next, only(bench).meta["error"]) == ("ip4-drop", 0)
    bench.load_balance(4, 3, DPO_RECEIVE, 0)
    assert only(bench).next == "ip4-drop", "the other end would be here"
    bench.load_balance(4, LOAD_BALANCE_NEXT, DPO_LOAD_BALANCE, 4)
    assert only(bench).next == "ip4-drop", "a circle of routes ends"


def test_a_group(bench: EncapBench) -> None:
    """A tunnel to a group has an adjacency of its own, and a hash all the same."""
    records = bench.plane.shared(bench.table).records
    records[4]["adjacency"] = REWRITE | DPO_ADJACENCY_MULTICAST << 16 | 55 << 32
    out = only(bench)
    assert (out.next, out.meta["adj"]) == ("ip4-rewrite", 55)
    records[4]["adjacency"] = 0


def test_a_tunnel_that_is_gone(bench: EncapBench) -> None:
    """Packets that were under way to it are dropped."""
    records = bench.plane.shared(bench.table).records
    records[4]["in_use"] = 0
    assert only(bench).next == "ip4-drop"
    records[4]["in_use"] = 1


def test_no_room_for_headers(bench: EncapBench) -> None:
    assert only(bench, current_data=36 - ROOM, current_length=60).next == "ip4-rewrite"
    out = only(bench, current_data=35 - ROOM, current_length=60)
    assert (out.next, out.error) == ("ip4-drop", "no room for another header")


def test_not_for_ever(bench: EncapBench) -> None:
    """The last turn that a packet may take, and one more."""
    out = only(bench, flags=TURN * (MOST_TURNS - 1))
    assert out.next == "ip4-rewrite" and out.meta["flags"] & TURN * MOST_TURNS == TURN * MOST_TURNS
    out = only(bench, flags=TURN * MOST_TURNS)
    assert (out.next, out.error) == ("ip4-drop", "packet began anew too often")


def test_checksums_that_were_left_to_the_card(bench: EncapBench) -> None:
    """A card would not look into the tunnel: they are made first."""
    inner = IP(src="1.1.1.1", dst="2.2.2.2", chksum=0) / UDP(sport=1, dport=2, chksum=0) / b"payload"
    frame = bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / inner)
    flags = OFFLOAD_IP_CHECKSUM | OFFLOAD_L4_CHECKSUM
    (out,) = bench.encapsulate([frame], [4], flags=flags, l3_offset=14, l4_offset=34)
    assert not out.meta["flags"] & flags
    found = out.data[36 + 14 :]
    assert checksum(found[:20]) == 0 and found[26:28] != b"\0\0"
    assert checksum(found[12:20] + b"\0\x11" + found[24:26] + found[20:]) == 0


def test_scapy_reads_it(bench: EncapBench) -> None:
    inner = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="1.1.1.1") / UDP() / b"payload"
    (out,) = bench.encapsulate([bytes(inner)], [4])
    found = IP(out.data)
    assert (found.src, found.dst, found.ttl, found.len) == ("10.0.0.1", "10.0.0.2", 254, len(out.data))
    assert (found[UDP].dport, found[UDP].len, found[UDP].chksum) == (6081 if bench.geneve else 5555, found.len - 20, 0)
    way = GENEVE(bytes(found[UDP].payload)) if bench.geneve else VXLAN(bytes(found[UDP].payload))
    assert way.vni == 0xABCDEF and bytes(way.payload) == bytes(inner)
    wanted = found.chksum
    del found.chksum
    assert IP(bytes(found)).chksum == wanted
