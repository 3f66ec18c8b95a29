"""pg-input: streams, limits, turns, jumbo packets, and running out of buffers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.graph_nodes.feeder import Feeder, Given
from vectorplane.dataplane.abi import FAST
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
