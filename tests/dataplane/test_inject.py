"""Packets that Python makes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.harness import collector
from vectorplane.dataplane.buffer import DATA_SIZE
from vectorplane.dataplane.inject import free_packet, inject, make_packet
from vectorplane.dataplane.plane import Dataplane


@pytest.fixture(scope="module")
def plane() -> Iterator[Dataplane]:
    """A dataplane with one collecting node."""
    made = Dataplane([collector("end")])
    made.graph.add("end")
    made.graph.link_kernels()
    yield made
    made.close()


@examples(60)
@given(size=st.one_of(st.integers(0, 5000), st.sampled_from([0, 1, 2047, 2048, 2049, 4096, 4097])))
def test_a_packet_of_any_size(plane: Dataplane, size: int) -> None:
    data = bytes(i * 7 & 0xFF for i in range(size))
    free = plane.free_buffers()
    plane.workers[0].record["now"] = 77
    index = make_packet(plane, data)
    meta = plane.pool.meta[index]
    buffers = max(1, -(-size // DATA_SIZE))
    assert plane.pool.data(index) == data and plane.free_buffers() == free - buffers
    assert int(meta["current_length"]) + int(meta["total_rest"]) == size
    assert (int(meta["time"]), int(meta["tx_sw_if"]), int(meta["error"])) == (77, -1, 0)
    free_packet(plane, index)
    assert plane.free_buffers() == free


def test_nothing_is_kept_when_buffers_run_out(plane: Dataplane) -> None:
    held = []
    while plane.free_buffers() > 2:
        held.append(make_packet(plane, b""))
    assert make_packet(plane, bytes(3 * DATA_SIZE)) == -1
    assert plane.free_buffers() == 2 and int(plane.workers[0].record["alloc_failures"]) >= 1
    assert make_packet(plane, bytes(2 * DATA_SIZE)) >= 0
    assert not inject(plane, "end", b"x")
    for index in held:
        free_packet(plane, index)


def test_inject(plane: Dataplane) -> None:
    generated = int(plane.workers[0].record["generated"])
    assert inject(plane, "end", b"abc", rx=2, tx=3)
    assert inject(plane, "end", b"received", generated=False)
    plane.workers[0].dispatch(0)
    data = plane.graph["end"].data[0]
    first, second = (int(i) for i in data["bi"][:2])
    assert int(data["count"]) == 2 and plane.pool.data(first) == b"abc" and plane.pool.data(second) == b"received"
    meta = plane.pool.meta[first]
    assert (int(meta["rx_sw_if"]), int(meta["tx_sw_if"])) == (2, 3)
    assert int(plane.workers[0].record["generated"]) == generated + 1
