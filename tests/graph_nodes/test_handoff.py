"""Packets passed from worker to worker: by hash on receive, ring after ring, and refused when a ring is full."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.backends.sim import balanced, forwarder, number_of, udp
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.handoff import InterfaceHandoffs
from vectorplane.backends.engine.sim_nic import SimNic
from vectorplane.dataplane.inject import enqueue_packet
from vectorplane.dataplane.trace_log import TraceLog
from vectorplane.graph_nodes.handoff import Handoffs


def spread(workers: Sequence[int], clock: str = "virtual", **options: int) -> tuple[Engine, SimNic, SimNic]:
    """Two workers; what port0 receives by its one queue is handed to ``workers``."""
    engine, (first, second) = forwarder(workers=2, clock=clock, **options)
    engine.plane.shared(InterfaceHandoffs).set(first.sw_if_index, workers)
    return engine, first, second


def handled(engine: Engine) -> list[int]:
    """Packets that each worker's ip4-input saw."""
    index = engine.plane.graph["ip4-input"].index
    return [int(engine.plane.node_stats["vectors"].thread(w)[index]) for w in range(2)]


@pytest.mark.parametrize("clock", ["virtual", "fast"])
@pytest.mark.parametrize("workers", [[0], [1], [0, 1]])
def test_spread_over_workers(clock: str, workers: list[int]) -> None:
    engine, first, second = spread(workers, clock)
    first.inject([(1000 * i, udp(i)) for i in range(3000)])
    engine.run()
    sent = second.transmitted()
    assert sorted(number_of(f) for _, f in sent) == list(range(3000))
    if clock == "virtual":
        assert [t for t, _ in sent] == [1000 * i for i in range(3000)]
    shares = handled(engine)
    assert sum(shares) == 3000
    assert all((shares[w] > 500) == (w in workers) for w in range(2))
    balanced(engine)
    engine.close()


def test_results_do_not_depend_on_vectors_or_luck() -> None:
    results = []
    for vector_size in (256, 1, 256):
        engine, first, second = spread([0, 1], vector_size=vector_size)
        first.inject([(700 * i, udp(i, ttl=1 if i % 13 == 0 else 9)) for i in range(1000)])
        engine.run()
        results.append((second.transmitted(), engine.plane.error_counts("drops"), handled(engine)))
        balanced(engine)
        engine.close()
    assert results[0] == results[1] == results[2]


def test_a_full_ring_drops() -> None:
    """All of it is passed to worker 1 within one epoch, and only four fit."""
    engine, first, second = spread([1])
    engine.plane.shared(Handoffs).matrix["slots"] = 4
    first.inject([(i, udp(i)) for i in range(100)])
    engine.run()
    assert [number_of(f) for _, f in second.transmitted()] == [0, 1, 2, 3]
    assert engine.plane.error_counts("drops") == {"worker-handoff: congestion drop": 96}
    balanced(engine)
    engine.close()


def test_what_is_under_way() -> None:
    engine, first, second = spread([1])
    handoffs = engine.plane.shared(Handoffs)
    first.inject([(i, udp(i)) for i in range(3)])
    engine.link()
    engine.plane.workers[0].dispatch(1)  # and before worker 1 sees them
    under_way = handoffs.under_way()
    assert [(worker, node) for worker, _, node in under_way] == [(1, "ethernet-input")] * 3
    assert handoffs.take_all() == under_way and handoffs.under_way() == []
    for worker, buffer, node in under_way:
        enqueue_packet(engine.plane, node, buffer, worker)
    engine.run()
    assert [number_of(f) for _, f in second.transmitted()] == [0, 1, 2]
    balanced(engine)
    engine.close()


def test_other_frames_stay_and_it_can_be_switched_off() -> None:
    engine, first, _ = spread([1])
    first.inject([(1, udp(1)[:12] + b"\x88\x47" + bytes(40))])
    engine.run()
    assert handled(engine) == [0, 0]
    assert engine.plane.error_counts("drops") == {"ethernet-input: unknown ethernet type": 1}
    handoff = engine.plane.shared(InterfaceHandoffs)
    handoff.set(first.sw_if_index, [0, 1], symmetric=False)
    assert engine.plane.arcs["device-input"].chain(first.sw_if_index) == ["worker-handoff"]
    handoff.set(first.sw_if_index, [])
    assert engine.plane.arcs["device-input"].chain(first.sw_if_index) == []
    first.inject([(i, udp(i)) for i in range(10, 20)])
    engine.run()
    assert handled(engine) == [10, 0]
    with pytest.raises(ValueError, match="no worker 2"):
        handoff.set(first.sw_if_index, [2])
    engine.close()


def test_trace() -> None:
    """The trace of a packet goes on at the other worker."""
    engine, first, _ = spread([1])
    log = TraceLog(engine.plane)
    log.add("sim-input", 1)
    first.inject([(5, udp(1))])
    engine.run()
    text = log.text()
    assert f"sim: port0, 60 bytes, sw_if_index {first.sw_if_index}, next_node worker-handoff" in text
    assert f"worker-handoff: sw_if_index {first.sw_if_index}, next_worker 1, buffer 0x" in text
    assert text.index("worker-handoff") < text.index("ip4-input") < text.index("port1-output")
    engine.close()
    log.close()
