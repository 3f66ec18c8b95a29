"""ip4-rewrite against its naive oracle; scapy checks the checksums of what leaves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.harness import COLLECTOR, Bench, collect
from tests.naive.ip4_fast import Rewritten, checksum, header, rewrite
from vectorplane.dataplane.abi import TERMINAL
from vectorplane.dataplane.buffer import BUFFER, GSO, GSO_SIZE, LOCALLY_ORIGINATED
from vectorplane.dataplane.feature import ArcType, Feature
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.forwarding import ADJ_COUNTED, ADJ_HAS_FEATURES, Forwarding
from vectorplane.graph_nodes.ip4_rewrite import IP4_OUTPUT, IP4_REWRITE

LENGTHS = (0, 4, 7, 8, 14, 18, 22, 32, 33, 54, 62, 120)
FEATURE = NodeType("out-feature", kernel=collect, kind=TERMINAL, runtime=COLLECTOR, features=(Feature("ip4-output"),))


class Rewriter(Bench):
    """ip4-rewrite with one adjacency out of pg2 that a test can change."""

    def __init__(self) -> None:
        super().__init__(IP4_REWRITE, types=(FEATURE,), arcs=(IP4_OUTPUT,))
        self.forwarding = self.plane.shared(Forwarding)
        self.forwarding.adj_counters.extend(16)
        self.add_stub("pg1-output")
        self.slot = self.plane.graph.add_next(self.node, "pg1-output")

    def adjacency(self, index: int, prefix: bytes, mtu: int, flags: int = 0) -> None:
        """Write it."""
        a = self.forwarding.adjacencies[index]
        a["next"], a["rewrite_length"], a["sw_if_index"], a["mtu"], a["flags"] = self.slot, len(prefix), 2, mtu, flags
        where = a["short"] if len(prefix) <= 32 else a["long"]
        where[:] = -1
        if prefix:
            where[len(where) - len(prefix) :] = np.frombuffer(prefix, "i1")

    def one(self, packet: bytes, index: int = 3, local: bool = False) -> Rewritten:
        """Send one packet through."""

        def meta(i: int, m: np.void) -> None:
            m["adj"] = index
            m["flags"] |= LOCALLY_ORIGINATED if local else 0

        (out,) = self.run([packet], meta=meta)
        if out.next == "pg1-output":
            assert out.tx_sw_if == 2
        icmp = None
        if out.next == "ip4-icmp-error":
            icmp = (out.meta["icmp_type"], out.meta["icmp_code"] & 0xFF, out.meta["icmp_data"])
            assert out.tx_sw_if == -1
        self.last = out
        return Rewritten(out.next, out.error, out.data, icmp)


@pytest.fixture(scope="module")
def rewriter() -> Iterator[Rewriter]:
    """One for all tests."""
    made = Rewriter()
    yield made
    assert made.leaked() == 0
    made.close()


def same(found: Rewritten, expected: Rewritten, prefix: int = 0) -> bool:
    """Equal; a checksum of 0 is as good as one of 0xFFFF."""
    a, b = found.data, expected.data
    at = 10 + (prefix if found.next == "pg1-output" else 0)
    masked = (a[:at] + a[at + 2 :], b[:at] + b[at + 2 :])
    size = (a[at - 10] & 15) * 4
    right = checksum(a[at - 10 : at - 10 + size]) == 0
    return (
        (found.next, found.error, found.icmp) == (expected.next, expected.error, expected.icmp)
        and masked[0] == masked[1]
        and right
    )


@pytest.mark.parametrize("length", LENGTHS)
def test_rewrite_lengths(rewriter: Rewriter, length: int) -> None:
    """Plain, one and two VLAN tags, a tunnel's headers: exactly so many bytes in front."""
    prefix = bytes(range(100, 100 + length))
    rewriter.adjacency(3, prefix, 1500)
    packet = header(total=60) + bytes(40)
    found = rewriter.one(packet)
    assert same(found, rewrite(packet, mtu=1500, prefix=prefix, output="pg1-output"), length)
    assert found.data[:length] == prefix


