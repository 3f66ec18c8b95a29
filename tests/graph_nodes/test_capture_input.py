"""capture-input: merging by time, time that never runs back, horizon, limits, queues, ARP alone, made-up headers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.graph_nodes.feeder import Feeder, Given, Packet
from tests.naive.capture_merge import merge
from vectorplane.dataplane.abi import DEADLINE, FAST, VIRTUAL
from vectorplane.dataplane.inject import free_packet, make_packet
from vectorplane.graph_nodes.capture_input import CAPTURE_INPUT, CaptureSources
from vectorplane.jit.kernel import JIT

ETHERNET = bytes.fromhex("02fe0000000102000000aaaa0800")
ARP = bytes.fromhex("ffffffffffff02000000aaaa0806") + bytes(28)
MINUTE = 60_000_000_000


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
    feeders.append(Feeder(CAPTURE_INPUT, CaptureSources, **options))
    return feeders[-1]


def frame(i: int, size: int = 60) -> bytes:
    """A frame to recognize."""
    return (ETHERNET + bytes([i & 0xFF, i >> 8]) * size)[:size]


def seen(packets: list[Packet]) -> list[tuple[int, int, bytes]]:
    """What must not depend on the vector size."""
    return [(p.time, p.seq, p.data) for p in packets]


@pytest.mark.parametrize("size", [1, 7, 256])
def test_each_packet_has_its_own_time(feeders: list[Feeder], size: int) -> None:
    """One vector of a slow capture spans an hour; each packet carries its own time."""
    f = build(feeders, vector_size=size)
    f.source(0, [[Given(i * MINUTE, frame(i)) for i in range(60)]])
    found = f.run()
    assert seen(found) == [(i * MINUTE, i, frame(i)) for i in range(60)]
    assert f.vectors == [size] * (60 // size) + ([60 % size] if 60 % size else [])


records = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 80)), max_size=40)


@examples(80)
@given(
    sources=st.lists(records, min_size=1, max_size=3),
    cut=st.integers(1, 20),
    size=st.sampled_from([1, 3, 256]),
    limit=st.one_of(st.none(), st.integers(0, 40)),
)
def test_merge(sources: list[list[tuple[int, int]]], cut: int, size: int, limit: int | None) -> None:
    """Captures in windows of any size, times in any order: what comes out is the naive merge."""
    f = Feeder(CAPTURE_INPUT, CaptureSources, vector_size=size)
    try:
        if limit is not None:
            f.node.data["limit"] = limit
        for k, source in enumerate(sources):
            given_records = [Given(t, frame(j, s)) for j, (t, s) in enumerate(source)]
            windows = [given_records[i : i + cut] for i in range(0, len(source), cut)] or [[]]
            f.source(k, windows, interface=k + 1)
        found = f.run()
        expected = merge(sources, limit)
        assert [(p.rx_sw_if - 1, p.time) for p in found] == expected
        assert [p.seq for p in found] == list(range(len(expected)))
        for k, source in enumerate(sources):
            mine = [p.data for p in found if p.rx_sw_if == k + 1]
            assert mine == [frame(j, s) for j, (_, s) in enumerate(source)][: len(mine)]
            assert f.rx(k + 1) == (len(mine), sum(map(len, mine)))
        assert f.buffers_are_back()
    finally:
        f.close()


def test_nothing_beyond_the_deadline(feeders: list[Feeder]) -> None:
    f = build(feeders)
    f.source(0, [[Given(t, frame(t)) for t in (10, 20, 30, 40)]])
    f.plane.graph.link_kernels()
    f.plane.workers[0].record["deadline"] = 30
    assert f.plane.workers[0].dispatch() == DEADLINE
    assert [p.time for p in f._collect(0)] == [10, 20, 30], "that at the deadline included"
    assert int(f.node.record(0)["next_time"]) == 40
    f.plane.workers[0].record["deadline"] = 1000
    assert [p.time for p in f.run()] == [40]


@pytest.mark.parametrize("clock", [VIRTUAL, FAST])
def test_arp_travels_alone(feeders: list[Feeder], clock: int) -> None:
    f = build(feeders, clock=clock)
    tagged = ARP[:12] + bytes.fromhex("81000064") + ARP[12:]
    double = ARP[:12] + bytes.fromhex("88a800c881000064") + ARP[12:]
    kinds = [frame(0), frame(1), ARP, frame(2), tagged, double, frame(3), frame(4)]
    f.source(0, [[Given(i, data) for i, data in enumerate(kinds)]])
    assert [p.data for p in f.run()] == kinds
    assert f.vectors == ([2, 1, 1, 1, 1, 2] if clock == VIRTUAL else [8])


def test_made_up_ethernet_headers(feeders: list[Feeder]) -> None:
    """Captures of raw IP get a header to the interface's own address; ARP among them travels alone as well."""
    f = build(feeders)
    sizes = (0, 20, 2047, 2048, 2049, 5000)
    given_records = [Given(i, bytes([i]) * s, ethertype=0x0800) for i, s in enumerate(sizes)]
    f.source(0, [[*given_records, Given(9, bytes(28), ethertype=0x0806)]])
    found = f.run()
    header = bytes.fromhex("02fe00000001") + bytes(6)
    assert [p.data for p in found] == [header + b"\x08\x00" + bytes([i]) * s for i, s in enumerate(sizes)] + [
        header + b"\x08\x06" + bytes(28)
    ]
    assert f.vectors == [6, 1] and f.rx() == (7, sum(len(p.data) for p in found))


@pytest.mark.parametrize("size", [3000, 5000])
def test_vectors_of_jumbo_packets(feeders: list[Feeder], size: int) -> None:
    """Each takes several buffers: what was reserved for the vector is used up long before its end."""
    f = build(feeders)
    count = 600 if JIT else 130
    f.source(0, [[Given(i, frame(i, size)) for i in range(count)]])
    found = f.run()
    assert [p.data for p in found] == [frame(i, size) for i in range(count)]
    assert f.plane.error_counts() == {}


def test_running_out_of_buffers_is_counted(feeders: list[Feeder]) -> None:
    f = build(feeders, buffers=2048)
    held = [make_packet(f.plane, b"") for _ in range(2000)]
    f.source(0, [[Given(i, frame(i)) for i in range(100)]])
    found = f.run()
    assert [p.seq for p in found] == list(range(48)) and f.rx() == (100, 6000)
    assert f.plane.error_counts("drops") == {"capture-input: no buffers: packet lost on receive": 52}
    for index in held:
        free_packet(f.plane, index)


def test_queues(feeders: list[Feeder]) -> None:
    """Each worker takes the records of its queue; arrival numbers and times are the same as one worker's."""
    f = build(feeders, workers=2)
    queues = [0, 1, 1, 0, 1, 0, 0, 0, 1]
    times = [5, 6, 3, 7, 8, 2, 9, 9, 10]
    f.source(0, [[Given(t, frame(i), queue=q) for i, (t, q) in enumerate(zip(times, queues, strict=True))]])
    for w in range(2):
        f.tables[w][0]["queue"] = w
    found = {w: f.run(w) for w in range(2)}
    clock = [max(times[: i + 1]) for i in range(9)]
    for w in range(2):
        expected = [(clock[i], i, frame(i)) for i in range(9) if queues[i] == w]
        assert seen(found[w]) == expected


def test_a_time_offset(feeders: list[Feeder]) -> None:
    f = build(feeders)
    f.source(0, [[Given(5, frame(0)), Given(6, frame(1))]], time_offset=1000)
    assert [p.time for p in f.run()] == [1005, 1006]
