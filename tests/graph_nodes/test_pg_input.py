"""pg-input: streams, limits, turns, jumbo packets, and running out of buffers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.graph_nodes.feeder import Feeder, Given
from vectorplane.dataplane.abi import FAST
from vectorplane.dataplane.buffer import BUFFER, GSO, GSO_SIZE, OFFLOAD_IP_CHECKSUM, OFFLOAD_L4_CHECKSUM
from vectorplane.dataplane.inject import free_packet, make_packet
from vectorplane.graph_nodes.pg_input import PG_INPUT, PgStreams
from vectorplane.jit.kernel import JIT


@pytest.fixture
def feeders() -> Iterator[list[Feeder]]:
    """Closes what a test puts in, when no buffer was lost."""
    made: list[Feeder] = []
    yield made
    for f in made:
        assert f.buffers_are_back()
        f.close()


def build(feeders: list[Feeder], **options: Any) -> Feeder:
    """Closed after the test."""
    feeders.append(Feeder(PG_INPUT, PgStreams, clock=FAST, **options))
    return feeders[-1]


def packet(i: int, size: int = 60) -> bytes:
    """A packet to recognize."""
    return (bytes([i & 0xFF, i >> 8 & 0xFF]) * (size // 2 + 1))[:size]


def test_a_stream_repeats_up_to_its_limit(feeders: list[Feeder]) -> None:
    f = build(feeders)
    f.source(0, [[Given(0, packet(i)) for i in range(3)]], remaining=700)
    f.plane.workers[0].record["now"] = 42
    found = f.run()
    assert [p.data for p in found] == [packet(i % 3) for i in range(700)]
    assert [p.seq for p in found] == list(range(700)) and {p.time for p in found} == {42}
    assert f.vectors == [256, 256, 188] and f.rx() == (700, 700 * 60)
    assert {p.meta["tx_sw_if"] for p in found} == {-1} and {p.meta["flags"] for p in found} == {0}


def test_streams_one_after_another_and_in_turns(feeders: list[Feeder]) -> None:
    f = build(feeders)
    for k in range(3):
        f.source(k, [[Given(0, packet(k))]], interface=k + 1, remaining=4)
    assert [p.rx_sw_if for p in f.run()] == [1] * 4 + [2] * 4 + [3] * 4
    for k in range(3):
        f.source(k, [[Given(0, packet(k))]], interface=k + 1, remaining=4, burst=1)
    assert [p.rx_sw_if for p in f.run()] == [1, 2, 3] * 4


def test_max_frame(feeders: list[Feeder]) -> None:
    f = build(feeders)
    f.source(0, [[Given(0, packet(1))]], remaining=10, max_frame=4)
    assert len(f.run()) == 10 and f.vectors == [4, 4, 2]


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 2047, 2048, 2049, 4096, 9000])
def test_sizes(feeders: list[Feeder], size: int) -> None:
    f = build(feeders)
    f.source(0, [[Given(0, packet(7, size))]], remaining=2)
    found = f.run()
    assert [p.data for p in found] == [packet(7, size)] * 2
    assert f.rx() == (2, 2 * size)


@pytest.mark.parametrize("size", [3000, 5000])
def test_vectors_of_jumbo_packets(feeders: list[Feeder], size: int) -> None:
    """Each takes several buffers: what was reserved for the vector is used up long before its end."""
    f = build(feeders, vector_size=256 if JIT else 130)
    count = 600 if JIT else 130
    f.source(0, [[Given(0, packet(i, size)) for i in range(count)]], remaining=count)
    found = f.run()
    assert [p.data for p in found] == [packet(i, size) for i in range(count)]
    assert f.plane.error_counts() == {}


def test_running_out_of_buffers_is_counted(feeders: list[Feeder]) -> None:
    """548 buffers are left, 256 of them for the heads of a vector: packets of four buffers that do not fit are lost."""
    f = build(feeders, buffers=2048)
    held = [make_packet(f.plane, b"") for _ in range(1500)]
    f.source(0, [[Given(0, packet(i, 8000)) for i in range(256)]], remaining=256)
    found = f.run()
    assert (548 - 256) // 4 <= len(found) <= 548 // 4
    assert [p.data for p in found] == [packet(i, 8000) for i in range(len(found))]
    assert f.plane.error_counts("drops") == {"pg-input: no buffers: packet lost on receive": 256 - len(found)}
    assert f.rx() == (256, 256 * 8000), "the balance counts what arrived"
    for index in held:
        free_packet(f.plane, index)


def test_where_a_stream_goes(feeders: list[Feeder]) -> None:
    """Straight to ip4-input, the headers then being where the packet begins."""
    f = build(feeders)
    slot = f.plane.graph.add_next(f.node, "ip4-input")
    f.source(0, [[Given(0, packet(1))]], remaining=2, next=slot)
    f.source(1, [[Given(0, packet(2))]], remaining=1, interface=2)
    found = f.run()
    assert sorted((p.node, p.data) for p in found) == [
        ("ethernet-input", packet(2)),
        ("ip4-input", packet(1)),
        ("ip4-input", packet(1)),
    ]
    assert {p.meta["l3_offset"] for p in found if p.node == "ip4-input"} == {0}


def ip4(protocol: int, size: int, words: int = 5, data_offset: int = 5) -> bytes:
    """An IPv4 packet of which only what offloading looks at is true."""
    head = bytes([0x40 | words]) + bytes(8) + bytes([protocol]) + bytes(4 * words - 10)
    return (head + bytes(12) + bytes([data_offset << 4]) + bytes(size))[:size]


NO_IP = (0x0806, 0x86DD)
TAGS = (b"", bytes.fromhex("81000064"), bytes.fromhex("88a8006481000007"))


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize(("offload", "gso_size"), [(0, 1400), (768, 0), (768, 1400)])
def test_offload_flags(feeders: list[Feeder], offload: int, gso_size: int, bare: bool) -> None:
    """IPv4 checksums always, TCP's always, UDP's with checksum offload; chains of TCP are to be cut."""
    f = build(feeders)
    given: list[tuple[bytes, int, int]] = []
    for tags in (b"",) if bare else TAGS:
        front = b"" if bare else bytes(12) + tags + b"\x08\x00"
        for size in (100, 3000):
            for words, data_offset in ((5, 5), (7, 8)):
                cut = GSO if gso_size and size > 2048 else 0
                largest = gso_size + 4 * words + 4 * data_offset if cut else 0
                tcp = OFFLOAD_IP_CHECKSUM | OFFLOAD_L4_CHECKSUM | cut
                given.append((front + ip4(6, size, words, data_offset), tcp, largest))
            given.append((front + ip4(17, size), OFFLOAD_IP_CHECKSUM | (offload & OFFLOAD_L4_CHECKSUM), 0))
            given.append((front + ip4(1, size), OFFLOAD_IP_CHECKSUM, 0))
        given += [(front + ip4(6, 40)[:n], 0, 0) for n in range(20)]
    if not bare:
        given += [(bytes(12) + kind.to_bytes(2, "big") + ip4(6, 100), 0, 0) for kind in NO_IP]
    slot = f.plane.graph.add_next(f.node, "ip4-input") if bare else 0
    records = [Given(0, data) for data, _, _ in given]
    f.source(0, [records], remaining=len(given), next=slot, offload=offload, gso_size=gso_size)
    found = f.run()
    flags = OFFLOAD_IP_CHECKSUM | OFFLOAD_L4_CHECKSUM | GSO
    for p, (data, expected, largest) in zip(found, given, strict=True):
        assert p.data == data and p.meta["flags"] & flags == expected, data[:60].hex()
        if expected & GSO:
            assert p.opaque[(GSO_SIZE - int(BUFFER.fields["opaque"][1])) // 8] == largest  # type: ignore[index]
