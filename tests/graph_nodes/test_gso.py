"""gso-ip4 and gso-l2-ip4 against scapy: segments of TCP, with tags and in tunnels."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.geneve import GENEVE
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import GRE, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from tests.budget import examples
from tests.harness import Bench, Out
from tests.naive.tcp_segments import segments
from vectorplane.dataplane.buffer import BUFFER, GSO, GSO_SIZE, OFFLOAD_L4_CHECKSUM
from vectorplane.dataplane.inject import make_packet
from vectorplane.dataplane.interface import CUTS_TCP
from vectorplane.graph_nodes.forwarding import DPO_ADJACENCY, DPO_MIDCHAIN, Forwarding
from vectorplane.graph_nodes.gso import GSO_IP4, GSO_L2_IP4

PORT, ADJ = 1, 3
GSO_WORD = (GSO_SIZE - BUFFER.fields["opaque"][1]) // 8  # type: ignore[index]
ETHER = Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02")
OUTER = IP(src="192.0.2.1", dst="192.0.2.2", id=0, ttl=64)
NO_SUM = UDP(sport=50000, dport=4789, chksum=0)
WRAPS: dict[str, Callable[[Packet], Packet]] = {
    "plain": lambda p: ETHER / p,
    "tagged": lambda p: ETHER / Dot1Q(vlan=5) / p,
    "twice tagged": lambda p: ETHER / Dot1Q(vlan=5) / Dot1Q(vlan=6) / p,
    "ipip": lambda p: ETHER / OUTER / p,
    "gre": lambda p: ETHER / OUTER / GRE() / p,
    "gre, bridged": lambda p: ETHER / OUTER / GRE() / ETHER / p,
    "vxlan": lambda p: ETHER / OUTER / NO_SUM / VXLAN(vni=7) / ETHER / p,
    "vxlan, tagged": lambda p: ETHER / OUTER / NO_SUM / VXLAN(vni=7) / ETHER / Dot1Q(vlan=9) / p,
    "geneve": lambda p: ETHER / OUTER / UDP(sport=50000, dport=6081, chksum=0) / GENEVE(vni=7) / ETHER / p,
}
TUNNELS = [w for w in WRAPS if w not in ("plain", "tagged", "twice tagged")]


def tcp(size: int, seq: int = 1000, flags: str = "PA", options: int = 0, **ip: Any) -> Packet:
    data = bytes(i * 7 % 251 for i in range(size))
    more = [("NOP", None)] * (4 * options)
    return IP(src="10.0.0.1", dst="10.0.1.1", id=77, **ip) / TCP(seq=seq, flags=flags, options=more) / Raw(data)


class Cutter:
    """One of the nodes, on its arc for the port `PORT`."""

    def __init__(self, l2: bool) -> None:
        node = GSO_L2_IP4 if l2 else GSO_IP4
        self.bench = Bench(node, buffers=16384)
        self.arc = self.bench.plane.arcs[node.features[0].arc]
        self.arc.enable(PORT, node.name)
        self.adjacency = self.bench.plane.shared(Forwarding).adjacencies[ADJ]

    def run(self, frames: list[bytes], mss: int, rewrite: int = 14, kind: int = DPO_ADJACENCY) -> list[Out]:
        """``mss`` 0: packets that are not to be cut."""
        self.adjacency["rewrite_length"], self.adjacency["type"] = rewrite, kind
        start = int(self.arc._words[PORT])

        def meta(i: int, m: Any) -> None:
            m["config_index"], m["tx_sw_if"], m["adj"] = start + 1, PORT, ADJ
            if mss:
                m["flags"] |= GSO | OFFLOAD_L4_CHECKSUM
                m["opaque"][GSO_WORD] = mss + headers(frames[i])

        return self.bench.run(frames, meta=meta)


def headers(frame: bytes) -> int:
    """Bytes of the IPv4 and TCP headers of the innermost packet."""
    try:
        packet = Ether(frame)
    except struct.error:  # less than an Ethernet header
        return 40
    if not packet.haslayer(TCP) or packet.getlayer(TCP).underlayer is None:
        return 40
    inner = packet.getlayer(TCP).underlayer
    return len(inner) - len(packet.getlayer(TCP).payload)


@pytest.fixture(params=[False, True], ids=["routed", "bridged"])
def cutter(request: pytest.FixtureRequest) -> Iterator[Cutter]:
    made = Cutter(request.param)
    yield made
    made.bench.close()


@examples(40)
@given(
    size=st.one_of(st.integers(1, 3000), st.integers(3000, 60000)),
    mss=st.one_of(st.integers(1, 100), st.integers(400, 1600), st.integers(1900, 9000)),
    seq=st.sampled_from([0, 1000, 2**32 - 1, 2**32 - 3000]),
    flags=st.sampled_from(["A", "PA", "FPA", "SPFAUEC", ""]),
    options=st.integers(0, 10),
    wrap=st.sampled_from(sorted(WRAPS)),
    bridged=st.booleans(),
)
def test_agrees_with_scapy(size: int, mss: int, seq: int, flags: str, options: int, wrap: str, bridged: bool) -> None:
    """Whole, in order, checksums right: what leaves is what scapy makes of it."""
    mss = max(mss, size // 200)
    packet = WRAPS[wrap](tcp(size, seq, flags, options))
    frame = bytes(packet)
    cutter = Cutter(bridged)
    try:
        rewrite = {"tagged": 18, "twice tagged": 22}.get(wrap, 14)
        outs = cutter.run([frame], mss, rewrite)
        assert [o.data for o in outs] == segments(Ether(frame), mss, 2048)
        assert {o.next for o in outs} == {cutter.arc.type.end}
        assert all(o.meta["flags"] & (GSO | OFFLOAD_L4_CHECKSUM) == 0 and o.tx_sw_if == PORT for o in outs)
        assert int(cutter.bench.worker.record["generated"]) == len(outs) - 1
        assert cutter.bench.errors() == {} and cutter.bench.leaked() == 0
    finally:
        cutter.bench.close()


def test_a_midchain_has_no_ethernet_header() -> None:
    """A tunnel's own output: the rewrite is the outer header."""
    cutter = Cutter(False)
    frame = bytes(OUTER / GRE() / tcp(5000))
    outs = cutter.run([frame], 1000, rewrite=24, kind=DPO_MIDCHAIN)
    assert [o.data for o in outs] == segments(IP(frame), 1000, 2048)
    cutter.bench.close()


