"""Slow-path events, the worker's memory, the clock and the pool: small things that all rely on."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.harness import collector
from vectorplane.dataplane.abi import ATTENTION, ATTENTION_EVENTS, FRAME, FRAME_SIZE, NODE, REAL, WORKER
from vectorplane.dataplane.buffer import CACHE_SIZE
from vectorplane.dataplane.clock import read_cycles, tsc_hz
from vectorplane.dataplane.event import CAPACITY, post
from vectorplane.dataplane.plane import Dataplane
from vectorplane.jit.kernel import compiled


@compiled
def post_many(worker: int, n: int, first: int) -> int:
    """Post ``n`` events; gives how many were taken."""
    taken = 0
    for i in range(n):
        taken += post(worker, 3, i, 1000 + i, first + i, -i, i * i)
    return taken


@pytest.fixture
def plane() -> Iterator[Dataplane]:
    """Two workers."""
    made = Dataplane([collector("end")], workers=2, buffers=8192)
    yield made
    made.close()


def test_events_arrive_in_order(plane: Dataplane) -> None:
    worker = plane.workers[1]
    assert post_many(worker.address, 5, 50) == 5
    assert int(worker.record["attention"]) & ATTENTION_EVENTS
    assert not int(plane.workers[0].record["attention"])
    assert worker.dispatch() == ATTENTION
    events = worker.events.drain()
    seen = [(int(e["kind"]), int(e["sw_if_index"]), int(e["time"]), *(int(x) for x in e["data"][:3])) for e in events]
    assert seen == [(3, i, 1000 + i, 50 + i, -i, i * i) for i in range(5)]
    assert len(worker.events.drain()) == 0
    assert int(events[4]["data"][0]) == 54, "what was drained is a copy"


def test_a_full_ring_refuses(plane: Dataplane) -> None:
    worker = plane.workers[0]
    assert post_many(worker.address, CAPACITY + 10, 0) == CAPACITY
    assert len(worker.events.drain()) == CAPACITY
    assert post_many(worker.address, 1, 7) == 1 and int(worker.events.drain()[0]["data"][0]) == 7


def test_records_are_signed() -> None:
    for dtype in (WORKER, NODE, FRAME):
        assert dtype.itemsize % 8 == 0 and dtype.fields is not None
        assert all((f[0].subdtype[0] if f[0].subdtype else f[0]).kind == "i" for f in dtype.fields.values())
    assert FRAME_SIZE == 256 and FRAME.itemsize % 64 == WORKER.itemsize % 64 == 0


def test_workers_share_no_memory(plane: Dataplane) -> None:
    one, two = (w.record for w in plane.workers)
    own = ("cache", "frames", "free_frames", "pending", "nodes", "inputs", "epoch_own", "events", "errors", "if_rx")
    assert all(int(one[f]) != int(two[f]) for f in own)
    for f in ("pool", "central", "epoch_global", "interfaces"):
        assert int(one[f]) == int(two[f])
    assert plane.workers[0].address % 64 == 0 and abs(int(one["if_rx"]) - int(two["if_rx"])) % 64 == 0
    assert abs(int(one["epoch_own"]) - int(two["epoch_own"])) >= 64, "no line shared between workers"


def test_there_are_buffers_enough_for_every_worker() -> None:
    """What a worker may keep to itself never starves another."""
    plane = Dataplane([], buffers=10, workers=3)
    assert plane.pool.count >= 3 * 2 * CACHE_SIZE and plane.free_buffers() == plane.pool.count
    plane.close()


def test_tables_of_the_engine_are_made_once(plane: Dataplane) -> None:
    class Table:
        closed = 0

        def __init__(self, owner: Dataplane) -> None:
            self.owner = owner

        def close(self) -> None:
            Table.closed += 1

    other = Dataplane([])
    assert plane.shared(Table) is plane.shared(Table) and plane.shared(Table).owner is plane
    assert other.shared(Table) is not plane.shared(Table)
    other.close()
    assert Table.closed == 1


def test_the_cycle_counter_runs() -> None:
    a = read_cycles()
    time.sleep(0.01)
    b = read_cycles()
    assert b > a and 1e7 < tsc_hz() < 1e11
    assert 0.005 < (b - a) / tsc_hz() < 5


def test_real_time_of_a_worker(plane: Dataplane) -> None:
    """The worker's own arithmetic on the cycle counter agrees with the system's clock."""
    record = plane.workers[0].record
    record["clock"], record["ns_base"] = REAL, 5_000_000_000
    record["ns_per_mega_tick"] = round(1e9 * (1 << 20) / tsc_hz())
    record["tsc_base"] = read_cycles()
    before = time.perf_counter_ns()
    time.sleep(0.05)
    plane.workers[0].dispatch()
    passed = int(record["now"]) - 5_000_000_000
    most = time.perf_counter_ns() - before
    assert 0.04e9 < passed < most * 1.1 + 1e6