@examples(160)
@given(
    total=st.one_of(st.integers(20, 1600), st.sampled_from([1499, 1500, 1501])),
    ttl=st.integers(1, 255),
    fragment=st.sampled_from([0, 0x4000, 0x2000, 0x6000, 0x4001, 100]),
    identification=st.integers(0, 0xFFFF),
    destination=st.integers(0, 0xFFFFFFFF),
    options=st.sampled_from([b"", b"", b"\1" * 8]),
    tags=st.sampled_from([0, 4, 8, 40]),
    local=st.booleans(),
)
def test_random(
    rewriter: Rewriter,
    total: int,
    ttl: int,
    fragment: int,
    identification: int,
    destination: int,
    options: bytes,
    tags: int,
    local: bool,
) -> None:
    prefix = bytes(range(14 + tags))
    total = max(total, 20 + len(options))
    rewriter.adjacency(3, prefix, 1500)
    packet = header(
        total=total,
        ttl=ttl,
        fragment=fragment,
        identification=identification,
        destination=destination,
        options=options,
    )
    packet += bytes(total - len(packet))
    found = rewriter.one(packet, local=local)
    expected = rewrite(packet, mtu=1500, prefix=prefix, output="pg1-output", local=local)
    assert same(found, expected, len(prefix)), (packet[:32].hex(), found.next, expected.next)


def test_a_packet_that_does_not_fit_is_as_it_came(rewriter: Rewriter) -> None:
    """The TTL's decrement is undone, the checksum with it, at the ends of what a checksum can be too."""
    rewriter.adjacency(3, bytes(14), 100)
    packets = {}
    for i in range(65536):
        packet = header(total=200, identification=i)
        packets[int.from_bytes(packet[10:12], "little")] = packet + bytes(180)
    edges = [0, 1, 2, 0xFE, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFEFF, 0xFF00, 0xFFFD, 0xFFFE, 0xFFFF]
    chosen = [packets[e] for e in edges if e in packets]
    assert len(chosen) >= 12
    outs = rewriter.run(chosen, meta=lambda i, m: m.__setitem__("adj", 3))
    for out, packet in zip(outs, chosen, strict=True):
        assert out.next == "ip4-frag" and out.data == packet


def test_segments_that_a_card_will_cut(rewriter: Rewriter) -> None:
    """What counts is the size of the packets that it makes, not that of the segment."""
    rewriter.adjacency(3, bytes(14), 1500)
    packet = header(total=5000) + bytes(4980)
    for size, expected in ((1500, "pg1-output"), (1501, "ip4-frag")):

        def meta(i: int, m: np.void, size: int = size) -> None:
            m["adj"] = 3
            m["flags"] |= GSO
            m["opaque"][(GSO_SIZE - BUFFER.fields["opaque"][1]) // 8] = size

        (out,) = rewriter.run([packet], meta=meta)
        assert out.next == expected


def test_chains(rewriter: Rewriter) -> None:
    prefix = bytes(range(14))
    rewriter.adjacency(3, prefix, 9000, ADJ_COUNTED)
    before = rewriter.forwarding.adj_counters.total(3).tolist()
    packet = header(total=5000) + bytes(i & 0xFF for i in range(4980))
    assert same(rewriter.one(packet), rewrite(packet, mtu=9000, prefix=prefix, output="pg1-output"), 14)
    after = rewriter.forwarding.adj_counters.total(3).tolist()
    assert [after[0] - before[0], after[1] - before[1]] == [1, 5014]


def test_output_features(rewriter: Rewriter) -> None:
    """They come before the output node, when the adjacency says that there are any."""
    rewriter.adjacency(3, bytes(14), 1500)
    rewriter.adjacency(4, bytes(14), 1500, ADJ_HAS_FEATURES)
    packet = header(total=20)
    assert rewriter.one(packet, 4).next == "pg1-output"
    rewriter.plane.arcs["ip4-output"].enable(2, "out-feature")
    rewriter.plane.graph.link_kernels()
    assert (rewriter.one(packet, 4).next, rewriter.one(packet, 3).next) == ("out-feature", "pg1-output")
    rewriter.plane.arcs["ip4-output"].enable(2, "out-feature", False)
    assert rewriter.one(packet, 4).next == "pg1-output"
    assert isinstance(IP4_OUTPUT, ArcType)


def test_scapy_finds_the_checksum_right(rewriter: Rewriter) -> None:
    from scapy.layers.inet import IP, UDP
    from scapy.layers.l2 import Dot1Q, Ether

    prefix = bytes(Ether(dst="02:00:00:00:00:01", src="02:fe:00:00:00:02") / Dot1Q(vlan=100, type=0x0800))
    rewriter.adjacency(3, prefix, 1500)
    for i in range(1, 60, 7):
        sent = IP(src="10.0.0.1", dst=f"10.9.{i}.1", ttl=i + 1, id=i * 997) / UDP(sport=i, dport=53) / (b"x" * i)
        found = Ether(rewriter.one(bytes(sent)).data)
        assert found[Dot1Q].vlan == 100 and found[IP].ttl == i
        wanted = found[IP].chksum
        del found[IP].chksum
        assert Ether(bytes(found))[IP].chksum == wanted