def test_what_is_not_to_be_cut_passes_in_its_place(cutter: Cutter) -> None:
    """No packet overtakes another, whichever of them are cut."""
    small, large = bytes(ETHER / tcp(100)), bytes(ETHER / tcp(3000))
    frames = [small, large, small, small, large, small]
    start = int(cutter.arc._words[PORT])
    cutter.adjacency["rewrite_length"], cutter.adjacency["type"] = 14, DPO_ADJACENCY

    def meta(i: int, m: Any) -> None:
        m["config_index"], m["tx_sw_if"], m["adj"] = start + 1, PORT, ADJ
        if frames[i] is large:
            m["flags"] |= GSO
            m["opaque"][GSO_WORD] = 1040

    outs = cutter.bench.run(frames, meta=meta)
    assert [o.index for o in outs] == [0, 1, 1, 1, 2, 3, 4, 4, 4, 5]
    assert [o.data for o in outs if o.index in (0, 2, 3, 5)] == [small] * 4


def test_an_interface_that_can_cut_gets_it_whole_but_not_out_of_a_tunnel(cutter: Cutter) -> None:
    cutter.bench.plane.interfaces.records[PORT]["flags"] |= CUTS_TCP
    plain, tunnelled = bytes(ETHER / tcp(5000)), bytes(WRAPS["vxlan"](tcp(5000)))
    outs = cutter.run([plain, tunnelled], 1000)
    assert outs[0].data == plain and outs[0].meta["flags"] & GSO
    assert [o.data for o in outs[1:]] == segments(Ether(tunnelled), 1000, 2048)


@pytest.mark.parametrize(
    "packet",
    [
        ETHER / IP() / UDP() / Raw(bytes(3000)),
        ETHER / IPv6() / TCP() / Raw(bytes(3000)),
        ETHER / IP(ihl=4) / TCP() / Raw(bytes(3000)),
        ETHER / IP() / TCP(dataofs=3) / Raw(bytes(3000)),
        WRAPS["ipip"](OUTER / tcp(3000)),
        ETHER / OUTER / NO_SUM / VXLAN(vni=7) / ETHER / Raw(b"\x86\xdd" * 20),
        ETHER / OUTER / GRE(key_present=1) / tcp(3000),
        ETHER / OUTER / UDP(dport=53) / tcp(3000),
        ETHER / tcp(0),
        ETHER / Raw(b""),
    ],
)
def test_what_can_not_be_cut_is_a_named_drop(cutter: Cutter, packet: Packet) -> None:
    (out,) = cutter.run([bytes(packet)], 1000)
    assert (out.next, out.error, out.data) == ("error-drop", "unhandled gso type", bytes(packet))
    assert int(cutter.bench.plane.if_stats["tx-error"].total()[PORT]) == 1
    assert cutter.bench.leaked() == 0


@examples(200)
@given(st.binary(max_size=120), st.integers(0, 120), st.booleans())
def test_garbage_is_not_read_beyond_its_end(data: bytes, cut_at: int, bridged: bool) -> None:
    """Beginnings of real packets, and bytes of any kind; with the JIT off a read outside a packet is an error."""
    cutter = Cutter(bridged)
    frame = bytes(WRAPS["geneve"](tcp(60)))[:cut_at] + data
    outs = cutter.run([frame], 20)
    assert outs and cutter.bench.leaked() == 0
    cutter.bench.close()


def test_too_few_buffers_drop_the_whole_packet(cutter: Cutter) -> None:
    bench = cutter.bench
    while bench.plane.free_buffers() > 6:
        make_packet(bench.plane, b"")
    before = bench.plane.free_buffers()
    packet = bytes(ETHER / tcp(3000))
    (out,) = cutter.run([packet], 100)
    assert (out.next, out.data) == ("error-drop", packet)
    assert bench.plane.graph.error_names[out.meta["error"]][1] == "no buffers to segment GSO"
    assert bench.plane.free_buffers() == before
